"""The programs that the README prints, run as they stand there; the one in YAML is with the other languages."""

import shlex
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from demo.walk import ROOT
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

from . import consumer
from .conftest import Operator
from .test_teardown import is_there

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


def program_in_readme(language: str) -> str:
    """What is printed after the mark of that language."""
    after = (ROOT / "README.md").read_text().split(f"<!-- program: {language} -->\n```{language}\n")[1]
    return after.split("```\n")[0]


@pytest.fixture
def my_app(heroku: LocalHeroku) -> Iterator[dict[str, Any]]:
    """An app with the names of the README."""
    yield heroku.create_app("my-app", web=2, worker=1, rows=500, addon="postgresql-round-12345")
    heroku.delete("/_control/apps/my-app")


def test_the_program_in_the_readme_adopts_and_changes_the_plan_and_prints_what_removes_the_old_database(
    heroku: LocalHeroku, my_app: dict[str, Any], new_stack: Stack, tmp_path: Path
) -> None:
    program = program_in_readme("python")
    project = consumer.project(tmp_path / "own", {"virtualenv": sys.prefix}, program)
    environment = {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(tmp_path / "changeover")}
    operator = Operator(
        Stack(new_stack.toolchain, project, tmp_path / "home", tmp_path / "state", environment), heroku, my_app
    )
    operator.stack.create()
    operator.up()
    (project / "__main__.py").write_text(program.replace('plan="standard-0"', 'plan="standard-2"'))
    operator.up()
    operator.up("--expect-no-changes")

    outputs = operator.stack.outputs()
    assert outputs["primary"] == heroku.primary("my-app") == "my-app-db-2"
    (command,) = outputs["teardown"]
    operator.run(*shlex.split(command)[1:], "--yes", "--skip-preview")
    assert not is_there(operator, "postgresql-round-12345")
