"""The commands of the demo, in the order in which a user types them, and what has to be true after each."""

import json
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console

from heroku_changeover.terms.order import STEPS
from kit.orders import Customer
from local_heroku.launcher import LocalHeroku
from toolchain import Stack
from toolchain.stack import end

APP, OLD_PLAN, NEW_PLAN, ROWS = "shop", "standard-0", "standard-2", 5000


class DemoFailed(Exception):
    """A command did not do what the demo promises."""


@dataclass(slots=True)
class Walk:
    """One walk through a changeover; `timings` has the wall time of each command in seconds."""

    stack: Stack
    heroku: LocalHeroku
    console: Console
    timings: dict[str, float] = field(default_factory=dict)

    def type(self, *words: str) -> str:
        """Shows a command as a user would type it, runs it with the engine's own output, and fails with it."""
        shown = shlex.join(words)
        self.console.rule()
        self.console.print(f"$ pulumi {shown}", style="bold", markup=False, soft_wrap=True)
        started = time.time()
        lines = list(self._lines(self.stack.start(*words), shown))
        self.timings[shown] = round(time.time() - started, 3)
        return "".join(lines)

    def _lines(self, process: "subprocess.Popen[str]", shown: str) -> Iterator[str]:
        """What it prints, as it does; a demo that is interrupted leaves no engine behind."""
        with process:
            try:
                for line in process.stdout or ():
                    sys.stdout.write(line)
                    sys.stdout.flush()
                    yield line
                if process.wait() != 0:
                    raise DemoFailed(f"pulumi {shown} ended with {process.returncode}")
            finally:
                if process.poll() is None:
                    end(process)

    def adopt(self, addon: str) -> None:
        for key, value in (("app", APP), ("plan", OLD_PLAN), ("adopt", addon)):
            self.type("config", "set", key, value)
        self.type("up", "--yes", "--skip-preview")

    def change(self) -> tuple[float, float]:
        """The changeover; returns when it began and ended."""
        self.type("config", "set", "plan", NEW_PLAN)
        self.type("preview")
        began = time.time()
        self.type("up", "--yes", "--skip-preview")
        ended = time.time()
        self.type("preview", "--expect-no-changes")
        return began, ended

    def tear_down(self) -> None:
        """With the very command that the stack prints."""
        (command,) = json.loads(self.type("stack", "output", "teardown"))
        self.type(*shlex.split(command)[1:], "--yes", "--skip-preview")
        self.type("up", "--yes", "--skip-preview", "--expect-no-changes")

    def steps(self) -> dict[str, float]:
        """What each step took, in seconds, by its own clock."""
        restore = next(r for r in self.stack.resources() if r["urn"].endswith("db-2-restore"))
        seconds = json.loads(restore["outputs"]["stdout"])["report"]["seconds"]
        return {step: seconds[step] for step in STEPS}

    def changes(self) -> int:
        """How many resources the engine would still change."""
        summary = json.loads(self.stack.pulumi("preview", "--json", check=True).stdout)["changeSummary"]
        return sum(count for operation, count in summary.items() if operation != "same")


def is_gone(heroku: LocalHeroku, addon: str) -> bool:
    return heroku.call("GET", f"/addons/{addon}")[0] == 404


def result_of(walk: Walk, customer: Customer, old: str, outage: float, rows: dict[int, str]) -> dict[str, Any]:
    """The figures of build/demo.json."""
    primary = walk.heroku.primary(APP)
    missing = [i for i, reference in customer.ledger.items() if rows.get(i) != reference]
    return {
        "acknowledged": len(customer.ledger),
        "missing": len(missing),
        "outage_seconds": round(outage, 3),
        "primary": primary,
        "plan": walk.heroku.get(f"/addons/{primary}")["plan"]["name"].partition(":")[2],
        "old_database_gone": is_gone(walk.heroku, old),
        "changes_after": walk.changes(),
        "steps": walk.steps(),
    }
