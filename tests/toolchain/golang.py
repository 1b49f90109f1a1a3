"""Runs `go` with signs of life, and says in one sentence why it failed."""

import os
import re
import shutil
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from toolchain import modules
from toolchain.cache import SPEAK_EVERY
from toolchain.programs import Unavailable

TOO_OLD = re.compile(
    r"requires go >= ?([\d.]+)|must match format 1\.23|unknown directive: (?:tool|toolchain)|toolchain not available"
)
DISK_FULL = re.compile(r"no space left on device|disk quota exceeded")
NO_MODULES = re.compile(
    r"dial tcp|no such host|i/o timeout|connection (?:refused|reset)|proxyconnect|TLS handshake|x509:|unexpected EOF"
    r"|GOPROXY=off|reading https?://|verifying (?:module|go\.mod)|cannot find module providing|missing go\.sum entry"
)
KILLED = re.compile(r"signal: killed")

NEEDED = modules.needed_go()
FETCHING = "1.21"
"""The first Go that fetches, through the module proxy, the newer Go that a module asks for."""
LAST_LINES = 15


def platform() -> tuple[str, ...]:
    """
    Return Go's version, operating system and architecture, as words of a cache key.

    Raises Unavailable if there is no Go here that can build, nor one that fetches a Go that can.
    """
    if not shutil.which("go"):
        raise Unavailable(f"There is no pulumi on PATH and no go to build one. {_advice()}")
    # Outside of any module: inside one, go may go and fetch the version that the module asks for.
    said = answer("env", "GOVERSION", "GOOS", "GOARCH", "GOTOOLCHAIN", folder=Path("/")).splitlines()
    version, toolchain = said[0], "".join(said[3:])
    if modules.numbers(version) < modules.numbers(NEEDED) and not _fetches(version, toolchain):
        raise Unavailable(f"{shutil.which('go')} is {version}, with GOTOOLCHAIN={toolchain}. {_advice()}")
    return tuple(said[:3])


def _fetches(version: str, toolchain: str) -> bool:
    """Whether go gets the newer Go by itself: it has to know how, and to be let."""
    may = toolchain == "auto" or toolchain.endswith("+auto")
    return may and modules.numbers(version) >= modules.numbers(FETCHING)


def _advice() -> str:
    return (
        f"Install Go {NEEDED} or newer (https://go.dev/dl), or Go {FETCHING} or newer that may fetch it "
        "(GOTOOLCHAIN=auto), or install Pulumi, or set PULUMI_TOOLCHAIN to a folder that holds the programs."
    )


def answer(*arguments: str, folder: Path) -> str:
    """Return what go prints when asked in a folder, in the environment of a build. Raises Unavailable."""
    try:
        asked = subprocess.run(
            ("go", *arguments), cwd=folder, env=_environment(os.environ), capture_output=True, text=True, check=False
        )
    except OSError as error:
        raise Unavailable(f"{shutil.which('go')} cannot be started ({error}).") from error
    if asked.returncode != 0:
        raise Unavailable(f"`go {' '.join(arguments)}` failed, so Go cannot be used: {asked.stderr.strip()}")
    return asked.stdout.strip()


def run(what: str, arguments: tuple[str, ...], *, module: Path, log: Path, progress: Callable[[str], None]) -> None:
    """Run go in a module's folder; `what` is what the reader is told that this does. Raises Unavailable."""
    since = time.monotonic()
    progress(f"{what} ...")
    with log.open("a") as sink:
        sink.write(f"\n$ go {' '.join(arguments)}   # in {module}\n")
        sink.flush()
        size = log.stat().st_size  # before it starts, so that its first line is news however soon it comes
        process = subprocess.Popen(
            ("go", *arguments), cwd=module, env=_environment(os.environ), stdout=sink, stderr=subprocess.STDOUT
        )
        try:
            _wait(process, what, since, log, size, progress)
        except BaseException:
            process.terminate()
            process.wait()
            raise
    if process.returncode != 0:
        raise Unavailable(explain(what, log.read_text(errors="replace"), log))
    progress(f"{what}: done in {time.monotonic() - since:.0f} s")


def _environment(ambient: Mapping[str, str]) -> dict[str, str]:
    """The caller's, but without what would change the outcome: a workspace or flags of somebody's own, cgo."""
    return {**ambient, "GOWORK": "off", "GOFLAGS": "-buildvcs=false -mod=readonly", "CGO_ENABLED": "0"}


def _wait(
    process: subprocess.Popen[bytes], what: str, since: float, log: Path, size: int, progress: Callable[[str], None]
) -> None:
    while True:
        try:
            process.wait(SPEAK_EVERY)
            return
        except subprocess.TimeoutExpired:
            before, size = size, log.stat().st_size
            doing = _latest_download(log) if size > before else "compiling"
            progress(f"{what}, {time.monotonic() - since:.0f} s ({doing})")


def _latest_download(log: Path) -> str:
    last = log.read_text(errors="replace").splitlines()[-1]
    return last.removeprefix("go: ") if last.startswith("go: downloading") else "compiling"


def explain(what: str, output: str, log: Path) -> str:
    """Return a sentence on the cause, the last lines of the output and where the rest is."""
    last = output.rpartition("\n$ go ")[2]
    lines = [line for line in last.splitlines()[1:] if line.strip() and not line.startswith("go: downloading")]
    tail = "\n".join(f"  {line}" for line in lines[-LAST_LINES:])
    return f"{what} failed: {_cause(last)}\n{tail}\nThe whole log is {log}"


def _cause(output: str) -> str:
    if TOO_OLD.search(output):
        return f"this Go is too old. {_advice()}"
    if DISK_FULL.search(output):
        return "the disk is full. A first build needs about 5 GB in Go's caches (`go env GOCACHE GOMODCACHE`)."
    if NO_MODULES.search(output):
        return "a Go module could not be fetched. Check the network and `go env GOPROXY`, then run it again."
    if KILLED.search(output):
        return "the compiler was killed, most likely for want of memory. Close other programs and run it again."
    return "it does not compile."
