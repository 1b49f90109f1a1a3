"""Taking the lock of a fence: SHARE on every table that the role may write, whoever stands in the way."""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import NamedTuple

import psycopg
from psycopg import sql

from heroku_changeover.reach.postgres.session import POLL, Session
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import TimedOut

PATIENCE = 1.2
"""Seconds before a blocker is ended: an autovacuum gives way by itself after deadlock_timeout, which is 1 s."""


class Lock(NamedTuple):
    """Who takes it: `holder` will have the locks, `observer` clears the way."""

    holder: Session
    observer: Session
    clock: Clock
    report: Callable[[str], None]


def lock_all(lock: Lock, deadline: float) -> tuple[int, tuple[str, ...]]:
    """
    Locks until nothing is left to lock: a table may be made between the listing and the lock.

    A try that fails rolls back, which gives up all that was had, so the next one starts from the beginning.
    Returns how many tables are locked, and those that the role may not lock.

    Raises:
        TimedOut: names the sessions that hold the tables and could not be ended.
    """
    lock.holder.connection.autocommit = False  # a lock lasts as long as its transaction
    locked: list[str] = []
    while names := [n for n in _tables(lock.holder, lockable=True) if n not in locked]:
        locked = [*locked, *names] if _lock_tables(lock, names, deadline) else []
        if not locked and lock.clock.now() >= deadline:
            named = _blockers_named(lock)
            raise TimedOut(f"database {lock.holder.database}: {len(names)} tables could not be locked in time; {named}")
    return len(locked), tuple(_tables(lock.holder, lockable=False))


def _lock_tables(lock: Lock, names: list[str], deadline: float) -> bool:
    """One LOCK statement in a thread, while the observer ends whoever stands in its way."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(_try_lock, lock.holder, names, deadline - lock.clock.now())
        try:
            _clear_the_way(lock, pending)
        except BaseException:
            lock.holder.connection.cancel()  # else the thread would wait for the lock to the end
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


def _clear_the_way(lock: Lock, pending: "Future[bool]") -> None:
    started = lock.clock.now()
    while not pending.done():
        if lock.clock.now() - started > PATIENCE:
            _end_blockers(lock)
        lock.clock.sleep(POLL)


def _end_blockers(lock: Lock) -> None:
    """Ends the sessions of our own role that hold a table; an ordinary role may end no others."""
    for pid, application, ended in lock.observer.rows(
        "SELECT a.pid, a.application_name, pg_terminate_backend(a.pid) FROM pg_stat_activity a"
        " WHERE a.usename = current_user AND a.pid = ANY(pg_blocking_pids(%s))",
        lock.holder.connection.info.backend_pid,
    ):
        lock.report(
            f"session {pid} ({application or 'no application name'}) held a table{' and was ended' if ended else ''}"
        )


def _blockers_named(lock: Lock) -> str:
    rows = lock.observer.rows(
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
