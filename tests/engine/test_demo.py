"""The demo's own promises, on the real engine; the whole of it is `make demo`."""

import io

import pytest
from rich.console import Console

from demo.walk import Walk, is_gone

from .conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


def test_the_demo_removes_the_old_database_with_the_command_that_the_stack_printed(
    operator: Operator, capsys: pytest.CaptureFixture[str]
) -> None:
    operator.adopt_and_change()
    typed = io.StringIO()

    Walk(operator.stack, operator.heroku, Console(file=typed, width=80)).tear_down()

    printed = capsys.readouterr().out
    commands = [line.removeprefix("$ ") for line in typed.getvalue().splitlines() if line.startswith("$ ")]
    assert commands[0] == "pulumi stack output teardown"
    removal = commands[1].removesuffix(" --yes --skip-preview")
    assert f'"{removal}"' in printed, printed
    assert is_gone(operator.heroku, operator.app["addon"])
