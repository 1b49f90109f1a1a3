"""The programs that the README prints, run as they stand there."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit import readme
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

from . import consumer
from .conftest import Operator
from .packages import Added
from .test_teardown import is_there
from .test_yaml import by_path as by_path

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]


@pytest.fixture
def my_app(heroku: LocalHeroku) -> Iterator[dict[str, Any]]:
    """An app with the names of the README."""
    yield heroku.create_app("my-app", web=2, worker=1, rows=500, addon="postgresql-round-12345")
    heroku.delete("/_control/apps/my-app")


def test_the_program_in_python_adopts_and_changes_the_plan_and_prints_what_removes_the_old_database(
    heroku: LocalHeroku, my_app: dict[str, Any], new_stack: Stack, tmp_path: Path
) -> None:
    program = readme.program("python")
    project = consumer.project(tmp_path / "own", {"virtualenv": sys.prefix}, program)
    stack = Stack(new_stack.toolchain, project, tmp_path / "home", tmp_path / "state", around(heroku, tmp_path))
    stack.create()

    walk(Operator(stack, heroku, my_app), project / "__main__.py", program, 'plan="{}"')


def test_the_program_in_yaml_adopts_and_changes_the_plan_and_prints_what_removes_the_old_database(
    by_path: Added, heroku: LocalHeroku, my_app: dict[str, Any], tmp_path: Path
) -> None:
    stack = by_path.copy(around(heroku, tmp_path))
    added = yaml.safe_load((stack.project / "Pulumi.yaml").read_text())
    program = readme.program("yaml").replace("name: my-app\n", f"name: {added['name']}\n")
    program += yaml.safe_dump({"packages": added["packages"]})  # as `pulumi package add` writes it
    (stack.project / "Pulumi.yaml").write_text(program)

    walk(Operator(stack, heroku, my_app), stack.project / "Pulumi.yaml", program, "plan: {}")


def around(heroku: LocalHeroku, folder: Path) -> dict[str, str]:
    return {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(folder / "changeover")}


def walk(operator: Operator, file: Path, program: str, line: str) -> None:
    """What the README says to do with a program: up, another plan, up, and the command that is printed."""
    operator.up()
    assert line.format("standard-0") in program
    file.write_text(program.replace(line.format("standard-0"), line.format("standard-2")))
    operator.up()
    operator.up("--expect-no-changes")

    outputs = operator.stack.outputs()
    assert outputs["primary"] == operator.heroku.primary("my-app") == "my-app-db-2"
    (command,) = outputs["teardown"]
    operator.type(command)
    assert not is_there(operator, "postgresql-round-12345")
