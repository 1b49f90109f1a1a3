"""The command line of a step: written by one side, read by the other."""

import shlex
import subprocess
from pathlib import Path

import pytest

from heroku_changeover.__main__ import parser
from heroku_changeover.terms.command import (
    guard_arguments,
    open_urn,
    order_from,
    shell_text,
    step_arguments,
    teardown_text,
)
from heroku_changeover.terms.order import STEPS, Order

APP, DATABASE = "01234567-89ab-cdef-0123-456789abcdef", "fedcba98-7654-3210-fedc-ba9876543210"
ORDERS = [
    Order("db-2", ("shop",), "postgresql-round-12345", "shop-db-2"),
    Order("db-7", ("shop", "shop-admin"), "shop-db-6", "shop-db-7", budget=120, one_off_dynos="stop", verify="api"),
    Order("db-2", ("shop",), "a", "b", ready_limit=60),
    Order("db-2", ("shop",), "a", "b", unlogged_rows="discard"),
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
    for only_prove in (False, True):
        options = parser().parse_args(guard_arguments(APP, DATABASE, "shop-db-1", only_prove=only_prove))

        read = (options.app_id, options.database_id, options.database, options.only_prove)
        assert read == (APP, DATABASE, "shop-db-1", only_prove)


def test_the_text_looks_for_the_program_in_its_folder_first_and_then_on_path() -> None:
    assert shell_text(["promote"], "../.venv/bin") == 'PATH="../.venv/bin:$PATH"; exec heroku-changeover promote'


def test_a_guard_says_what_to_install_on_a_machine_that_has_no_such_program(tmp_path: Path) -> None:
    text = shell_text(guard_arguments(APP, DATABASE, "shop-db-1"), str(tmp_path))

    asked = subprocess.run(
        ["/bin/sh", "-c", text], env={"PATH": str(tmp_path)}, capture_output=True, text=True, check=False
    )

    assert asked.returncode == 127
    assert asked.stderr.splitlines()[0] == (
        "heroku-changeover is not on this machine: install the package heroku-postgres, with its programs on PATH"
    )


def test_the_command_that_removes_a_generation_names_each_of_its_resources_and_nothing_else() -> None:
    types = "own:index:Team$heroku-postgres:index:Database$heroku-postgres:index:Generation"

    urn = f"urn:pulumi:production::shop::{types}::db-2"
    words = shlex.split(teardown_text(urn, ["await-database"], "shop-db-2"))

    assert words == shlex.split(teardown_text(open_urn(urn), ["await-database"], "shop-db-2"))
    assert words[-2:] == ["--message", "remove shop-db-2"]
    targets = words[3:-2:2]
    of = f"urn:pulumi:*::*::{types}"
    assert targets == [
        f"{of}::db-2",
        f"{of}$heroku:addon/addon:Addon::db-2-database",
        f"{of}$command:local:Command::db-2-retire-guard",
        f"{of}$command:local:Command::db-2-await-database",
    ]


def test_help_lists_every_exit_code_and_every_variable(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parser().parse_args(["promote", "--help"])

    shown = capsys.readouterr().out
    words = ("\n   0 ", "\n  10 ", "\n  20 ", "\n  30 ", "\n  40 ", "HEROKU_API_KEY")
    variables = ("HEROKU_CHANGEOVER_RETIRE", "HEROKU_CHANGEOVER_DESTROY")
    assert all(word in shown for word in (*words, *variables))
