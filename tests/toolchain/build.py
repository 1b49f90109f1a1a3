"""Builds the engine, its Python language host and the stand-in plugins from pinned Go modules, once a machine."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from toolchain import cache, golang
from toolchain.programs import Unavailable

HERE = Path(__file__).parent
ENGINE, LANGUAGE_HOST, PLUGINS = HERE / "engine", HERE / "language_host", HERE / "plugins"

VERSION = "v3.259.0"
"""The engine's version, as in engine/go.mod: without it in the program, the engine misjudges what it may load."""
SDK = "github.com/pulumi/pulumi/sdk/v3"
FLAGS = ("-trimpath", "-tags=osusergo,grpcnotrace", f"-ldflags=-s -w -X {SDK}/go/common/version.Version={VERSION}")
EXEC = "pulumi-language-python-exec"


def folder(progress: Callable[[str], None]) -> Path:
    """Return the folder of the built programs, from the cache or built now (minutes on a cold machine)."""
    word = key()
    return cache.once(word, lambda into: _build(into, cache.root() / f"{word}.log", progress), progress)


def key() -> str:
    """Return one short word for everything that decides what comes out of a build."""
    digest = hashlib.sha256(repr((*golang.platform(), FLAGS)).encode())
    for path in sorted(path for module in (ENGINE, LANGUAGE_HOST, PLUGINS) for path in module.rglob("*")):
        if path.suffix in {".go", ".mod", ".sum"}:
            digest.update(f"\0{path.relative_to(HERE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _build(into: Path, log: Path, progress: Callable[[str], None]) -> None:
    progress(f"building a Pulumi engine into {cache.root()}, once; about six minutes where Go's caches are cold")
    log.unlink(missing_ok=True)
    target = f"{into}{os.sep}"
    for what, module, packages in (
        ("building the language host", LANGUAGE_HOST, "tool"),
        ("building the stand-in plugins", PLUGINS, "./..."),
        ("building pulumi", ENGINE, "tool"),
    ):
        golang.run(what, ("build", *FLAGS, "-o", target, packages), module=module, log=log, progress=progress)
    _copy_exec(into)


def _copy_exec(into: Path) -> None:
    """The language host starts a script that has to lie beside it; files of Go modules are not executable."""
    module = golang.answer("list", "-m", "-f", "{{.Dir}}", SDK, folder=ENGINE)
    script = Path(module) / "python" / "cmd" / EXEC
    if not script.is_file():
        raise Unavailable(f"The module {SDK} in {module or 'no folder'} has no {EXEC}.")
    shutil.copyfile(script, into / EXEC)
    (into / EXEC).chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
