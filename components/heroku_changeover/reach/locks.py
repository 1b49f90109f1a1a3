"""
Who is at work on an app, on this machine. A lock is a lock on an open file: it goes with the process that has it,
however that ends.
"""

import fcntl
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

from heroku_changeover.reach.private import open_needed, open_private
from heroku_changeover.reach.processes import Process, process_from, this_process
from heroku_changeover.reach.wait import Clock, Wait
from heroku_changeover.terms.errors import Locked, TimedOut

BUSY_LIMIT = 120
"""Seconds to wait for another step or keeper of the same app: longer than putting an app back takes."""


class Holder(NamedTuple):
    """
    Who has the lock of an app: which step it is, and its process, as far as it said so.
    """

    step: str
    process: Process | None

    def __str__(self) -> str:
        return f"{self.step} (process {self.process.pid if self.process else 'unknown'})"


def lock_path(path: Path, app: str) -> Path:
    return path / f"{app}.lock"


@contextmanager
def locked(
    path: Path,
    apps: Sequence[str],
    who: str,
    clock: Clock,
    report: Callable[[str], None],
    limit: float = BUSY_LIMIT,
) -> Iterator[None]:
    """
    Alone with these apps on this machine for the length of a block.

    Raises:
        Locked: another process is at work on one of them and did not end in time; names it.
    """
    with ExitStack() as held:
        for app in sorted(apps):
            file = held.enter_context(open_needed(lock_path(path, app), "a+"))
            _take(file, app, clock, report, limit)
            sign(file, _signature(who))
        yield


def _signature(who: str) -> str:
    """A later process with the same number is told apart by when this one was started."""
    this = this_process()
    return f"{this.pid} {this.started!r} {who}"


def sign(file: IO[str], text: str) -> None:
    """Leaves a word in a locked file, for whoever looks. The lock holds without it, as when the disk is full."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), text.encode())


def show_life(path: Path, app: str) -> None:
    """Whoever holds the lock goes on: a keeper takes one that shows no sign of life for one that hangs."""
    with suppress(OSError):
        os.utime(lock_path(path, app), follow_symlinks=False)


def last_sign_of_life(path: Path, apps: Sequence[str]) -> int:
    """Something that changes whenever whoever is at work on one of the apps says something."""
    return max((_changed(lock_path(path, app)) for app in apps), default=0)


def _changed(path: Path) -> int:
    try:
        return path.lstat().st_mtime_ns
    except OSError:
        return 0


def _take(file: IO[str], app: str, clock: Clock, report: Callable[[str], None], limit: float) -> None:
    def busy() -> str | None:
        if try_lock(file):
            return None
        return f"{_holder(file)} is at work on it"

    try:
        Wait(clock, report).until(f"app {app} to be free on this machine", busy, clock.now() + limit)
    except TimedOut as error:
        raise Locked(f"one changeover at a time for an app: {error}") from error


def try_lock(file: IO[str], kind: int = fcntl.LOCK_EX) -> bool:
    """Whether the lock was had; it goes with the file."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _holder(file: IO[str]) -> Holder:
    """What the holder has left in the file; anything else that is there tells nothing."""
    file.seek(0)
    try:
        words = file.read(200).split(" ", 2)
        row = {"pid": int(words[0]), "started": float(words[1]), "name": ""}
        return Holder(words[2], process_from(row))
    except (IndexError, ValueError, OverflowError):
        return Holder("another process", None)


def holder_of(path: Path, app: str) -> Holder | None:
    """Who is at work on an app on this machine; None when nobody is."""
    try:
        with open_private(lock_path(path, app), "r+") as lock:
            return None if try_lock(lock) else _holder(lock)
    except OSError:
        return None
