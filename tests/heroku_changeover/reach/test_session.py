"""A session is ours alone: what somebody set, somewhere, changes nothing of what it does, and its errors are ours."""

import os
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import LiteralString

import psycopg
import psycopg.conninfo
import pytest
from psycopg.conninfo import conninfo_to_dict

from heroku_changeover.reach.postgres.connecting import conninfo
from heroku_changeover.reach.postgres.fence import Fence
from heroku_changeover.reach.postgres.lineage import standing
from heroku_changeover.reach.postgres.port import Postgres
from heroku_changeover.reach.postgres.server import Server, open_server
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import SqlRefused, SqlUnreachable
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps

HOSTILE = {
    "datestyle": "'SQL, DMY'",
    "intervalstyle": "'iso_8601'",
    "timezone": "'Asia/Kathmandu'",
    "client_encoding": "'LATIN1'",
    "search_path": "evil, pg_catalog, public",
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "statement_timeout": "'50ms'",
    "lock_timeout": "'50ms'",
    "idle_in_transaction_session_timeout": "'300ms'",
    "idle_session_timeout": "'300ms'",
    "transaction_timeout": "'300ms'",
    "client_connection_check_interval": "'1ms'",
    "synchronous_commit": "off",
    "standard_conforming_strings": "off",
    "bytea_output": "escape",
    "row_security": "off",
    "tcp_keepalives_idle": "7200",
    "tcp_user_timeout": "0",
    "application_name": "'evil'",
    "quote_all_identifiers": "on",
}
"""What an owner may set for everybody's sessions, and what would change ours."""

LIBPQ = {
    "PGHOST": "nowhere",
    "PGHOSTADDR": "127.0.0.2",
    "PGPORT": "1",
    "PGOPTIONS": "-c default_transaction_read_only=on -c search_path=evil",
    "PGTARGETSESSIONATTRS": "standby",
    "PGSERVICE": "nothing",
    "PGSERVICEFILE": "/nowhere",
    "PGSSLMODE": "verify-full",
    "PGSSLROOTCERT": "system",
    "PGSSLNEGOTIATION": "direct",
    "PGREQUIREAUTH": "none",
    "PGCHANNELBINDING": "require",
    "PGGSSENCMODE": "require",
    "PGLOADBALANCEHOSTS": "random",
    "PGCONNECT_TIMEOUT": "never",
    "PGDATESTYLE": "nonsense",
    "PGTZ": "nonsense",
    "PGCLIENTENCODING": "EUC_JIS_2004",
    "PGMINPROTOCOLVERSION": "nonsense",
    "PGAPPNAME": "evil",
    "PGREQUIREPEER": "nobody",
}


@pytest.fixture
def owner(heroku: LocalHeroku, leader: str) -> Iterator["psycopg.Connection[tuple[object, ...]]"]:
    """The app's own role, as the app has it; its settings, and those of the database, are gone afterwards."""
    with psycopg.connect(heroku.database_url(leader), autocommit=True) as session:
        yield session
        role, database = session.info.user, session.info.dbname
        heroku.administer(
            leader,
            f"ALTER ROLE {role} RESET ALL",
            f"ALTER ROLE {role} IN DATABASE {database} RESET ALL",
            f"ALTER DATABASE {database} RESET ALL",
            f"ALTER DATABASE {database} CONNECTION LIMIT -1",
            f"ALTER ROLE {role} CONNECTION LIMIT -1",
            "DROP EVENT TRIGGER IF EXISTS no_ddl",
        )


Owner = psycopg.Connection[tuple[object, ...]]


def scopes(owner: Owner) -> list[str]:
    role, database = owner.info.user, owner.info.dbname
    return [f"ROLE {role}", f"DATABASE {database}", f"ROLE {role} IN DATABASE {database}"]


@pytest.mark.parametrize("scope", range(3), ids=["role", "database", "role in database"])
def test_no_setting_of_a_role_or_a_database_reaches_a_session_of_ours(
    heroku: LocalHeroku, leader: str, owner: Owner, scope: int
) -> None:
    with open_server(leader, heroku.database_url(leader)) as session:
        before = settings(session)
    for name, value in HOSTILE.items():
        owner.execute(f"ALTER {scopes(owner)[scope]} SET {name} = {value}".encode())
    with open_server(leader, heroku.database_url(leader)) as session:
        after = settings(session)

    assert after == before
    assert after["idle_session_timeout"] == after["transaction_timeout"] == "0"
    assert after["search_path"].startswith("pg_catalog")


def settings(session: Server) -> dict[str, str]:
    rows = session.rows("SELECT name, setting FROM pg_settings")
    return {str(name): str(value) for name, value in rows}


def test_a_session_stays_itself_where_its_role_is_set_to_become_another(
    heroku: LocalHeroku, leader: str, owner: Owner
) -> None:
    heroku.administer(leader, "CREATE ROLE somebody", f"GRANT somebody TO {owner.info.user}")
    owner.execute(f"ALTER ROLE {owner.info.user} SET role = somebody".encode())
    with open_server(leader, heroku.database_url(leader)) as session:
        assert session.row("SELECT current_user::text") == (owner.info.user,)
        assert session.owns_the_database()


def test_what_a_schema_of_the_users_calls_pg_stat_activity_is_not_asked(
    heroku: LocalHeroku, leader: str, owner: Owner
) -> None:
    owner.execute("CREATE SCHEMA evil")
    for name in ("pg_stat_activity", "pg_locks", "pg_class", "pg_database", "pg_roles"):
        owner.execute(f"CREATE TABLE evil.{name} (nothing int)".encode())
    owner.execute("CREATE FUNCTION evil.pg_is_in_recovery() RETURNS boolean RETURN true")
    owner.execute(f"ALTER ROLE {owner.info.user} SET search_path = evil, pg_catalog".encode())
    try:
        with fence_on(heroku, leader) as fence:
            assert fence.other_sessions() == [owner.info.backend_pid]
            assert fence.position().database == leader
        with open_server(leader, heroku.database_url(leader)) as session:
            assert session.refuses_writes() is None
            assert standing(session).recovering is False
    finally:
        owner.execute("DROP SCHEMA evil CASCADE")


def test_a_fence_goes_through_all_of_its_verbs_whatever_is_set(heroku: LocalHeroku, leader: str, owner: Owner) -> None:
    for name, value in HOSTILE.items():
        for scope in scopes(owner):
            owner.execute(f"ALTER {scope} SET {name} = {value}".encode())
    with fence_on(heroku, leader) as fence:
        fence.end_sessions()
        mark = fence.set_mark(time.time() + 10)
        assert fence.still_waiting(0) == []
        assert fence.seal(time.time() + 10) == 1
        assert fence.position().upcoming == mark.upcoming + 1
        fence.unseal()
        assert fence.is_held()


@contextmanager
def fence_on(heroku: LocalHeroku, leader: str) -> Iterator[Fence]:
    fence = Postgres(Clock(), print).fence(leader, heroku.database_url(leader), time.time() + 10)
    try:
        yield fence
    finally:
        fence.release()


@pytest.mark.parametrize("name", LIBPQ)
def test_no_variable_of_libpq_changes_where_a_session_leads_or_what_it_does(
    heroku: LocalHeroku, leader: str, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, LIBPQ[name])
    with open_server(leader, heroku.database_url(leader)) as session:
        assert session.refuses_writes() is None
        assert session.row("SELECT current_setting('search_path')") == ("pg_catalog,pg_temp",)


def test_no_file_in_the_home_of_whoever_runs_it_is_read(
    heroku: LocalHeroku, leader: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """A server without TLS would not show it, so it is libpq's own words for those files that are looked at."""
    folder = tmp_path / ".postgresql"
    folder.mkdir()
    for file in ("root.crt", "root.crl", "postgresql.crt", "postgresql.key"):
        (folder / file).write_text("nonsense")
    monkeypatch.setenv("HOME", str(tmp_path))
    words = conninfo_to_dict(conninfo(heroku.database_url(leader), "me"))

    assert words["sslcertmode"] == "disable"
    assert not [name for name in ("sslrootcert", "sslcrl", "passfile") if Path(str(words[name])).exists()]


@pytest.mark.parametrize(("request_", "wants"), [(3, "cleartext"), (0, "no authentication"), (7, "GSS")])
def test_whoever_stands_in_between_and_asks_for_the_password_as_it_is_gets_none(request_: int, wants: str) -> None:
    with middleman(request_) as (url, heard), pytest.raises(SqlUnreachable) as refused:
        open_server("db", url)

    assert "stands in between" in str(refused.value)
    assert b"secret" not in b"".join(heard)
    assert "secret" not in str(refused.value)


@pytest.mark.parametrize("host", ["127.evil.example", "localhost.evil.example", "evil.example"])
def test_no_name_but_that_of_this_machine_goes_without_tls(host: str) -> None:
    assert tls_mode(f"postgres://u:p@{host}/db?sslmode=disable") == "require"


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "[::1]"])
def test_to_this_very_machine_an_address_may_do_without_tls(host: str) -> None:
    assert tls_mode(f"postgres://u:p@{host}/db") == "prefer"


def test_an_address_says_by_its_host_alone_whether_it_is_this_machine() -> None:
    assert tls_mode("postgres://u:p@localhost/db?host=evil.example") == "require"


def test_an_address_that_wants_the_certificate_verified_has_it_verified() -> None:
    words = conninfo_to_dict(conninfo("postgres://u:p@db.example/db?sslmode=verify-full", "me"))

    assert (words["sslmode"], words["sslrootcert"]) == ("verify-full", "system")


def tls_mode(url: str) -> str:
    return str(conninfo_to_dict(conninfo(url, "me"))["sslmode"])


@pytest.mark.parametrize(
    "password", ["se@cret", "se/cret", "se?cret", "se%zzcret", "se\0cret", "se\udc80cret", "se cret"]
)
def test_no_part_of_a_password_is_told_whatever_is_in_it(heroku: LocalHeroku, leader: str, password: str) -> None:
    host = heroku.database_url(leader).rpartition("@")[2]
    with pytest.raises(SqlUnreachable) as refused:
        open_server(leader, f"postgres://somebody:{password}@{host}")

    assert leader in str(refused.value)
    assert "cret" not in str(refused.value)


def test_words_of_an_apps_own_driver_in_an_address_are_passed_over(heroku: LocalHeroku, leader: str) -> None:
    with open_server(leader, f"{heroku.database_url(leader)}?pool=5&options=-cstatement_timeout%3D1") as session:
        assert session.row("SELECT current_setting('statement_timeout')") == ("30s",)


@contextmanager
def middleman(request_: int) -> Iterator[tuple[str, list[bytes]]]:
    """A server without TLS that asks for that kind of authentication, and what it is told."""
    heard: list[bytes] = []

    def answer() -> None:
        client, _ = door.accept()
        with client:
            client.settimeout(5)
            if len(first := client.recv(1024)) == len(SSL_REQUEST):
                client.sendall(b"N")
                first = client.recv(1024)
            heard.append(first)
            client.sendall(struct.pack("!cii", b"R", 8, request_))
            with suppress(OSError):
                while words := client.recv(1024):
                    heard.append(words)

    with socket.create_server(("127.0.0.1", 0)) as door:
        thread = threading.Thread(target=answer)
        thread.start()
        yield f"postgres://user:secret@127.0.0.1:{door.getsockname()[1]}/db", heard
        thread.join()


SSL_REQUEST = struct.pack("!ii", 8, 80877103)


def test_an_event_trigger_that_refuses_every_command_is_in_nobodys_way(
    heroku: LocalHeroku, leader: str, owner: Owner
) -> None:
    heroku.administer(
        leader,
        "CREATE OR REPLACE FUNCTION public.no_ddl() RETURNS event_trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE EXCEPTION 'no DDL here'; END $$",
        "CREATE EVENT TRIGGER no_ddl ON ddl_command_start EXECUTE FUNCTION public.no_ddl()",
    )
    with open_server(leader, heroku.database_url(leader)) as session:
        assert session.refuses_writes() is None
    with fence_on(heroku, leader) as fence:
        assert fence.set_mark(time.time() + 10).upcoming
        assert fence.seal(time.time() + 10) == 1
        fence.unseal()


def test_a_role_that_may_make_no_temporary_table_takes_writes_all_the_same(
    heroku: LocalHeroku, leader: str, owner: Owner
) -> None:
    name = owner.info.dbname
    owner.execute(f"REVOKE TEMPORARY ON DATABASE {name} FROM PUBLIC, {owner.info.user}".encode())
    try:
        with open_server(leader, heroku.database_url(leader)) as session:
            assert session.refuses_writes() is None
    finally:
        owner.execute(f"GRANT TEMPORARY ON DATABASE {name} TO PUBLIC, {owner.info.user}".encode())


@pytest.mark.parametrize("scope", range(3), ids=["role", "database", "role in database"])
def test_what_makes_ordinary_sessions_read_only_is_found_and_what_is_advised_takes_it_back(
    heroku: LocalHeroku, leader: str, owner: Owner, scope: int
) -> None:
    owner.execute(f"ALTER {scopes(owner)[scope]} SET default_transaction_read_only = on".encode())
    with open_server(leader, heroku.database_url(leader)) as session:
        assert session.refuses_writes() == "default_transaction_read_only is on"
        advice = session.unsealing()
    with psycopg.connect(heroku.database_url(leader), autocommit=True) as person:
        person.execute(advice.encode())
    with open_server(leader, heroku.database_url(leader)) as session:
        assert session.refuses_writes() is None


@pytest.mark.parametrize("scope", [0, 2], ids=["role", "role in database"])
def test_a_seal_holds_for_a_role_that_was_set_to_write_whatever_is_set_for_its_database(
    heroku: LocalHeroku, leader: str, owner: Owner, scope: int
) -> None:
    url = heroku.database_url(leader)
    owner.execute(f"ALTER {scopes(owner)[scope]} SET default_transaction_read_only = off".encode())
    with fence_on(heroku, leader) as fence:
        before = fence.position().upcoming
        assert fence.seal(time.time() + 10) == 1
        assert fence.position().upcoming == before + 1
        assert fence.position().sealed == before
        with psycopg.connect(url) as app, pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            app.execute("CREATE TABLE late ()")
        fence.unseal()
    with psycopg.connect(url) as app:
        app.execute("CREATE TEMPORARY TABLE early ()")


def test_a_database_without_an_encoding_goes_through_a_fence(heroku: LocalHeroku, leader: str, owner: Owner) -> None:
    heroku.administer(
        leader,
        f"CREATE DATABASE plain OWNER {owner.info.user} TEMPLATE template0 ENCODING 'SQL_ASCII' LC_COLLATE 'C'"
        " LC_CTYPE 'C'",
    )
    url = psycopg.conninfo.make_conninfo(heroku.database_url(leader), dbname="plain")
    with psycopg.connect(url, client_encoding="LATIN1", autocommit=True) as app:
        app.execute('CREATE TABLE "caf\u00e9" (id int); CREATE UNLOGGED TABLE "50% caf\u00e9" (id int)')
        app.execute('INSERT INTO "50% caf\u00e9" VALUES (1)')
    url = url_with(heroku.database_url(leader), "plain")
    try:
        with open_server(leader, url) as session:
            assert session.refuses_writes() is None
            assert session.unlogged_with_rows() == ['public."50% caf\u00e9"']
        fence = Postgres(Clock(), print).fence(leader, url, time.time() + 10)
        assert fence.tables == 2
        fence.set_mark(time.time() + 10)
        fence.release()
    finally:
        heroku.administer(leader, "DROP DATABASE plain WITH (FORCE)")


def url_with(url: str, database: str) -> str:
    return f"{url.rpartition('/')[0]}/{database}"


REFUSED: dict[str, tuple[tuple[LiteralString, ...], str]] = {
    "right": (("SELECT * FROM pg_authid",), "give the default credential the rights"),
    "raised": (("DO $$ BEGIN RAISE EXCEPTION 'by us'; END $$",), "a trigger of the database's own"),
    "value": (("SELECT 'x'::int",), "22P02"),
    "read only": (("BEGIN READ ONLY", "CREATE TABLE public.t ()"), "it is read-only"),
    "too long": (("SET statement_timeout = 20", "SELECT pg_sleep(5)"), "longer than it may"),
    "not there": (("SELECT nothing",), "42703"),
    "infinite": (("SELECT 'infinity'::timestamptz",), "timestamp"),
    "not text": (("SET client_encoding = 'SQL_ASCII'", "SELECT chr(1)::int"), "22P02"),
}
"""Statements, and a part of what is said about the last one."""


@pytest.mark.parametrize("case", REFUSED)
def test_whatever_a_server_refuses_is_an_error_of_ours_that_names_the_database(
    heroku: LocalHeroku, leader: str, case: str
) -> None:
    (*before, last), said = REFUSED[case]
    with open_server(leader, heroku.database_url(leader)) as session:
        for statement in before:
            session.do(statement)
        with pytest.raises(SqlRefused) as refused:
            session.rows(last)

    assert leader in str(refused.value)
    assert said in str(refused.value)


def test_a_session_that_was_ended_is_said_to_be_broken(heroku: LocalHeroku, leader: str, owner: Owner) -> None:
    with open_server(leader, heroku.database_url(leader)) as session:
        owner.execute("SELECT pg_terminate_backend(%s)", [session.connection.info.backend_pid])
        with pytest.raises(SqlUnreachable, match=f"the session on database {leader} broke"):
            session.rows("SELECT 1")
        with pytest.raises(SqlUnreachable), session.transaction():
            pass


def test_the_driver_is_the_one_that_came_along_whatever_the_environment_asks_for() -> None:
    program = "import heroku_changeover.reach.postgres.session; from psycopg import pq; print(pq.__impl__)"
    environment = {**os.environ, "PSYCOPG_IMPL": "python"}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)

    assert said.stdout.strip() == "binary"
