"""Tables whose rows are in no log, and so on no follower."""

from collections.abc import Callable

import psycopg
import pytest

from heroku_changeover.reach.postgres.server import open_server
from heroku_changeover.terms.report import report_from
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps


def test_an_unlogged_table_with_rows_is_refused_before_anything_changes(
    operator: Operator, heroku: LocalHeroku
) -> None:
    _make(heroku, operator, 'INSERT INTO "50% carts" VALUES (1)')

    code, said = operator.run("await-database")

    assert code == 30, said
    assert "carts" in said
    assert "SET LOGGED" in said
    assert operator.is_as_found()


def test_rows_that_an_unlogged_table_got_since_are_refused_right_before_the_window(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("await-database")
    _make(heroku, operator, 'INSERT INTO "50% carts" VALUES (1)')

    code, said = operator.run("maintenance-on")

    assert code == 30, said
    assert "carts" in said
    assert operator.is_as_found()


def test_an_empty_unlogged_table_loses_nothing_and_is_moved(operator: Operator, heroku: LocalHeroku) -> None:
    _make(heroku, operator)
    operator.run_until("restore")

    assert heroku.primary(operator.apps[0]) == operator.follower


def test_rows_that_came_up_after_the_last_look_are_found_behind_the_fence(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    _make(heroku, operator, 'INSERT INTO "50% carts" SELECT generate_series(1, 40)')

    code, said = operator.run("promote")

    assert code == 10, said
    assert 'public."50% carts"' in said
    assert "SET LOGGED" in said
    assert operator.is_as_found()


def test_the_advice_to_empty_the_table_works(operator: Operator, heroku: LocalHeroku) -> None:
    _make(heroku, operator, 'INSERT INTO "50% carts" VALUES (1)')
    assert operator.run("await-database")[0] == 30
    _run(heroku, operator, 'TRUNCATE "50% carts"')

    assert operator.run("await-database")[0] == 0


def test_the_advice_to_make_it_a_logged_one_works(operator: Operator, heroku: LocalHeroku) -> None:
    _make(heroku, operator, 'INSERT INTO "50% carts" VALUES (1)')
    assert operator.run("await-database")[0] == 30
    _run(heroku, operator, 'ALTER TABLE "50% carts" SET LOGGED')

    assert operator.run("await-database")[0] == 0


def test_rows_that_the_user_lets_go_are_named_in_the_report_and_in_nobodys_way(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.extra = ("--unlogged-rows", "discard")
    _make(heroku, operator, 'INSERT INTO "50% carts" SELECT generate_series(1, 40)')
    operator.run_until("restore")

    assert heroku.primary(operator.apps[0]) == operator.follower
    assert operator.facts["rows_discarded"] == ['public."50% carts"']
    assert 'without the rows of: public."50% carts"' in report_from(operator.facts).sentence()


@pytest.mark.parametrize(
    ("made", "found"),
    [
        (["CREATE UNLOGGED TABLE t (id int)", "INSERT INTO t VALUES (1)"], ["public.t"]),
        (["CREATE UNLOGGED TABLE t (id int)", "INSERT INTO t VALUES (1)", "DELETE FROM t"], []),
        (["CREATE UNLOGGED TABLE t (id int)", "INSERT INTO t VALUES (1)", "DELETE FROM t", "VACUUM t"], []),
        (
            [
                "CREATE UNLOGGED TABLE t (id int)",
                "INSERT INTO t VALUES (1)",
                "ALTER TABLE t ENABLE ROW LEVEL SECURITY",
                "ALTER TABLE t FORCE ROW LEVEL SECURITY",
            ],
            ["public.t"],
        ),
        (
            [
                "CREATE UNLOGGED TABLE t (id int)",
                "INSERT INTO t VALUES (1)",
                "DO $$ BEGIN EXECUTE format('REVOKE ALL ON t FROM %I', current_user); END $$",
            ],
            ["public.t"],
        ),
        (
            [
                "CREATE TABLE p (id int) PARTITION BY LIST (id)",
                "CREATE UNLOGGED TABLE p1 PARTITION OF p FOR VALUES IN (1)",
                "INSERT INTO p VALUES (1)",
            ],
            ["public.p1"],
        ),
        (["CREATE UNLOGGED SEQUENCE s", "SELECT nextval('s')"], ["sequence public.s"]),
        (["CREATE UNLOGGED SEQUENCE s", "SELECT setval('s', 7, false)"], ["sequence public.s"]),
        (["CREATE UNLOGGED SEQUENCE s"], []),
        (["CREATE UNLOGGED TABLE t (id serial)", "INSERT INTO t DEFAULT VALUES", "TRUNCATE t"], []),
    ],
    ids=["rows", "deleted", "vacuumed", "hidden rows", "no right", "partition", "numbers", "set", "new", "its numbers"],
)
def test_what_a_follower_lacks_is_found_and_nothing_else(
    heroku: LocalHeroku, new_name: Callable[[], str], made: list[str], found: list[str]
) -> None:
    app = heroku.create_app(new_name())
    with psycopg.connect(app["database_url"], autocommit=True) as session:
        for statement in made:
            session.execute(statement.encode())

    with open_server(app["addon"], app["database_url"]) as server:
        assert server.unlogged_with_rows() == found


def _make(heroku: LocalHeroku, operator: Operator, *fill: str) -> None:
    _run(heroku, operator, 'CREATE UNLOGGED TABLE "50% carts" (id int)', *fill)


def _run(heroku: LocalHeroku, operator: Operator, *statements: str) -> None:
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())
