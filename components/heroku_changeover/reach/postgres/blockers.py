"""Who holds a table that is to be locked: found, ended where that is ours to do, and named where it is not."""

from collections.abc import Callable, Iterable
from typing import LiteralString

import psycopg

from heroku_changeover.reach.postgres.session import Session
from heroku_changeover.reach.postgres.sessions import OURS
from heroku_changeover.reach.sql import Blocker

SESSIONS: LiteralString = (
    "FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid"
    " WHERE a.datname = current_database() AND a.pid <> pg_backend_pid()"
)
"""Sessions of people and programs on this database; what belongs to no role, such as autovacuum, is not among them."""

_HOLDERS: LiteralString = (
    "(SELECT l.pid FROM pg_locks l JOIN pg_class c ON c.oid = l.relation AND c.relkind IN ('r', 'p')"
    " AND c.oid >= 16384 WHERE l.locktype = 'relation' AND l.granted"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND l.mode NOT IN ('AccessShareLock', 'RowShareLock', 'ShareLock'))"
)
"""Who has a table of this database, that is none of the server's own, in a mode with which nobody else has SHARE."""


def end_blockers(observer: Session, waiting: int, report: Callable[[str], None]) -> list[Blocker]:
    """
    Ends the sessions that a waiting one waits for, as far as they are ours to end; returns who is left.

    `waiting` is the process id of the session that waits.
    """
    pids = [int(pid) for (pid,) in observer.rows("SELECT DISTINCT unnest(pg_blocking_pids(%s))", waiting)]
    ended = _end(observer, pids, report)
    left = [pid for pid in pids if pid and pid not in ended]
    return [*_named(observer, left), *(prepared(observer) if 0 in pids else [])]


def _end(observer: Session, pids: list[int], report: Callable[[str], None]) -> set[int]:
    try:
        rows = observer.connection.execute(
            f"SELECT a.pid, a.usename, a.application_name, pg_terminate_backend(a.pid) {SESSIONS}"
            f" AND a.pid = ANY(%s) AND {OURS}",
            (pids,),
        ).fetchall()
    except psycopg.errors.InsufficientPrivilege:  # a right that was taken away; that of calling the function, maybe
        return set()
    except psycopg.Error as error:
        raise observer.said(error) from error
    for pid, user, application, _ in rows:
        report(f"session {pid} of {user} ({application or 'no application name'}) held a table and was ended")
    return {int(pid) for pid, *_ in rows}


def in_the_way(session: Session) -> list[Blocker]:
    """Who holds a table of this database now, is not ours to end, and may not let go for long."""
    rows = session.rows(f"SELECT a.pid {SESSIONS} AND NOT {OURS} AND a.pid IN {_HOLDERS} ORDER BY 1")
    return [*_named(session, [int(pid) for (pid,) in rows]), *prepared(session)]


def prepared(session: Session) -> list[Blocker]:
    """Transactions that were prepared on this database and wait to be committed, by whom nobody can tell."""
    rows = session.rows(
        "SELECT quote_literal(gid), owner, owner = session_user FROM pg_prepared_xacts"
        " WHERE database = current_database() ORDER BY prepared"
    )
    return [
        Blocker(
            f"the prepared transaction {gid} of {owner}",
            f"as {'the default credential' if own else owner}, COMMIT PREPARED {gid} or ROLLBACK PREPARED {gid}",
        )
        for gid, owner, own in rows
    ]


def _named(session: Session, pids: Iterable[int]) -> list[Blocker]:
    rows = session.rows(
        "SELECT a.pid, a.usename, a.application_name, a.usesysid IS NULL FROM pg_stat_activity a"
        " WHERE a.pid = ANY(%s) ORDER BY 1",
        list(pids),
    )
    return [_system(pid) if system else _theirs(pid, user, name) for pid, user, name, system in rows]


def _theirs(pid: int, user: str, application: str) -> Blocker:
    return Blocker(
        f"session {pid} of {user} ({application or 'no application name'}), which the default credential may not end",
        f"end what is signed in as {user} there, or let it finish",
    )


def _system(pid: int) -> Blocker:
    return Blocker(
        f"PostgreSQL's own process {pid}, a vacuum against wraparound",
        "wait until it is done (see pg_stat_progress_vacuum)",
    )
