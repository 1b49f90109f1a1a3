"""
Loaded by every Python process under test, from a folder of that test's own; `kit.injection` has what is put into it.

It stops a process at an act, so that the test can let something happen there: the process tells who it is in a file
and goes on when another file appears, or never, if it is killed. It gives the process a clock that the test can move.
And it takes the installed program away under a process that runs.
"""

import itertools
import json
import os
import sys
import time
from typing import Any

HERE = os.path.dirname(os.path.abspath(__file__))
EVENT = "heroku_changeover.act"
LIMIT = 90.0
PROGRAM = ("heroku_changeover", "psycopg", "psutil", "urllib3")

_real_sleep, _real_monotonic = time.sleep, time.monotonic


def _stop_here(stop: dict[str, Any]) -> None:
    """Announces this process, once among all processes, and waits for leave to go on."""
    folder = f"{HERE}/{stop['name']}"
    try:
        os.mkdir(f"{folder}/taken")
    except FileExistsError:
        return
    with open(f"{folder}/draft", "w") as file:
        json.dump({"pid": os.getpid(), "plugin": os.getppid(), "argv": sys.orig_argv}, file)
    os.rename(f"{folder}/draft", f"{folder}/stopped")
    deadline = _real_monotonic() + LIMIT
    while not os.path.exists(f"{folder}/go") and _real_monotonic() < deadline:
        _real_sleep(0.005)


def _install(stop: dict[str, Any]) -> None:
    times = itertools.count(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        here = event == EVENT and arguments == (stop["act"], stop["phase"]) and _is_keeper() == stop["keeper"]
        if here and next(times) == stop["nth"]:
            _stop_here(stop)

    sys.addaudithook(hook)


def _is_keeper() -> bool:
    return "keep" in sys.argv


def _moved() -> dict[str, float]:
    """By how many seconds the clocks were moved: `passed` for all of them, `stepped` for the wall clock alone."""
    try:
        with open(f"{HERE}/clock") as file:
            return dict(json.load(file))
    except (OSError, ValueError):
        return {"passed": 0.0, "stepped": 0.0}


def _give_clock() -> None:
    wall, monotonic, reading = time.time, time.monotonic, time.clock_gettime

    def shifted(number: int) -> float:
        moved = _moved()
        return reading(number) + moved["passed"] + (moved["stepped"] if number == time.CLOCK_REALTIME else 0.0)

    time.time = lambda: wall() + sum(_moved().values())
    time.monotonic = lambda: monotonic() + _moved()["passed"]
    time.clock_gettime = shifted
    sys.addaudithook(_step_boot_time)


def _step_boot_time(event: str, arguments: tuple[Any, ...]) -> None:
    """The kernel tells the boot time as the wall clock minus the time since then: it steps along with that."""
    library = sys.modules.get("psutil._pslinux")
    if event != EVENT and library is not None and hasattr(library, "boot_time") and not hasattr(library, "is_given"):
        boot_time = vars(library)["boot_time"]
        vars(library)["is_given"] = True
        vars(library)["boot_time"] = lambda: boot_time() + _moved()["stepped"]


def _take_away(event: str, arguments: tuple[Any, ...]) -> None:
    """An import of what is gone fails, in a keeper, which may run for longer than the environment exists."""
    if event != "import" or not str(arguments[0]).startswith(PROGRAM):
        return
    if _is_keeper() and os.path.exists(f"{HERE}/gone"):
        raise ModuleNotFoundError(f"No module named {arguments[0]!r}", name=str(arguments[0]))


def _begin() -> None:
    try:
        with open(f"{HERE}/plan.json") as file:
            stops = json.load(file)
    except OSError:
        return
    for stop in stops:
        _install(stop)
    if os.path.exists(f"{HERE}/clock"):
        _give_clock()
    sys.addaudithook(_take_away)


_begin()
