"""
Loaded by every Python process under test: stops a step at an act, so that the test can let something happen there.

The process tells who it is in a file and goes on when another file appears, or never, if it is killed. Only the first
process that comes to the act for the nth time is stopped.
"""

import itertools
import json
import os
import sys
import time
from typing import Any

EVENT = "heroku_changeover.act"
LIMIT = 60.0


def _stop_here(plan: dict[str, Any]) -> None:
    """Announces this process, once among all processes, and waits for leave to go on."""
    try:
        os.mkdir(plan["folder"] + "/taken")
    except FileExistsError:
        return
    draft = plan["folder"] + "/draft"
    with open(draft, "w") as file:
        json.dump({"pid": os.getpid(), "plugin": os.getppid(), "argv": sys.orig_argv}, file)
    os.rename(draft, plan["folder"] + "/stopped")
    deadline = time.monotonic() + LIMIT
    while not os.path.exists(plan["folder"] + "/go") and time.monotonic() < deadline:
        time.sleep(0.005)


def _install(plan: dict[str, Any]) -> None:
    times = itertools.count(1)

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        here = event == EVENT and arguments == (plan["act"], plan["phase"]) and "keep" not in sys.argv
        if here and next(times) == plan["nth"]:
            _stop_here(plan)

    sys.addaudithook(hook)


if "FAULT_PLAN" in os.environ:
    _install(json.loads(os.environ["FAULT_PLAN"]))
