"""A follower that was cut off is not promoted once an app may have written to its leader again."""

from collections.abc import Callable

import psycopg
import pytest

from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps


def test_without_sql_a_leader_that_serves_again_is_not_left_for_a_database_that_was_cut_off(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.extra = ("--verify", "api")
    operator.run_until("scale-down")
    operator.break_the_move()
    assert operator.run("promote")[0] == 20
    _bring_up(heroku, operator.apps[0])
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as app:
        app.execute("INSERT INTO orders (reference, source) VALUES ('late', 'app')")

    code, said = operator.run("promote")

    assert code == 40, said
    assert "To start over" in said
    assert heroku.primary(operator.apps[0]) == operator.leader
    assert heroku.quantities(operator.apps[0])["web"] == 2
    assert not operator.app()["maintenance"]


def test_without_sql_apps_that_stayed_down_go_on_to_the_database_that_was_cut_off(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.extra = ("--verify", "api")
    operator.run_until("scale-down")
    operator.break_the_move()
    assert operator.run("promote")[0] == 20

    code, said = operator.run("promote")

    assert code == 0, said
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_without_sql_a_worker_that_is_scaled_up_before_the_unfollow_puts_everything_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    """What it wrote was acknowledged, and was on no database that was left in use."""
    operator.extra = ("--verify", "api")
    operator.run_until("scale-down")
    promote = operator.start("promote")
    operator.read_until(promote, "0 commits behind")
    heroku.patch(f"/apps/{operator.apps[0]}/formation/worker", {"quantity": 1})

    code, said = operator.finish(promote)

    assert code == 30, said
    assert f"app {operator.apps[0]} was brought up again inside the window" in said
    assert operator.is_as_found()
    assert heroku.get(f"/client/v11/databases/{operator.follower}")["following"]


def test_apps_that_serve_on_either_database_go_on_serving_when_nothing_is_proved(
    heroku: LocalHeroku, operator: Operator, new_name: Callable[[], str]
) -> None:
    admin = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    operator.apps = (operator.apps[0], admin)
    operator.run_until("scale-down")
    operator.break_the_move()
    heroku.fault("status", "/addon-attachments", method="POST", times=20)  # for the second app as well
    assert operator.run("promote")[0] == 20
    _attach(heroku, operator.apps[0], operator.follower)
    for name in operator.apps:
        _bring_up(heroku, name)
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as app:
        app.execute("SET default_transaction_read_only = off")
        app.execute("INSERT INTO orders (reference, source) VALUES ('late', 'app')")
    code, said = operator.run("promote")

    assert code == 40, said
    assert "already uses" in said
    assert "go on serving" in said
    assert not [name for name in operator.apps if heroku.get(f"/apps/{name}")["maintenance"]]
    assert all(heroku.quantities(name)["web"] for name in operator.apps)


def _bring_up(heroku: LocalHeroku, name: str) -> None:
    """What a person does who wants the app to serve, wherever its database is."""
    heroku.patch(f"/apps/{name}/formation/web", {"quantity": 2})
    heroku.patch(f"/apps/{name}", {"maintenance": False})


def _attach(heroku: LocalHeroku, name: str, addon: str) -> None:
    heroku.clear_faults()
    heroku.post("/addon-attachments", {"addon": addon, "app": name, "name": "DATABASE", "confirm": name})


def test_a_target_that_was_cut_off_by_hand_is_found_out_at_once_although_heroku_says_that_it_follows(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    with psycopg.connect(heroku.database_url(operator.leader)) as session:
        session.execute("INSERT INTO orders (reference, source) VALUES ('late', 'late')")
    heroku.administer(operator.follower, "SELECT pg_promote()")
    code, said = operator.run("promote")

    assert code == 40, said
    assert "takes writes already, whatever Heroku says" in said
    assert "To start over" in said
    assert operator.is_as_found()
