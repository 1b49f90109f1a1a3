"""The command line of a step: written by one side, read by the other."""

import shlex

import pytest

from heroku_changeover.__main__ import parser
from heroku_changeover.command import STEPS, Order, guard_arguments, order_from, shell_text, step_arguments

ORDERS = [
    Order("db-2", ("shop",), "postgresql-round-12345", "shop-db-2"),
    Order("db-7", ("shop", "shop-admin"), "shop-db-6", "shop-db-7", budget=120, one_off_dynos="stop", verify="api"),
    Order("db-2", ("shop",), "a", "b", follower_limit=60),
]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("step", STEPS)
def test_what_the_component_writes_is_what_the_step_reads(step: str, order: Order) -> None:
    options = parser().parse_args(step_arguments(step, order))

    assert options.step == step
    assert order_from(options) == order


def test_what_is_at_its_default_is_left_out_of_the_text() -> None:
    assert shlex.join(step_arguments("promote", ORDERS[0])) == (
        "promote --generation db-2 --app shop --from postgresql-round-12345 --to shop-db-2"
    )


def test_the_guard_reads_what_the_component_writes() -> None:
    options = parser().parse_args(guard_arguments("shop", "shop-db-1"))

    assert (options.app, options.database) == ("shop", "shop-db-1")


def test_the_text_finds_the_virtual_environment_beside_the_program_or_the_interpreter_on_path() -> None:
    assert shell_text(["promote"], "../.venv") == 'PATH="../.venv/bin:$PATH"; exec python3 -m heroku_changeover promote'
    assert shell_text(["promote"], None) == "exec python3 -m heroku_changeover promote"


def test_help_lists_every_exit_code_and_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["promote", "--help"])

    shown = capsys.readouterr().out
    words = ("\n   0 ", "\n  10 ", "\n  20 ", "\n  30 ", "\n  40 ", "HEROKU_API_KEY", "HEROKU_CHANGEOVER_DESTROY")
    assert all(word in shown for word in words)
