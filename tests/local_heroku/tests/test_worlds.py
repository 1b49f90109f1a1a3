"""What a test tells the local Heroku of the world that a case has: who types what, what stands still or is refused."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from local_heroku.launcher import LocalHeroku

ORDER = "INSERT INTO orders (reference, source) VALUES ('typed', 'person')"


def one(url: str, statement: Any) -> Any:
    with psycopg.connect(url, connect_timeout=30) as session:
        row = session.execute(statement).fetchone()
    return row[0] if row else None


def test_statements_are_typed_by_the_owner_by_a_credential_or_by_the_superuser(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    knobs = f"/_control/databases/{shop['addon']}"
    heroku.post(f"/postgres/v0/databases/{shop['addon']}/credentials", {"name": "reports"})
    for who in ("default", "reports", None):
        heroku.patch(knobs, {"statements": ["SET application_name = 'x'", "SELECT 1"], "as": who})
    heroku.patch(knobs, {"statements": [ORDER], "as": "default"})

    assert one(shop["database_url"], "SELECT count(*) FROM orders WHERE source = 'person'") == 1


def test_a_statement_of_a_credential_that_does_not_exist_is_refused(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    body = {"statements": ["SELECT 1"], "as": "nobody"}

    assert heroku.call("PATCH", f"/_control/databases/{shop['addon']}", body)[0] == 404


def test_a_server_that_stalls_answers_nothing_until_it_goes_on(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    knobs = f"/_control/databases/{shop['addon']}"
    with psycopg.connect(shop["database_url"], autocommit=True) as session:
        heroku.patch(knobs, {"stall": True})
        try:
            with pytest.raises(psycopg.OperationalError):
                psycopg.connect(shop["database_url"], connect_timeout=2).close()
        finally:
            heroku.patch(knobs, {"stall": False})

        assert session.execute("SELECT 1").fetchone() == (1,)


def test_settings_of_a_server_hold_from_its_next_start_on_which_comes_at_once(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    heroku.patch(f"/_control/databases/{shop['addon']}", {"settings": {"max_locks_per_transaction": 20}})

    assert one(heroku.database_url(shop["addon"]), "SHOW max_locks_per_transaction") == "20"


def test_a_fault_can_hit_one_name_and_leave_the_others(
    heroku: LocalHeroku, shop: dict[str, Any], new_name: Callable[[], str]
) -> None:
    heroku.fault("status", "/addon-attachments", method="POST", body='"READONLY"', status=422, times=10)
    named = {"addon": shop["addon"], "app": shop["name"]}

    assert heroku.call("POST", "/addon-attachments", {**named, "name": "READONLY"})[0] == 422
    assert heroku.call("POST", "/addon-attachments", {**named, "name": "OTHER"})[0] == 201
