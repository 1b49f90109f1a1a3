"""
Loaded by every Python process under measure: when a step began, did each of its acts, and ended.

One line of JSON a step, in the file that BENCH_LOG names; BENCH_STEPS has the words by which a step is known.
"""

import atexit
import json
import os
import sys
import time
from typing import Any

EVENT = "heroku_changeover.act"


def _started() -> float:
    """When the kernel made this process, in seconds since 1970, from /proc."""
    with open("/proc/self/stat") as file:
        ticks = int(file.read().rpartition(")")[2].split()[19])
    with open("/proc/uptime") as file:
        up = float(file.read().split()[0])
    return time.time() - up + ticks / os.sysconf("SC_CLK_TCK")


def _install(path: str, step: str) -> None:
    row: dict[str, Any] = {"step": step, "started": _started(), "python": time.time(), "acts": []}

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        if event == EVENT:
            row["acts"].append([*arguments, time.time()])

    def end() -> None:
        row["ended"] = time.time()
        with open(path, "a") as file:
            file.write(json.dumps(row) + "\n")

    sys.addaudithook(hook)
    atexit.register(end)


if "BENCH_LOG" in os.environ and any(os.path.basename(word) == "heroku-changeover" for word in sys.orig_argv):
    name = next((word for word in sys.orig_argv if word in os.environ["BENCH_STEPS"].split()), None)
    if name:
        _install(os.environ["BENCH_LOG"], name)
