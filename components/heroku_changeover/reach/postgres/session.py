"""
Sessions on the leader and on the target, with the ordinary role that the app itself uses.

A role that owns its database may read positions, see every session's process id and end its own role's sessions; it
may not read other roles' queries or the replication details of `pg_stat_replication`.
"""

import re
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any, LiteralString, Self

import psycopg

from heroku_changeover.reach.postgres.connecting import connected
from heroku_changeover.terms.errors import ChangeoverError, ConnectionsTaken, SqlRefused, SqlUnreachable

NAME = "heroku-changeover"
"""The application_name of our own sessions, as others see them in pg_stat_activity."""

POLL = 0.02
"""Seconds between two looks at sessions and positions: what is waited for takes about that long."""

LAST_WORD = 1.0
"""Seconds in which a statement under way is answered, where a session is to be closed."""

_TCP = (socket.AF_INET, socket.SOCK_STREAM)

NONE_LEFT = re.compile(r"too many (clients|connections)|connection slots|no more connections", re.IGNORECASE)
"""What a server or a pooler says that has no connection left: before there is a session, errors have no code."""

UNWANTED = "authentication method requirement"
"""What libpq says where a server wants the password as it is, or none."""

ADVICE = {
    "25006": "it is read-only, by a setting or because it follows another one",
    "40001": "somebody changed the same at that moment: try again",
    "40P01": "sessions waited for each other: try again",
    "42501": "give the default credential the rights on it that Heroku gives it",
    "53100": "its disk is full: make room first",
    "57014": "it took longer than it may, or somebody cancelled it; see `heroku pg:ps`, then try again",
    "P0001": "a trigger of the database's own raises this; disable it until the changeover is over",
}
"""What a person can do, by the SQLSTATE of what a server refuses."""


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
        with self.translated():
            return self.connection.execute(statement, parameters).fetchall()

    def do(self, statement: "LiteralString | psycopg.sql.Composed") -> None:
        with self.translated():
            self.connection.execute(statement)

    @contextmanager
    def transaction(self, *, rolled_back: bool = False) -> Iterator[None]:
        """Its begin and its commit can fail as well."""
        with self.translated(), self.connection.transaction(force_rollback=rolled_back):
            yield

    def rollback(self) -> None:
        with self.translated():
            self.connection.rollback()

    @contextmanager
    def translated(self) -> Iterator[None]:
        """An error of the driver becomes one of ours, which names the database."""
        try:
            yield
        except psycopg.Error as error:
            raise self.said(error) from error
        except UnicodeError as error:
            reason = "what it says is not in the encoding that it names"
            raise SqlRefused(self.database, f"{reason} ({type(error).__name__})") from None

    def said(self, error: psycopg.Error) -> ChangeoverError:
        """What an error of the driver is in our words."""
        if _broke(self.connection, error):
            return SqlUnreachable(f"the session on database {self.database} broke: {_first_line(error)}")
        state = error.sqlstate or type(error).__name__
        return SqlRefused(self.database, f"{_first_line(error)} ({state})", ADVICE.get(state, "mend that first"))

    def close(self) -> None:
        """Lets a statement of another thread end, such as a sign of life; one that hears nothing is cut off first."""
        lock = self.connection.lock
        if not (alone := lock.acquire(timeout=LAST_WORD)):
            self._hang_up()
            alone = lock.acquire(timeout=LAST_WORD)
        if alone:
            self.connection.close()
            lock.release()

    def _hang_up(self) -> None:
        """Whoever waits for an answer in another thread hears that there will be none."""
        with suppress(OSError, psycopg.Error), socket.fromfd(self.connection.fileno(), *_TCP) as same:
            same.shutdown(socket.SHUT_RDWR)

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


def _broke(connection: "psycopg.Connection[tuple[Any, ...]]", error: psycopg.Error) -> bool:
    """Whether the session is over: the server says so, or there is nobody who could say anything."""
    fatal = error.diag.severity_nonlocalized in {"FATAL", "PANIC"}
    speechless = error.sqlstate is None and isinstance(error, psycopg.OperationalError | psycopg.InterfaceError)
    return connection.closed or fatal or speechless


def open_session(database: str, url: str) -> Session:
    """
    A session over TLS, except to this very machine.

    Raises:
        ConnectionsTaken: the server has no connection left.
        SqlUnreachable: names the database and the reason; the URL, which holds a password, is in no message.
    """
    if not url:
        raise SqlUnreachable(f"database {database}: no config var holds its address yet")
    try:
        return Session(database, connected(url, NAME))
    except ValueError:
        raise SqlUnreachable(f"database {database}: what its config var holds is no address that can be read") from None
    except psycopg.Error as error:
        raise _not_had(database, _first_line(error)) from None


def _not_had(database: str, reason: str) -> SqlUnreachable:
    if UNWANTED in reason:
        reason += "; Heroku's servers ask for no such thing, so look whether something stands in between"
    if NONE_LEFT.search(reason):
        return ConnectionsTaken(f"database {database} has no connection left: {reason}")
    return SqlUnreachable(f"database {database} could not be reached over SQL: {reason}")


def _first_line(error: psycopg.Error) -> str:
    """What the server or libpq said; what comes after it may quote what somebody stored."""
    return (error.diag.message_primary or str(error) or type(error).__name__).strip().split("\n")[0]
