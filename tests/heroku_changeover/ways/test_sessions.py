"""A whole changeover where somebody has set something, somewhere; and what is told where no session can be had."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import psycopg
import pytest

from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps

SET = {
    "datestyle": "'SQL, DMY'",
    "default_transaction_isolation": "serializable",
    "idle_session_timeout": "'1s'",
    "transaction_timeout": "'2s'",
    "statement_timeout": "'2s'",
    "search_path": "public, evil, pg_catalog",
}
"""What a team may well have set for its database, and its app lives with."""

LIBPQ = {
    "PGHOSTADDR": "127.0.0.2",
    "PGOPTIONS": "-c default_transaction_read_only=on",
    "PGTARGETSESSIONATTRS": "read-only",
    "PGSERVICE": "nothing",
    "PGDATESTYLE": "nonsense",
    "PGSSLMODE": "verify-full",
}


def test_a_changeover_does_its_work_whatever_is_set_for_role_and_database(
    operator: Operator, heroku: LocalHeroku
) -> None:
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as owner:
        owner.execute("CREATE SCHEMA evil; CREATE TABLE evil.pg_stat_activity (); CREATE TABLE public.pg_locks ()")
        for name, value in SET.items():
            owner.execute(f"ALTER DATABASE {owner.info.dbname} SET {name} = {value}".encode())
        owner.execute(f"ALTER ROLE {owner.info.user} SET default_transaction_deferrable = on".encode())
    operator.run_until("restore")

    assert heroku.primary(operator.apps[0]) == operator.follower
    assert operator.facts["tripwire_before"] == operator.facts["tripwire_after"]


def test_a_changeover_does_its_work_whatever_is_in_the_environment_and_the_home(
    operator: Operator, heroku: LocalHeroku, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, value in LIBPQ.items():
        monkeypatch.setenv(name, value)
    (tmp_path / ".postgresql").mkdir()
    (tmp_path / ".postgresql" / "root.crt").write_text("nonsense")
    monkeypatch.setenv("HOME", str(tmp_path))
    operator.run_until("restore")

    assert heroku.primary(operator.apps[0]) == operator.follower


def test_a_database_that_refuses_every_command_of_its_owners_goes_through_a_changeover(
    operator: Operator, heroku: LocalHeroku
) -> None:
    heroku.administer(
        operator.leader,
        "CREATE FUNCTION public.no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no DDL here'; END $$",
        "CREATE EVENT TRIGGER no_ddl ON ddl_command_start EXECUTE FUNCTION public.no_ddl()",
    )
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as owner:
        owner.execute(f"REVOKE TEMPORARY ON DATABASE {owner.info.dbname} FROM PUBLIC, {owner.info.user}".encode())
    operator.run_until("restore")

    assert heroku.primary(operator.apps[0]) == operator.follower


def test_a_role_that_was_set_read_only_is_refused_with_what_takes_that_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as owner:
        owner.execute(f"ALTER ROLE {owner.info.user} SET default_transaction_read_only = on".encode())
        code, said = operator.run("await-database")

        assert code == 30, said
        assert f"ALTER ROLE {owner.info.user} RESET default_transaction_read_only" in said
    assert operator.is_as_found()


def test_a_database_without_a_free_connection_is_refused_before_the_window_in_words_of_its_own(
    operator: Operator, heroku: LocalHeroku
) -> None:
    with taken(heroku, operator.leader, but=1):
        code, said = operator.run("await-database")

    assert code == 30, said
    assert "has no connection left" in said
    assert "two connections" in said
    assert "verify: api" not in said
    assert operator.is_as_found()


def test_a_database_whose_connections_are_taken_in_the_window_is_put_back_and_says_why(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.extra = ("--budget", "20")
    operator.run_until("scale-down")
    with taken(heroku, operator.leader, but=0):
        code, said = operator.run("promote")

    assert code == 10, said
    assert "has no connection left" in said
    assert "every app is as it was found" in said
    assert operator.is_as_found()


@contextmanager
def taken(heroku: LocalHeroku, database: str, *, but: int) -> Iterator[None]:
    """Somebody outside the apps holds every connection that the role may have, but for some."""
    url = heroku.database_url(database)
    with ExitStack() as held:
        role = held.enter_context(psycopg.connect(url, autocommit=True)).info.user
        rows = "SELECT count(*) FROM pg_stat_activity WHERE usename = %s"
        with psycopg.connect(url) as session:
            ((count,),) = session.execute(rows, [role]).fetchall()
        heroku.administer(database, f"ALTER ROLE {role} CONNECTION LIMIT {int(count) + 1}")
        held.callback(heroku.administer, database, f"ALTER ROLE {role} CONNECTION LIMIT -1")
        with suppress(psycopg.OperationalError):
            while True:
                last = held.enter_context(psycopg.connect(url))
        for _ in range(but):
            last.close()
        yield
