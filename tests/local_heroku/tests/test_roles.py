"""What the roles of a database may do, as Heroku documents it, and what a test can have otherwise."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from local_heroku.launcher import LocalHeroku

MEMBER = "SELECT rolname FROM pg_roles WHERE rolname LIKE 'pg\\_%' AND pg_has_role(oid, 'MEMBER')"


def ask(url: str, statement: str) -> list[Any]:
    with psycopg.connect(url, autocommit=True) as session:
        cursor = session.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def test_the_default_credential_may_see_all_and_end_everybody_but_superusers(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    roles = {name for (name,) in ask(shop["database_url"], MEMBER)}

    assert {"pg_monitor", "pg_read_all_settings", "pg_read_all_stats", "pg_signal_backend"} <= roles


def test_on_a_shared_server_it_only_owns_its_database(heroku: LocalHeroku, new_name: Callable[[], str]) -> None:
    app = heroku.create_app(new_name(), plan="essential-0")

    assert {name for (name,) in ask(app["database_url"], MEMBER)} == {"pg_database_owner"}


def test_a_new_credential_may_sign_in_and_nothing_else_until_it_is_granted_more(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    row = heroku.post(f"/postgres/v0/databases/{shop['addon']}/credentials", {"name": "reports"})
    secret = row["credentials"][0]
    theirs = psycopg.conninfo.make_conninfo(shop["database_url"], user="reports", password=secret["password"])

    assert ask(theirs, "SELECT current_user") == [("reports",)]
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        ask(theirs, "TABLE public.orders")
    ask(shop["database_url"], "GRANT USAGE ON SCHEMA public TO reports; GRANT SELECT ON orders TO reports")
    ask(theirs, "TABLE public.orders")


def test_the_default_credential_may_end_the_sessions_of_another_one(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    with psycopg.connect(heroku.credential(shop["addon"], "reports"), autocommit=True) as theirs:
        ask(shop["database_url"], f"SELECT pg_terminate_backend({theirs.info.backend_pid})")

        with pytest.raises(psycopg.OperationalError):
            theirs.execute("SELECT 1")


@pytest.mark.parametrize(
    ("rights", "may"), [("none", (False, False)), ("read", (True, False)), ("write", (True, True))]
)
def test_a_test_can_have_a_credential_with_the_rights_that_it_needs(
    heroku: LocalHeroku, shop: dict[str, Any], rights: str, may: tuple[bool, bool]
) -> None:
    heroku.credential(shop["addon"], "reports", rights)
    ask(shop["database_url"], "CREATE TABLE later (id int)")

    asked = "SELECT bool_and(has_table_privilege('reports', t, p)) FROM unnest(ARRAY['orders', 'later']) t,"
    asked += " unnest(ARRAY['SELECT', 'INSERT']) WITH ORDINALITY AS rights(p, n) GROUP BY n ORDER BY n"
    assert tuple(answer for (answer,) in ask(shop["database_url"], asked)) == may


def test_an_app_can_have_its_database_through_a_credential_alone(
    heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    name = new_name()
    heroku.create_app(name, web=1, rows=3, credential="limited")

    url = heroku.get(f"/apps/{name}/config-vars")["DATABASE_URL"]
    (attachment,) = heroku.get(f"/apps/{name}/addon-attachments")
    assert attachment["namespace"] == "credential:limited"
    assert ask(url, "SELECT current_user::text, count(*)::int FROM orders") == [("limited", 3)]


def test_a_database_can_have_other_settings_and_what_only_a_superuser_can_make(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    heroku.patch(f"/_control/databases/{shop['addon']}", {"settings": {"max_prepared_transactions": "5"}})
    heroku.administer(shop["addon"], "CREATE TABLE theirs (id int)")

    assert ask(shop["database_url"], "SHOW max_prepared_transactions") == [("5",)]
    assert ask(shop["database_url"], "SELECT tableowner FROM pg_tables WHERE tablename = 'theirs'") == [("postgres",)]
