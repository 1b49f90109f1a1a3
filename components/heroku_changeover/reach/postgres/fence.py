"""
The fence: every table of a leader locked against writes, so that none comes after what is proved to be on the target.

It is a lock and not a setting, because a lock does not replicate and vanishes by itself when this process dies. While
session A holds SHARE on every table that the role may write, no INSERT, UPDATE, DELETE, TRUNCATE or COPY goes through
on the leader, whoever sends it; reading goes on.

What it does not stop: CREATE TABLE, sequences, large objects, SELECT … FOR UPDATE, and tables on which the role may
only insert or read (LOCK is refused there). Those are listed, and the tripwire covers them.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from psycopg import sql

from heroku_changeover.reach.postgres.barrier import set_mark
from heroku_changeover.reach.postgres.seal import seal, unseal
from heroku_changeover.reach.postgres.server import Server
from heroku_changeover.reach.postgres.session import POLL, Session, end_other_sessions, other_sessions
from heroku_changeover.reach.sql import Mark
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import TimedOut
from heroku_changeover.terms.position import Position

PATIENCE = 1.2
"""Seconds before a blocker is ended: an autovacuum gives way by itself after deadlock_timeout, which is 1 s."""


@dataclass(slots=True)
class Fence:
    """An open fence on a leader: `holder` has the locks, `observer` does the rest."""

    holder: Server
    observer: Server
    clock: Clock
    report: Callable[[str], None]
    tables: int = 0
    unlocked: tuple[str, ...] = ()

    @property
    def database(self) -> str:
        return self.holder.database

    def is_held(self) -> bool:
        return self.holder.is_alive()

    def release(self) -> None:
        self.holder.close()
        self.observer.close()

    def end_sessions(self) -> frozenset[int]:
        """
        Ends what an ordinary role may end: its own role's sessions.

        A write that waits behind the fence fails with its session, so it is not committed when the lock is let go. A
        client that comes back is none of the apps; the fence holds its writes.
        """
        return frozenset(end_other_sessions(self.observer))

    def other_sessions(self) -> list[int]:
        return other_sessions(self.observer)

    def other_roles(self) -> list[str]:
        return [str(name) for (name,) in self.observer.rows(f"SELECT DISTINCT a.usename {_OTHER_ROLES} ORDER BY 1")]

    def still_waiting(self, deadline: float) -> list[str]:
        while (roles := _blocked(self)) and self.clock.now() < deadline:
            self.clock.sleep(POLL)
        return roles

    def set_mark(self) -> Mark:
        return set_mark(self.observer)

    def position(self) -> Position:
        return self.observer.position()

    def seal(self, deadline: float) -> int:
        return seal(self.observer, self.clock, deadline)

    def unseal(self) -> None:
        unseal(self.observer)


def open_fence(holder: Server, observer: Server, clock: Clock, report: Callable[[str], None], deadline: float) -> Fence:
    """
    Locks every table that the role may write, over two sessions on the leader, which are the fence's from here on.

    Raises:
        TimedOut: names the sessions that hold the tables and could not be ended.
        SqlUnreachable: a session broke.
    """
    fence = Fence(holder, observer, clock, report)
    try:
        holder.connection.autocommit = False  # a lock lasts as long as its transaction
        _lock(fence, deadline)
    except BaseException:
        fence.release()
        raise
    return fence


def _lock(fence: Fence, deadline: float) -> None:
    """
    Locks until nothing is left to lock: a table may be made between the listing and the lock.

    A try that fails rolls back, which gives up all that was had, so the next one starts from the beginning.
    """
    locked: list[str] = []
    while names := [n for n in _tables(fence.holder, lockable=True) if n not in locked]:
        locked = [*locked, *names] if _lock_tables(fence, names, deadline) else []
        if not locked and fence.clock.now() >= deadline:
            named = _blockers_named(fence)
            raise TimedOut(
                f"database {fence.holder.database}: {len(names)} tables could not be locked in time; {named}"
            )
    fence.tables = len(locked)
    fence.unlocked = tuple(_tables(fence.holder, lockable=False))


def _lock_tables(fence: Fence, names: list[str], deadline: float) -> bool:
    """One LOCK statement in a thread, while the observer ends whoever stands in its way."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(_try_lock, fence.holder, names, deadline - fence.clock.now())
        try:
            _clear_the_way(fence, pending)
        except BaseException:
            fence.holder.connection.cancel()  # else the thread would wait for the lock to the end
            raise
        return pending.result()


def _try_lock(holder: Session, names: list[str], seconds: float) -> bool:
    """
    Whether the lock was had; if not, the transaction is rolled back.

    The names were quoted by the server itself. The settings keep it from ending a transaction that is idle on purpose.
    """
    milliseconds = max(int(seconds * 1000), 1)
    statement = sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.SQL(", ").join(sql.SQL(n) for n in names))
    try:
        holder.do(sql.SQL("SET lock_timeout = {}").format(milliseconds))
        holder.do("SET statement_timeout = 0")
        holder.do("SET idle_in_transaction_session_timeout = 0")
        holder.do(statement)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        holder.connection.rollback()
        return False
    return True


def _clear_the_way(fence: Fence, pending: "Future[bool]") -> None:
    started = fence.clock.now()
    while not pending.done():
        if fence.clock.now() - started > PATIENCE:
            _end_blockers(fence)
        fence.clock.sleep(POLL)


def _end_blockers(fence: Fence) -> None:
    """Ends the sessions of our own role that hold a table; an ordinary role may end no others."""
    for pid, application, ended in fence.observer.rows(
        "SELECT a.pid, a.application_name, pg_terminate_backend(a.pid) FROM pg_stat_activity a"
        " WHERE a.usename = current_user AND a.pid = ANY(pg_blocking_pids(%s))",
        fence.holder.connection.info.backend_pid,
    ):
        fence.report(
            f"session {pid} ({application or 'no application name'}) held a table{' and was ended' if ended else ''}"
        )


def _blockers_named(fence: Fence) -> str:
    rows = fence.observer.rows(
        "SELECT DISTINCT a.pid, coalesce(a.usename, a.backend_type, 'unknown')"
        " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'relation' AND l.granted AND a.datname = current_database() AND a.pid <> pg_backend_pid()"
        " AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',"
        " 'AccessExclusiveLock')"
    )
    return (
        "held by " + ", ".join(f"session {pid} of {owner}" for pid, owner in rows)
        if rows
        else "nobody seems to hold them now"
    )


_OTHER_ROLES = (
    "FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid WHERE a.datname = current_database()"
    " AND a.usename <> current_user AND NOT r.rolsuper AND NOT r.rolreplication"
)


def _blocked(fence: Fence) -> list[str]:
    """The other roles whose sessions wait for the fence: their writes are committed once it is let go."""
    rows = fence.observer.rows(
        f"SELECT DISTINCT a.usename {_OTHER_ROLES} AND %s = ANY(pg_blocking_pids(a.pid)) ORDER BY 1",
        fence.holder.connection.info.backend_pid,
    )
    return [str(name) for (name,) in rows]


def _tables(session: Session, *, lockable: bool) -> list[str]:
    """
    Ordinary tables and partitioned parents outside the system schemas, quoted by the server.

    Partitions and children are locked with their parents. SHARE may be taken by a role that may UPDATE, DELETE or
    TRUNCATE.
    """
    rows = session.rows(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%%'"
        " AND (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')) = %s"
        " ORDER BY 1",
        lockable,
    )
    return [str(name) for (name,) in rows]
