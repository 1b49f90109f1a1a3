"""
Sessions on the leader and on the target, with the ordinary role that the app itself uses.

A role that owns its database may read positions, see every session's process id and end its own role's sessions; it
may not read other roles' queries or the replication details of `pg_stat_replication`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, Self

import psycopg
import psycopg.conninfo

from heroku_changeover.reach.loopback import is_loopback
from heroku_changeover.terms.errors import SqlUnreachable

NAME = "heroku-changeover"
"""The application_name of our own sessions, as others see them in pg_stat_activity."""

POLL = 0.02
"""Seconds between two looks at sessions and positions: what is waited for takes about that long."""

CONNECT_SECONDS = 10
STATEMENT_MILLISECONDS = 30_000

STRICT_TLS = frozenset({"require", "verify-ca", "verify-full"})
"""The modes of libpq that never go on without TLS."""

PROBES = {"keepalives_idle": 5, "keepalives_interval": 5, "keepalives_count": 3, "tcp_user_timeout": 20_000}
"""libpq's words for noticing, within some 20 s, that the other end is not there any more."""


@dataclass(slots=True)
class Session:
    """One session on one database; `database` is the add-on's name, for messages."""

    database: str
    connection: "psycopg.Connection[tuple[Any, ...]]"

    def row(self, statement: "LiteralString | psycopg.sql.Composed", *parameters: object) -> tuple[Any, ...]:
        """The first row of the answer."""
        rows = self.rows(statement, *parameters)
        return rows[0]

    def rows(self, statement: "LiteralString | psycopg.sql.Composed", *parameters: object) -> Sequence[tuple[Any, ...]]:
        with _naming(self.database):
            return self.connection.execute(statement, parameters).fetchall()

    def do(self, statement: "LiteralString | psycopg.sql.Composed") -> None:
        with _naming(self.database):
            self.connection.execute(statement)

    def close(self) -> None:
        self.connection.close()

    def is_alive(self) -> bool:
        """Whether the server still holds this session, and with it its locks."""
        try:
            self.connection.execute("SELECT 1")
        except psycopg.Error:
            return False
        return True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


@contextmanager
def _naming(database: str) -> Iterator[None]:
    """
    A session that breaks under a statement becomes an error that names the database. A lock that was not had does not.
    """
    try:
        yield
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        raise
    except psycopg.OperationalError as error:
        raise SqlUnreachable(f"the session on database {database} broke: {_first_line(error)}") from error


def open_session(database: str, url: str, *, autocommit: bool = True) -> Session:
    """
    A session over TLS, except to this very machine.

    Raises:
        SqlUnreachable: names the database and the reason; the URL, which holds a password, is in no message.
    """
    if not url:
        raise SqlUnreachable(f"database {database}: no config var holds its address yet")
    try:
        connection = psycopg.connect(_address(url), autocommit=autocommit)
        connection.execute(f"SET statement_timeout = {STATEMENT_MILLISECONDS}")
    except psycopg.Error as error:
        raise SqlUnreachable(f"database {database} could not be reached over SQL: {_first_line(error)}") from None
    return Session(database, connection)


def _address(url: str) -> str:
    """The address with our name and time-outs; what a URL says about TLS holds if it is strict enough."""
    given = str(psycopg.conninfo.conninfo_to_dict(url).get("sslmode") or "")
    tls = given if given in STRICT_TLS else (given or "prefer") if is_loopback(url) else "require"
    return psycopg.conninfo.make_conninfo(
        url, sslmode=tls, connect_timeout=CONNECT_SECONDS, application_name=NAME, **PROBES
    )


def _first_line(error: psycopg.Error) -> str:
    """What the server or libpq said; a parse error is left out, because it may quote the URL."""
    spoken = isinstance(error, psycopg.OperationalError)
    return str(error).strip().split("\n")[0] if spoken else type(error).__name__


def other_sessions(session: Session) -> list[int]:
    """The process ids of our own role's other sessions on this database."""
    rows = session.rows(
        "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND usename = current_user"
        " AND pid <> pg_backend_pid() AND application_name <> %s",
        NAME,
    )
    return [int(pid) for (pid,) in rows]


def end_other_sessions(session: Session) -> list[int]:
    """
    Ends every other session of our own role on this database; returns their process ids. The caller holds the fence
    on it.
    """
    pids = other_sessions(session)
    if pids:
        session.rows("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", pids)
    return pids


def end_sessions_on_a_copy(session: Session) -> None:
    """
    Ends every other session of our own role, but on a server in recovery only: on one that takes writes they may be
    anybody's work. One statement, so that the server is not promoted between the question and the act.
    """
    session.rows(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pg_is_in_recovery()"
        " AND datname = current_database() AND usename = current_user"
        " AND pid <> pg_backend_pid() AND application_name <> %s",
        NAME,
    )
