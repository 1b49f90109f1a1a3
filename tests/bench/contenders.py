"""The ways to change the plan of a database: by hand with the CLI, by this component, by Heroku itself."""

import json
import subprocess
from pathlib import Path
from typing import Any

from bench.stage import APP, NEW_PLAN, BenchFailed, Stage
from conformance.heroku_cli import Cli
from heroku_changeover.terms.order import STEPS

RUNBOOK = Path(__file__).parent / "runbook.sh"
LIMIT = 600


def by_hand(s: Stage, program: Path, home: Path) -> dict[str, Any]:
    """The old runbook, scripted with Heroku's own CLI."""
    cli = Cli(program, s.heroku, home)
    environment = {**cli.environment(), "HEROKU_CLI": str(program)}
    ran = subprocess.run(
        (RUNBOOK, APP, NEW_PLAN, f"{APP}-by-hand"),
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    if ran.returncode or s.primary() != f"{APP}-by-hand":
        raise BenchFailed(f"the runbook ended with {ran.returncode}:\n{ran.stdout}")
    return {}


def by_pulumi(s: Stage) -> dict[str, Any]:
    """`pulumi up` after one line of config was changed; returns the report of the changeover."""
    s.stack.edit({"plan": NEW_PLAN})
    observer = {
        "PYTHONPATH": str(Path(__file__).parent / "injected"),
        "BENCH_LOG": str(s.stack.project / "steps.jsonl"),
        "BENCH_STEPS": " ".join(STEPS),
    }
    ran = s.stack.pulumi("up", "--yes", "--skip-preview", env=observer, timeout=LIMIT)
    if ran.code or s.primary() != f"{APP}-db-2":
        raise BenchFailed(f"pulumi up: {ran}\n{s.heroku.log_text()}")
    rows = [json.loads(line) for line in (s.stack.project / "steps.jsonl").read_text().splitlines()]
    return {"steps": rows}


def adopt(s: Stage) -> None:
    """The update before the change; not timed."""
    others = [str(app["name"]) for app in s.apps[1:]]
    for number, name in enumerate(others):
        s.stack.pulumi("config", "set", "--path", f"apps[{number}]", name, check=True)
    s.stack.edit({"app": APP, "plan": "standard-0", "adopt": s.addon})
    s.stack.pulumi("up", "--yes", "--skip-preview", check=True)


def by_heroku(s: Stage) -> dict[str, Any]:
    """Heroku's own change of plan, as the local Heroku does it."""
    addon = s.addon
    s.heroku.patch(f"/apps/{APP}/addons/{addon}", {"plan": f"heroku-postgresql:{NEW_PLAN}"})
    status = f"/client/v11/databases/{addon}/wait_status"
    s.heroku.wait_until("Heroku's upgrade", lambda: not s.heroku.get(status)["waiting?"], LIMIT)
    return {}
