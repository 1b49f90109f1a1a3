"""The whole way on the real engine: what a user changes, and what has become of the app and its database."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from local_heroku.launcher import LocalHeroku

from .conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]


def test_the_first_up_adopts_the_database_and_touches_nothing(operator: Operator) -> None:
    before = operator.writes()
    operator.adopt()

    assert operator.resource("db-1-database")["id"] == operator.app["addon_id"]
    assert operator.writes() == before
    operator.up("--expect-no-changes")


def test_an_app_without_a_database_gets_a_fresh_one(
    heroku: LocalHeroku, new_name: Callable[[], str], operator_of: Callable[[dict[str, Any]], Operator]
) -> None:
    operator = operator_of(heroku.create_app(new_name(), web=0, with_database=False))
    operator.change("standard-0")

    assert heroku.primary(operator.name) == f"{operator.name}-db-1"
    operator.up("--expect-no-changes")


def test_a_changed_plan_moves_the_database_with_every_acknowledged_write(operator: Operator) -> None:
    operator.adopt()
    operator.change_while_somebody_writes()

    assert operator.is_as_found()


def test_a_second_up_changes_nothing(operator: Operator) -> None:
    operator.adopt_and_change()
    before = operator.writes()

    operator.up("--expect-no-changes")
    assert operator.writes() == before


def test_the_plan_can_be_changed_again_and_back(operator: Operator) -> None:
    operator.adopt_and_change("standard-4")
    for number, plan in ((3, "standard-2"), (4, "standard-0")):
        operator.change(plan)

        assert operator.heroku.primary(operator.name) == f"{operator.name}-db-{number}"
    assert operator.stack.outputs()["retired"] == [
        operator.app["addon"],
        f"{operator.name}-db-2",
        f"{operator.name}-db-3",
    ]
    operator.up("--expect-no-changes")


def test_hold_prepares_and_its_end_switches(operator: Operator) -> None:
    operator.config("hold", "true")
    operator.adopt_and_change("standard-2")
    held_on = operator.heroku.primary(operator.name)
    operator.up("--expect-no-changes")
    operator.config("hold", "false")
    operator.up()

    assert held_on == operator.app["addon"]
    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-2"
    assert operator.is_as_found()


def test_a_changed_mind_removes_the_follower_that_is_not_needed(operator: Operator) -> None:
    operator.config("hold", "true")
    operator.adopt_and_change("standard-2")
    operator.change("standard-0")

    assert operator.heroku.call("GET", f"/addons/{operator.name}-db-2")[0] == 404
    assert not [name for name in operator.names() if name.startswith("db-2")]
    operator.up("--expect-no-changes")


def test_a_follower_whose_create_failed_is_adopted_by_the_next_up(operator: Operator) -> None:
    addon = f"/apps/{operator.app['id']}/addons/[0-9a-f-]+"
    operator.heroku.fault("status", addon, method="GET", status=503)
    operator.adopt_and_change(code=1)
    orphan = operator.heroku.get(f"/addons/{operator.name}-db-2")["id"]
    operator.up()

    assert operator.resource("db-2-database")["id"] == orphan
    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-2"


def test_a_follower_that_heroku_cannot_provision_is_told_and_the_next_up_orders_another(operator: Operator) -> None:
    operator.heroku.patch(f"/_control/apps/{operator.name}", {"orders_to_fail": 1})
    failed = operator.adopt_and_change(code=1)
    was_as_found = operator.is_as_found()
    operator.up()

    assert "db-2-database" in str(failed)
    assert "deprovisioned" in str(failed)
    assert was_as_found
    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-3"
    operator.up("--expect-no-changes")


def test_a_step_that_failed_is_taken_up_again_by_the_next_up(operator: Operator) -> None:
    operator.heroku.fault("status", f"/client/v11/databases/{operator.name}-db-2/unfollow", method="PUT", status=422)
    failed = operator.adopt_and_change(code=1)
    was_as_found = operator.is_as_found()
    operator.up()

    assert "every app is as it was found" in str(failed)
    assert was_as_found
    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-2"
    assert operator.is_as_found()


def test_a_follower_that_somebody_destroyed_is_followed_by_one_with_a_new_number(operator: Operator) -> None:
    """The state still remembers steps under the old number, which would not run again."""
    operator.config("hold", "true")
    operator.adopt_and_change("standard-2")
    operator.heroku.delete(f"/apps/{operator.name}/addons/{operator.name}-db-2")
    operator.config("hold", "false")
    operator.up("--refresh")

    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-3"
    operator.up("--expect-no-changes")


def test_a_changeover_after_somebody_went_back_by_hand_goes_through_all_steps(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.adopt_and_change()
    name, old, new = operator.name, operator.app["addon"], f"{operator.name}-db-2"
    heroku.post("/addon-attachments", {"addon": old, "app": name, "name": "DATABASE", "confirm": name})
    heroku.delete(f"/apps/{name}/addons/{new}")
    with psycopg.connect(heroku.database_url(old), autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute(f"ALTER DATABASE {session.info.dbname} RESET default_transaction_read_only")
    operator.config("plan", "standard-0")
    operator.up("--refresh")
    operator.change("standard-2")

    assert heroku.primary(name) == f"{name}-db-3"
    assert operator.is_as_found()
    operator.up("--expect-no-changes")


def test_a_plan_that_heroku_changed_by_itself_is_taken_over(operator: Operator, heroku: LocalHeroku) -> None:
    operator.adopt()
    addon = operator.app["addon"]
    heroku.patch(f"/apps/{operator.name}/addons/{addon}", {"plan": "heroku-postgresql:standard-2"})
    status = f"/client/v11/databases/{addon}/wait_status"
    heroku.wait_until("Heroku's own upgrade", lambda: not heroku.get(status)["waiting?"])
    operator.change("standard-2")

    assert heroku.primary(operator.name) == addon
    assert operator.is_as_found()
    operator.up("--expect-no-changes")


def test_two_databases_in_one_stack_are_changed_over_side_by_side(
    heroku: LocalHeroku, operator: Operator, new_name: Callable[[], str]
) -> None:
    other = heroku.create_app(new_name(), web=1, rows=10)
    program = (
        "import pulumi\nfrom heroku_postgres import Database\nplan = pulumi.Config().require('plan')\n"
        f"Database('db', {{'app': {operator.name!r}, 'plan': plan, 'adopt': {operator.app['addon']!r}}})\n"
        f"Database('audit', {{'app': {other['name']!r}, 'plan': plan, 'adopt': {other['addon']!r}}})\n"
    )
    (operator.stack.project / "stacks" / "__main__.py").write_text(program)
    for plan in ("standard-0", "standard-2"):
        operator.change(plan)

    assert heroku.primary(operator.name) == f"{operator.name}-db-2"
    assert heroku.primary(other["name"]) == f"{other['name']}-audit-2"
    operator.up("--expect-no-changes")


def test_several_apps_move_together(heroku: LocalHeroku, operator: Operator, new_name: Callable[[], str]) -> None:
    admin = heroku.create_app(new_name(), web=1, share=operator.app["addon"])["name"]
    operator.stack.pulumi("config", "set", "--path", "apps[0]", admin, check=True)
    operator.adopt_and_change()

    assert {heroku.primary(name) for name in (operator.name, admin)} == {f"{operator.name}-db-2"}
    assert operator.is_as_found()


def test_no_secret_is_in_the_state_or_in_what_the_engine_prints(operator: Operator, heroku: LocalHeroku) -> None:
    printed = str(operator.adopt_and_change())

    stored = "".join(p.read_text(errors="replace") for p in operator.stack.backend.rglob("*") if p.is_file())
    urls = [operator.app["database_url"], heroku.database_url(f"{operator.name}-db-2")]
    secrets = [heroku.token, *(url.split(":")[2].split("@")[0] for url in urls)]
    assert not [secret for secret in secrets if secret in stored or secret in printed]


def test_the_new_database_takes_orders_and_the_old_one_refuses_them(operator: Operator, heroku: LocalHeroku) -> None:
    operator.adopt_and_change()

    with (
        psycopg.connect(operator.app["database_url"]) as old,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        old.execute("INSERT INTO orders (reference, source) VALUES ('late', 'late')")
    with psycopg.connect(heroku.database_url(f"{operator.name}-db-2")) as new:
        assert new.execute("INSERT INTO orders (reference, source) VALUES ('new', 'new')").rowcount == 1
