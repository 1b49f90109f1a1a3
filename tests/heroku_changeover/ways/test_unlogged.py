"""Tables whose rows are in no log, and so on no follower."""

import psycopg
import pytest

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


def _make(heroku: LocalHeroku, operator: Operator, *fill: str) -> None:
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        for statement in ('CREATE UNLOGGED TABLE "50% carts" (id int)', *fill):
            session.execute(statement.encode())
