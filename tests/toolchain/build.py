"""
Building the engine from pinned Go modules, once a machine.

The cache is keyed by everything that goes into the build, so that a changed pin or a changed stand-in is a new build
and nothing else is.
"""

import fcntl
import hashlib
import os
import platform
import shutil
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from toolchain.find import PROGRAMS, Progress, ToolchainError

SOURCES = Path(__file__).parent
VERSION = "v3.259.0"
HEARTBEAT = 15.0
"""Seconds after which a build that goes on says so."""

STAMP = f"-X github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={VERSION}"
BUILD = ("go", "build", "-trimpath", "-buildvcs=false")
PARTS = {
    "engine": (*BUILD, "-tags", "osusergo,grpcnotrace", "-ldflags", f"-s -w {STAMP}", "-o", "{out}/", "tool"),
    "language_host": (*BUILD, "-ldflags", "-s -w", "-o", "{out}/", "tool"),
    "plugins": (*BUILD, "-ldflags", "-s -w", "-o", "{out}/", "./command", "./heroku"),
}
"""The Go modules, in the order in which they are built, with the command that builds each."""


def built(progress: Progress, environ: Mapping[str, str] = os.environ) -> Path:
    """The folder of the build, made now if the cache has none."""
    cache = Path(environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "heroku-postgres" / "toolchain"
    folder = cache / key()
    if _is_complete(folder):
        return folder
    with _alone(cache, progress):
        if not _is_complete(folder):
            _build(folder, progress)
    return folder


def key() -> str:
    """A name for the build: a hash over every pin and source, and the platform."""
    digest = hashlib.sha256(f"{platform.system()} {platform.machine()} {sorted(PARTS.items())}".encode())
    for path in sorted(p for part in PARTS for p in (SOURCES / part).rglob("*") if p.is_file()):
        digest.update(f"{path.relative_to(SOURCES)}\0".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def _is_complete(folder: Path) -> bool:
    return all(os.access(folder / name, os.X_OK) for name in (*PROGRAMS, "pulumi-language-python-exec"))


@contextmanager
def _alone(cache: Path, progress: Progress) -> Iterator[None]:
    """Two callers build once; the lock goes when its holder goes, however it ends."""
    try:
        cache.mkdir(parents=True, exist_ok=True)
        lock = (cache / "lock").open("w")
    except OSError as error:
        raise ToolchainError(f"the cache {cache} cannot be written ({error.strerror}); set XDG_CACHE_HOME") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("another process is building the engine; waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _build(folder: Path, progress: Progress) -> None:
    """Builds beside the final place and moves the whole there, so that a broken build is never taken for one."""
    if not shutil.which("go"):
        raise ToolchainError("there is no pulumi here and no Go to build it with; install Go, or set PULUMI_TOOLCHAIN")
    progress("building the Pulumi engine and its plugins, once for this machine; some minutes on two cores")
    out = Path(tempfile.mkdtemp(prefix="build-", dir=folder.parent))
    try:
        for number, (part, command) in enumerate(PARTS.items(), 1):
            _run([word.format(out=out) for word in command], part, f"{number} of {len(PARTS)}", out, progress)
        _finish(out)
        out.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        out.rename(folder)
    except OSError as error:
        raise ToolchainError(f"the engine could not be put into {folder}: {error.strerror}") from error
    finally:
        shutil.rmtree(out, ignore_errors=True)
    progress(f"the engine is in {folder}")


def _run(command: list[str], part: str, count: str, out: Path, progress: Progress) -> None:
    log = out.parent / f"{part}.log"
    started = time.monotonic()
    with log.open("w") as stream:
        process = subprocess.Popen(command, cwd=SOURCES / part, stdout=stream, stderr=subprocess.STDOUT)
        try:
            while not _ended(process):
                progress(f"building {part} ({count}): {time.monotonic() - started:.0f} s")
        finally:
            process.kill()
    if process.returncode != 0:
        raise ToolchainError(_explained(part, log))
    progress(f"built {part} ({count}) in {time.monotonic() - started:.0f} s")


def _ended(process: "subprocess.Popen[bytes]") -> bool:
    try:
        process.wait(HEARTBEAT)
    except subprocess.TimeoutExpired:
        return False
    return True


CAUSES = {
    "no space left on device": "the disk is full; make room, or set XDG_CACHE_HOME and GOCACHE to a roomier place",
    "requires go >=": "this Go is too old; install a newer one",
    "dial tcp": "the Go modules could not be downloaded; check the network and GOPROXY",
    "no such host": "the Go modules could not be downloaded; check the network and GOPROXY",
    "checksum mismatch": "a downloaded module is not the pinned one; check GOPROXY",
}


def _explained(part: str, log: Path) -> str:
    text = log.read_text(errors="replace")
    cause = next((advice for sign, advice in CAUSES.items() if sign in text), "see the log")
    last = "\n  ".join(text.strip().splitlines()[-8:])
    return f"building {part} failed: {cause}\n  {last}\nThe whole log is {log}"


def _finish(out: Path) -> None:
    """Names the plugins as the engine looks for them, and puts the language host's helper beside it."""
    for plugin in ("command", "heroku"):
        (out / plugin).rename(out / f"pulumi-resource-{plugin}")
    listed = ["go", "list", "-m", "-f", "{{.Dir}}", "github.com/pulumi/pulumi/sdk/v3"]
    module = subprocess.run(listed, cwd=SOURCES / "engine", capture_output=True, text=True, check=True).stdout.strip()
    helper = out / "pulumi-language-python-exec"
    shutil.copyfile(Path(module) / "python" / "cmd" / helper.name, helper)
    helper.chmod(helper.stat().st_mode | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH)
