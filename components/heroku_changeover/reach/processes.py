"""
Other processes of this machine: whether one is still there, told apart from a later one with the same number.

The library is imported where it is needed: most steps only read what the first one wrote down, and a step that starts
slowly is outage.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

ENGINE = "pulumi"
"""The program that runs the steps."""

CLOSE_ENOUGH = 1.0
"""Seconds that two readings of a process's start may differ by, because the boot time they rest on is adjusted."""


class Process(NamedTuple):
    """A process by its number, when it was started (seconds since 1970), and its name for messages."""

    pid: int
    started: float
    name: str = ""

    def is_alive(self) -> bool:
        """Whether it runs; a zombie does not."""
        import psutil

        try:
            process = psutil.Process(self.pid)
            same = abs(process.create_time() - self.started) < CLOSE_ENOUGH
            return same and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return False


def process_from(row: Mapping[str, Any]) -> Process:
    return Process(int(row["pid"]), float(row["started"]), str(row["name"]))


def process_named(pid: int) -> Process | None:
    """The process with this number as it is now; None when there is none."""
    import psutil

    try:
        process = psutil.Process(pid)
        return Process(pid, process.create_time(), process.name())
    except psutil.NoSuchProcess:
        return None


def starters(count: int = 2) -> tuple[Process, ...]:
    """
    Who started this process, and who started that one: in a step, the command plugin and the Pulumi CLI.

    Both end when a run is cancelled or crashes.
    """
    import psutil

    parents = psutil.Process().parents()[:count]
    return tuple(found for parent in parents if parent.pid > 1 and (found := process_named(parent.pid)))


def engine_words() -> tuple[str, ...]:
    """The command line of the `pulumi` that this process runs under; empty where that cannot be told."""
    import psutil

    try:
        lines = [parent.cmdline() for parent in psutil.Process().parents()]
    except psutil.Error:
        return ()
    return next((tuple(line) for line in lines if line and _program(line[0]) == ENGINE), ())


def _program(path: str) -> str:
    return re.split(r"[/\\]", path)[-1].lower().removesuffix(".exe")
