"""What a reviewer sees in a pull request: the runbook, the findings, and readable errors; and that nothing happens."""

from typing import Any

import pytest

from heroku_changeover.terms.order import STEPS
from local_heroku.launcher import LocalHeroku

from .conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


@pytest.fixture
def adopted(operator: Operator) -> Operator:
    """An operator who has adopted the database and has changed the plan in config, no more."""
    operator.adopt()
    operator.config("plan", "standard-2")
    return operator


def test_a_changed_plan_is_shown_as_a_runbook_in_order(adopted: Operator) -> None:
    shown = adopted.preview().stdout

    rows = [shown.index(f"db-2-{step} create") for step in STEPS]
    sentences = [shown.index(f". {step}:") for step in STEPS]
    assert rows == sorted(rows)
    assert sentences == sorted(sentences)


def test_the_runbook_says_which_databases_and_apps_and_what_stays_and_how_it_goes(adopted: Operator) -> None:
    shown = adopted.preview().stdout

    assert f"moves from {adopted.app['addon']} (standard-0) to {adopted.name}-db-2 (standard-2)" in shown
    assert f"maintenance mode for {adopted.name}" in shown
    assert f"{adopted.app['addon']} stays, read-only and paid for" in shown
    assert "pulumi destroy --target 'urn:" in shown


def test_a_preview_changes_nothing(adopted: Operator) -> None:
    before = adopted.writes()
    adopted.preview()

    assert adopted.writes() == before
    assert adopted.is_as_found()


@pytest.mark.parametrize(
    ("knobs", "id_"),
    [
        ({"generation": "fir"}, "fir-generation"),
        ({"rows": {"Fork/Follow": ["Temporarily Unavailable"]}}, "fork-follow-unavailable"),
        ({"maintenance": {"status": "running"}}, "heroku-maintenance-running"),
        ({"rows": {"Data Size": ["900 GB / 64 GB"]}}, "target-too-small"),
    ],
)
def test_a_finding_that_is_an_error_fails_the_preview_and_starts_nothing(
    adopted: Operator, heroku: LocalHeroku, knobs: dict[str, Any], id_: str
) -> None:
    place = f"apps/{adopted.name}" if "generation" in knobs else f"databases/{adopted.app['addon']}"
    heroku.patch(f"/_control/{place}", knobs)
    before = adopted.writes()

    shown = str(adopted.preview(code=1))
    adopted.up(code=1)

    assert f"[{id_}]" in shown
    assert "Traceback" not in shown
    assert adopted.writes() == before


def test_a_database_that_is_not_adopted_fails_with_the_line_that_adopts_it(operator: Operator) -> None:
    operator.config("plan", "standard-0")

    shown = str(operator.preview(code=1))

    assert f"pulumi config set adopt {operator.app['addon']}" in shown


def test_a_token_without_rights_on_an_app_fails_the_preview(adopted: Operator, heroku: LocalHeroku) -> None:
    adopted.stack.pulumi("config", "set", "--path", "apps[0]", "somebody-elses", check=True)

    shown = str(adopted.preview(code=1))

    assert "[app-unreadable] app somebody-elses" in shown


@pytest.mark.parametrize(
    ("key", "value", "line"),
    [
        ("plan", "standard-99", "Heroku Postgres has no plan standard-99"),
        ("plan", "Standard 2", "plan: 'Standard 2' is not of the form standard-2"),
        ("windowBudget", "0", "window_budget (windowBudget): 0 is not between 1 and 3600 seconds"),
        ("windowBudget", "soon", "configuration key 'windowBudget' must be of type 'integer'"),
        ("windowBudget", "", "configuration key 'windowBudget' must be of type 'integer'"),
        ("oneOffDynos", "kill", "one_off_dynos (oneOffDynos): 'kill' is not one of wait, stop"),
        ("hold", "perhaps", "configuration key 'hold' must be of type 'boolean'"),
        ("apps", "admin", "configuration key 'apps' must be of type 'array<string>'"),
        ("app", "", "app: '' is not of the form shop"),
        ("plan", "", "plan: '' is not of the form standard-2"),
        ("oneOffDynos", "", "one_off_dynos (oneOffDynos): '' is not one of wait, stop"),
        ("verify", "no", "verify: 'no' is not one of sql, api"),
    ],
)
def test_a_config_value_that_is_wrong_is_one_readable_line(adopted: Operator, key: str, value: str, line: str) -> None:
    adopted.config(key, value)

    shown = str(adopted.preview(code=1))

    assert len([said for said in shown.splitlines() if line in said]) == 1, shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("key", ["app", "plan"])
def test_a_config_value_that_is_missing_is_one_readable_line(adopted: Operator, key: str) -> None:
    adopted.stack.pulumi("config", "rm", key, check=True)

    shown = adopted.preview(code=1)

    assert shown.stderr.splitlines() == [
        f"error: validating stack config: Stack 'test' is missing configuration value '{key}'"
    ]


def test_a_config_key_that_does_not_exist_is_refused_and_those_that_do_are_named(adopted: Operator) -> None:
    adopted.config("windowBudgett", "3")

    shown = str(adopted.preview(code=1))

    keys = "adopt, app, apps, hold, oneOffDynos, plan, readyLimit, unloggedRows, verify, windowBudget"
    assert f"config windowBudgett: there is no such key; there are {keys}" in shown
    assert "Traceback" not in shown
