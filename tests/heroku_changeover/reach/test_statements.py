"""No statement outlasts the budget, on a real server."""

import time
from typing import Any

import pytest

from heroku_changeover.reach.postgres.port import Postgres
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import ChangeoverError
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
SLACK = 5.0


def slept(sql: Postgres, url: str) -> float:
    """How many seconds a statement took that would take twenty."""
    began = time.monotonic()
    with sql.session("db-1", url) as session:
        session.do("SELECT pg_sleep(20)")
    return time.monotonic() - began


@pytest.mark.parametrize("asked_to_end", [False, True], ids=["the budget is spent", "somebody asks to end"])
def test_a_statement_ends_in_time(heroku: LocalHeroku, shop: dict[str, Any], asked_to_end: bool) -> None:
    clock, began = Clock(), time.monotonic()
    ends = clock.now() + (600 if asked_to_end else 1)
    limited = clock.within(lambda: ends)._replace(is_ending=lambda: asked_to_end and time.monotonic() - began > 1)

    with pytest.raises(ChangeoverError, match="db-1"):
        slept(Postgres(limited, print), heroku.database_url(shop["addon"]))

    assert time.monotonic() - began < 1 + SLACK


def test_a_statement_of_work_that_has_to_be_done_goes_on(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    sql = Postgres(Clock(ends=lambda: 0.0, is_ending=lambda: True), print)
    with sql.undisturbed().session("db-1", heroku.database_url(shop["addon"])) as session:
        session.do("SELECT pg_sleep(1)")

        assert session.is_alive()
