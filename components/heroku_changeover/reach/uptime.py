"""How long this machine has been on, by a clock that nobody sets: what is measured between processes rests on it."""

import time
from functools import cache

_CLOCK = getattr(time, "CLOCK_BOOTTIME", None) or getattr(time, "CLOCK_MONOTONIC", None)
"""The first one goes on while a machine sleeps; on macOS the second one does."""


def uptime() -> float:
    """Seconds, the same for every process of this machine."""
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


@cache
def boot() -> str:
    """What tells this run of the machine from every other one; empty where that cannot be told."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:  # noqa: PTH123 - pathlib costs start-up time
            return file.read().strip()
    except (OSError, ValueError):
        return ""
