"""Starting programs so that none of them outlives this one, and so that PostgreSQL is not run by root."""

import asyncio
import ctypes
import os
import pwd
import signal
from contextlib import suppress
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None, use_errno=True)
SERVER_USER = "nobody"


def die_with_parent(with_signal: int) -> None:
    """
    Runs in the child: the kernel sends this signal when our process ends, however it ends (prctl(2), PR_SET_PDEATHSIG).
    """
    _libc.prctl(_PR_SET_PDEATHSIG, with_signal)


def stand_still(pid: int, *, still: bool) -> None:
    """A process and all that it has started: stopped where they are, or told to go on."""
    for one in (pid, *_descendants(pid)):
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGSTOP if still else signal.SIGCONT)


def _descendants(pid: int) -> list[int]:
    try:
        children = [int(n) for n in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
    return [*children, *(d for child in children for d in _descendants(child))]


def server_identity() -> dict[str, int | list[int]]:
    """Arguments for a process that must not be root; empty when we are not root either."""
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(SERVER_USER)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def give_to_server(folder: Path) -> None:
    if os.geteuid() == 0:
        entry = pwd.getpwnam(SERVER_USER)
        os.chown(folder, entry.pw_uid, entry.pw_gid)


async def run_as_server(*arguments: str | Path, limit: float | None = None) -> str:
    """
    A PostgreSQL program to its end; its output is in the error when it fails.

    One that takes longer than `limit` seconds is killed, with a TimeoutError.
    """
    process = await asyncio.create_subprocess_exec(
        *map(str, arguments),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        cwd="/",
        preexec_fn=lambda: die_with_parent(signal.SIGKILL),
        **server_identity(),  # type: ignore[arg-type] # a mixture of types that the signature takes one by one
    )
    try:
        output, _ = await asyncio.wait_for(process.communicate(), limit)
    except TimeoutError:
        if process.returncode is None:
            process.kill()
        raise
    if process.returncode:
        raise RuntimeError(
            f"{Path(arguments[0]).name} failed with {process.returncode}:\n{output.decode(errors='replace')}"
        )
    return output.decode(errors="replace")
