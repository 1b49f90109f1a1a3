"""A program without a project, which some service of the user's own runs through Pulumi's Automation API."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from kit.checkout import ROOT

from .conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

SERVICE = """
import json, sys
import pulumi
from pulumi import automation
from heroku_postgres import Database, DatabaseArgs

app, adopt = sys.argv[1:]
outcomes = []
for plan in ("standard-0", "standard-2"):
    def program() -> None:
        database = Database("db", DatabaseArgs(app=app, plan=plan, adopt=adopt))
        pulumi.export("primary", database.primary)

    stack = automation.create_or_select_stack("inline", project_name="service", program=program)
    outcomes.append(stack.up(on_output=lambda line: print(line, file=sys.stderr)).outputs["primary"].value)
print(json.dumps(outcomes))
"""


def test_a_program_that_a_service_runs_inline_changes_the_plan(operator: Operator, tmp_path: Path) -> None:
    """Pulumi runs the steps in a folder of its own then, not where the service was started."""
    folder = tmp_path / "service"
    folder.mkdir()
    (folder / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    operator.stack.pulumi("whoami", check=True)  # gives the home its plugins
    variables = operator.stack.variables()
    del variables["PULUMI_STACK"]

    served = subprocess.run(
        [folder / ".venv" / "bin" / "python", "-c", SERVICE, operator.name, operator.app["addon"]],
        cwd=folder,
        env={**variables, "PYTHONPATH": str(ROOT / "components")},
        capture_output=True,
        text=True,
        timeout=200,
        check=False,
    )

    assert served.returncode == 0, served.stderr
    assert json.loads(served.stdout) == [operator.app["addon"], f"{operator.name}-db-2"]
    assert operator.is_as_found()
