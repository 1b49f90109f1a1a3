"""Builds the engine, its language hosts and the stand-in plugins from pinned Go modules, once a machine."""

import hashlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from toolchain import cache, golang, modules
from toolchain.programs import Unavailable

SDK = modules.SDK
VERSION = modules.version_of(SDK, modules.ENGINE)
"""The engine's version: without it in the program, the engine misjudges what it may load."""
YAML_VERSION = modules.version_of(modules.YAML_HOST, modules.YAML)
NAMES = f"-X {SDK}/go/common/version.Version={VERSION} -X {modules.YAML_HOST}/pkg/version.Version={YAML_VERSION}"
FLAGS = ("-trimpath", "-tags=osusergo,grpcnotrace", f"-ldflags=-s -w {NAMES}")
SCRIPTS = ("cmd/pulumi-language-python-exec", "dist/pulumi-resource-pulumi-python")
"""Files of the SDK's Python part that are started from the folder of the language host."""


def folder(progress: Callable[[str], None]) -> Path:
    """Return the folder of the built programs, from the cache or built now (minutes on a cold machine)."""
    word = key()
    return cache.once(word, lambda into: _build(into, cache.root() / f"{word}.log", progress), progress)


def key() -> str:
    """Return one short word for everything that decides what comes out of a build."""
    digest = hashlib.sha256(repr((*golang.platform(), FLAGS)).encode())
    for path in sorted(path for module in modules.ALL for path in module.rglob("*")):
        if path.suffix in {".go", ".mod", ".sum"}:
            digest.update(f"\0{path.relative_to(modules.HERE)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _build(into: Path, log: Path, progress: Callable[[str], None]) -> None:
    progress(f"building a Pulumi engine into {cache.root()}, once; about six minutes where Go's caches are cold")
    log.unlink(missing_ok=True)
    target = f"{into}{os.sep}"
    for what, module, packages in (
        ("building the language hosts", modules.LANGUAGES, "./..."),
        ("building the language host of YAML", modules.YAML, "tool"),
        ("building the stand-in plugins", modules.PLUGINS, "./..."),
        ("building pulumi", modules.ENGINE, "tool"),
    ):
        golang.run(what, ("build", *FLAGS, "-o", target, packages), module=module, log=log, progress=progress)
    _copy_scripts(into)


def _copy_scripts(into: Path) -> None:
    """Files of Go modules are not executable; these have to be."""
    module = golang.answer("list", "-m", "-f", "{{.Dir}}", SDK, folder=modules.ENGINE)
    for name in SCRIPTS:
        script = Path(module) / "python" / name
        if not script.is_file():
            raise Unavailable(f"The module {SDK} in {module or 'no folder'} has no {script.name}.")
        shutil.copyfile(script, into / script.name)
        (into / script.name).chmod(stat.S_IRWXU | stat.S_IRGRP | stat.S_IXGRP | stat.S_IROTH | stat.S_IXOTH)
