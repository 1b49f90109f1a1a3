"""Taking the old database away, and everything that must not go by accident."""

import shlex

import psycopg
import pytest

from .conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


@pytest.fixture
def moved(operator: Operator) -> Operator:
    """An operator whose database has moved to standard-2; the old one is still there."""
    operator.adopt_and_change()
    return operator


def teardown(operator: Operator) -> tuple[str, ...]:
    (command,) = operator.stack.outputs()["teardown"]
    return (*shlex.split(command)[1:], "--yes", "--skip-preview")


def is_there(operator: Operator, addon: str) -> bool:
    return operator.heroku.call("GET", f"/addons/{addon}")[0] == 200


def test_the_printed_command_removes_the_old_database_and_nothing_else(moved: Operator) -> None:
    kept = [name for name in moved.names() if not name.startswith("db-1")]
    moved.run(*teardown(moved))

    assert not is_there(moved, moved.app["addon"])
    assert moved.names() == kept
    moved.up("--expect-no-changes")


def test_a_database_that_somebody_uses_is_not_removed(moved: Operator) -> None:
    with psycopg.connect(moved.app["database_url"]):
        refused = str(moved.run(*teardown(moved), code=1))

    assert "1 open sessions of role" in refused
    assert is_there(moved, moved.app["addon"])
    moved.up("--expect-no-changes")


def test_a_plain_destroy_is_refused_and_both_databases_stay(moved: Operator) -> None:
    moved.up()
    moved.run("destroy", "--yes", "--skip-preview", code=1)

    assert is_there(moved, moved.app["addon"])
    assert is_there(moved, f"{moved.name}-db-2")
    assert moved.heroku.primary(moved.name) == f"{moved.name}-db-2"


def test_a_destroy_right_after_a_changeover_leaves_both_databases(moved: Operator) -> None:
    moved.run("destroy", "--exclude-protected", "--yes", "--skip-preview", code=1)

    assert is_there(moved, moved.app["addon"])
    assert is_there(moved, f"{moved.name}-db-2")


def test_steps_that_were_lost_from_the_state_do_nothing_when_they_run_again(moved: Operator) -> None:
    guard = moved.resource("db-2-retire-guard")["urn"]
    moved.run("state", "delete", guard, "--force", "--yes", "--target-dependents")
    lost = [name for name in moved.names() if name.startswith("db-2-")]
    before = moved.writes()
    moved.up()

    assert lost == ["db-2-database"]
    assert moved.writes() == before
    assert moved.is_as_found()


def test_the_primary_never_goes_by_pulumi_whatever_is_typed(moved: Operator) -> None:
    addon = f"{moved.name}-db-2"
    moved.run(*teardown(moved))
    words = ("destroy", "--target", "**db-2**", "--target-dependents", "--yes", "--skip-preview")
    typed = {"HEROKU_CHANGEOVER_DESTROY": addon, "HEROKU_CHANGEOVER_RETIRE": addon}
    refused = moved.stack.pulumi(*words, env=typed)

    assert refused.code != 0
    assert "it is DATABASE of app" in str(refused)
    assert f"`heroku addons:destroy {addon} --app {moved.name}`" in str(refused)
    assert is_there(moved, addon)
    moved.up()
    moved.up("--expect-no-changes")


def test_a_stack_whose_database_was_destroyed_on_heroku_can_be_destroyed(moved: Operator) -> None:
    moved.up()
    moved.run(*teardown(moved))
    moved.heroku.delete(f"/apps/{moved.name}/addons/{moved.name}-db-2")
    moved.run("destroy", "--refresh", "--yes", "--skip-preview")

    assert moved.names() == []


def test_a_database_that_was_destroyed_on_heroku_is_made_anew_and_empty_and_said(moved: Operator) -> None:
    moved.up()
    moved.run(*teardown(moved))
    moved.heroku.delete(f"/apps/{moved.name}/addons/{moved.name}-db-2")
    made = moved.up("--refresh")

    assert "[primary-gone]" in str(made)
    assert moved.heroku.primary(moved.name) == f"{moved.name}-db-3"
    moved.up("--expect-no-changes")
