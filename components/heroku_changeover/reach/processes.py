"""
Other processes of this machine: whether one is still there, told apart from a later one with the same number.

When a process was started is told by something that does not move when the wall clock is set. On Linux that is in
`/proc`. The library for other systems is imported where it is needed: a step that starts slowly is outage.
"""

import math
import os
import re
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

ENGINE = "pulumi"
"""The program that runs the steps."""

PROC = Path("/proc")
HIGHEST_PID = 2**31 - 1
GONE = frozenset("ZXx")
"""The states in which a process does nothing any more."""


class Process(NamedTuple):
    """
    A process by its number, when it was started, and its name for messages. `started` is in seconds since this machine
    was, where the system tells that, else since 1970.
    """

    pid: int
    started: float
    name: str = ""

    def is_alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        return (now := process_named(self.pid)) is not None and now.started == self.started

    def end(self) -> bool:
        """
        Ends it at once, and nothing that has its number since; it may be stopped, so it is not asked. Returns whether
        it was there.
        """
        if hasattr(os, "pidfd_open"):
            return self._end_by_descriptor()
        if not self.is_alive():
            return False
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        return True

    def _end_by_descriptor(self) -> bool:
        """The descriptor is of one process for good: whose it is can be told before anything is sent."""
        try:
            descriptor = os.pidfd_open(self.pid)
        except OSError:
            return False
        try:
            if not self.is_alive():
                return False
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            return True
        finally:
            os.close(descriptor)


def process_from(row: Mapping[str, Any]) -> Process:
    """
    Raises:
        ValueError, TypeError, KeyError, OverflowError: it names no process.
    """
    pid, started = row["pid"], row["started"]
    if isinstance(pid, bool) or not isinstance(pid, int) or not 0 < pid <= HIGHEST_PID:
        raise ValueError("it is not the number of a process")
    if isinstance(started, bool) or not isinstance(started, int | float) or not math.isfinite(started):
        raise ValueError("it is not the start of a process")
    return Process(pid, float(started), str(row["name"]))


def process_named(pid: int) -> Process | None:
    """The process with this number as it is now; None when there is none, or it does nothing any more."""
    if not 0 < pid <= HIGHEST_PID:
        return None
    if (stat := _stat(pid)) is not None:
        return None if stat.state in GONE else Process(pid, stat.started, stat.name)
    return None if _has_proc() else _asked_of_the_library(pid)


def this_process() -> Process:
    """
    The one that asks.

    Raises:
        AssertionError: it is not there, which cannot be.
    """
    this = process_named(os.getpid())
    assert this is not None, "this process is there"  # noqa: S101 - for the type checker
    return this


class _Stat(NamedTuple):
    """What `/proc/<pid>/stat` tells of a process (proc_pid_stat(5))."""

    name: str
    state: str
    parent: int
    started: float


def _stat(pid: int) -> _Stat | None:
    """None where it is not there; the name is in brackets, and may hold any character."""
    try:
        text = (PROC / str(pid) / "stat").read_bytes().decode("utf-8", "backslashreplace")
        name, _, rest = text.partition("(")[2].rpartition(")")
        words = rest.split()
        return _Stat(name, words[0], int(words[1]), int(words[19]) / os.sysconf("SC_CLK_TCK"))
    except (OSError, IndexError, ValueError):
        return None


def _has_proc() -> bool:
    return _stat(os.getpid()) is not None


def _asked_of_the_library(pid: int) -> Process | None:
    import psutil

    try:
        process = psutil.Process(pid)
        gone = process.status() == psutil.STATUS_ZOMBIE
        return None if gone else Process(pid, process.create_time(), process.name())
    except psutil.Error:
        return None


def _parent_of(pid: int) -> int | None:
    if (stat := _stat(pid)) is not None:
        return stat.parent or None
    if _has_proc():
        return None
    import psutil

    try:
        return psutil.Process(pid).ppid() or None
    except psutil.Error:
        return None


def ancestors() -> Iterator[int]:
    """The number of who started this process, of who started that one, and so on."""
    pid, seen = _parent_of(os.getpid()), set[int]()
    while pid is not None and pid not in seen:
        seen.add(pid)
        yield pid
        pid = _parent_of(pid)


def first_process() -> str | None:
    """What the first process that this one can see is called; None where that cannot be told."""
    found = process_named(1)
    return found.name if found else None


def starters(count: int = 2) -> tuple[Process, ...]:
    """
    Who started this process, and who started that one: in a step, the command plugin and the Pulumi CLI.

    Both end when a run is cancelled or crashes.
    """
    parents = list(ancestors())[:count]
    return tuple(found for pid in parents if pid > 1 and (found := process_named(pid)))


def engine_words() -> tuple[str, ...]:
    """The command line of the `pulumi` that this process runs under; empty where that cannot be told."""
    lines = (_command_line(pid) for pid in ancestors())
    return next((line for line in lines if line and _program(line[0]) == ENGINE), ())


def _command_line(pid: int) -> tuple[str, ...]:
    if _has_proc():
        try:
            words = (PROC / str(pid) / "cmdline").read_bytes().split(b"\0")[:-1]
        except OSError:
            return ()
        return tuple(os.fsdecode(word) for word in words)
    import psutil

    try:
        return tuple(psutil.Process(pid).cmdline())
    except psutil.Error:
        return ()


def _program(path: str) -> str:
    return re.split(r"[/\\]", path)[-1].lower().removesuffix(".exe")
