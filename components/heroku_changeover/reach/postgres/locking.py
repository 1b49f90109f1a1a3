"""
Taking the lock of a fence: SHARE on every table that the role may write, whoever stands in the way.

What is held in the end is told by `pg_locks`: the catalogue is asked again, in the same transaction, until nothing is
left that the role may lock and does not hold. What is left then is named.
"""

from collections import Counter
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from heroku_changeover.reach.postgres.blockers import Blocker, end_blockers
from heroku_changeover.reach.postgres.session import POLL, Session
from heroku_changeover.reach.postgres.writable import count_held, lockable_as_another, lockable_through_views, unlocked
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import NothingChanged, TimedOut

PATIENCE = 1.2
"""Seconds before a blocker is ended: an autovacuum gives way by itself after deadlock_timeout, which is 1 s."""

AT_ONCE = 1000
"""How many tables one statement locks: where one of them fails, these are tried again in smaller parts."""

REFUSALS = 3
"""How often a refusal is taken for one of a table that somebody has just put in the place of another."""

LOCK = sql.SQL("SAVEPOINT part; {}LOCK TABLE {} IN SHARE MODE; SET LOCAL ROLE {}; RELEASE SAVEPOINT part")
"""The last role is the one that the session has anyway; where a part fails, the role is rolled back with it."""

Outcome = tuple[int, tuple[str, ...]]
"""How many tables are held, and those that are not."""

Wanted = tuple[str | None, str]
"""A table or view, and the role that it can be locked as; None is the session's own."""

_GONE = (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName)
_REFUSED = (
    psycopg.errors.InsufficientPrivilege,
    psycopg.errors.WrongObjectType,
    psycopg.errors.UndefinedObject,
    psycopg.errors.InvalidParameterValue,
)
_NOT_NOW = (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected, psycopg.errors.QueryCanceled)


@dataclass(slots=True)
class Lock:
    """
    Who takes it: `holder` will have the locks, `observer` clears the way. `refused` is how often the server did not let
    the role lock something, whatever its catalogue says, and `blockers` who was waited for last; `own` is the role
    of the session.
    """

    holder: Session
    observer: Session
    clock: Clock
    report: Callable[[str], None]
    refused: Counter[Wanted] = field(default_factory=Counter)
    blockers: list[Blocker] = field(default_factory=list)
    own: str = ""


def lock_all(lock: Lock, deadline: float) -> Outcome:
    """
    Locks until nothing is left to lock.

    Tables are made, dropped, renamed and moved by others meanwhile, so the list is asked for again after each try, and
    what is held already stays held. Only where sessions wait for each other all is given up, and begun anew.

    Raises:
        TimedOut: names who holds the tables and could not be ended.
        NothingChanged: the server has no room for so many locks.
        SqlUnreachable: the session broke.
    """
    lock.own = str(lock.holder.row("SELECT current_user")[0])
    lock.holder.connection.autocommit = False  # a lock lasts as long as its transaction
    lock.holder.connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # each look finds what is new
    with ThreadPoolExecutor(1) as pool:
        while (done := _in_a_thread(lock, pool, deadline)) is None:
            if lock.clock.now() >= deadline:
                raise TimedOut(_overdue(lock))
    return done


def _overdue(lock: Lock) -> str:
    held_by = "; ".join(f"held by {b.what}: {b.advice}" for b in lock.blockers) or "whoever held them has let go since"
    return f"database {lock.holder.database}: its tables could not be locked in time; {held_by}, then `pulumi up` again"


def _in_a_thread(lock: Lock, pool: ThreadPoolExecutor, deadline: float) -> Outcome | None:
    """One try, while the observer ends whoever stands in its way."""
    pending = pool.submit(_try_once, lock, deadline)
    try:
        _clear_the_way(lock, pending)
    except BaseException:
        lock.holder.connection.cancel()  # else the thread would wait for the lock to the end
        raise
    return pending.result()


def _clear_the_way(lock: Lock, pending: "Future[Outcome | None]") -> None:
    started = lock.clock.now()
    while not wait([pending], POLL).done:
        lock.clock.sleep(0)  # a process that was asked to end does not wait any longer
        if lock.clock.now() - started > PATIENCE:
            found = end_blockers(lock.observer, lock.holder.connection.info.backend_pid, lock.report)
            lock.blockers = found or lock.blockers  # one that was cancelled a moment ago waits for nobody


def _try_once(lock: Lock, deadline: float) -> Outcome | None:
    """None when sessions wait for each other, or there is no more time."""
    try:
        done = _lock_everything(lock, deadline)
    except _NOT_NOW:
        done = None
    except psycopg.errors.OutOfMemory as error:
        raise NothingChanged(
            f"database {lock.holder.database} has no room for the locks of all its tables; run `pulumi up` again when "
            "less goes on there, or with `verify: api`, which locks and proves nothing"
        ) from error
    except psycopg.Error as error:
        raise lock.holder.said(error) from error
    if done is None:
        lock.holder.connection.rollback()
        lock.refused.clear()
    return done


def _lock_everything(lock: Lock, deadline: float) -> Outcome | None:
    """In one transaction, whose time-outs are as they were when it is done."""
    connection = lock.holder.connection
    (before,) = connection.execute("SELECT current_setting('statement_timeout')").fetchall()[0]
    connection.execute("SET LOCAL lock_timeout = 0")
    while (seconds := deadline - lock.clock.now()) > 0:
        connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(max(int(seconds * 1000), 1)))
        left = unlocked(connection)
        wanted = _wanted(lock, left.lockable, left.rest)
        if not wanted:
            connection.execute(sql.SQL("SET LOCAL statement_timeout = {}").format(before))
            return count_held(connection), (*left.lockable, *left.rest)
        for role, names in wanted:
            for first in range(0, len(names), AT_ONCE):
                _lock_part(lock, role, names[first : first + AT_ONCE])
    return None


def _wanted(lock: Lock, lockable: list[str], rest: list[str]) -> list[tuple[str | None, list[str]]]:
    """
    What to lock next, by the role to lock it as: tables first; if that is all, what another role of ours can lock, and
    views whose lock takes along a table that nobody of ours can lock. What was tried in vain is not tried again.
    """
    if own := [name for name in lockable if lock.refused[None, name] < REFUSALS]:
        return [(None, own)]
    if not (rest or lockable):
        return []
    views = (None, lockable_through_views(lock.holder.connection))
    found = [*lockable_as_another(lock.holder.connection).items(), views]
    left = [(role, [name for name in names if lock.refused[role, name] < REFUSALS]) for role, names in found]
    lock.refused.update((None, name) for name in views[1])  # what a view does not take along, it never does
    return [(role, names) for role, names in left if names]


def _lock_part(lock: Lock, role: str | None, names: list[str]) -> None:
    """
    Where one of them is gone or refused, halves are locked, so that all others are; the names were quoted by the
    server.
    """
    connection = lock.holder.connection
    become = sql.SQL("SET LOCAL ROLE {}; ").format(sql.Identifier(role)) if role else sql.SQL("")
    tables = sql.SQL(", ").join(sql.SQL(name) for name in names)
    try:
        connection.execute(LOCK.format(become, tables, sql.Identifier(lock.own)), prepare=False)
    except (*_GONE, *_REFUSED) as error:
        connection.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", prepare=False)
        if len(names) > 1:
            half = len(names) // 2
            _lock_part(lock, role, names[:half])
            _lock_part(lock, role, names[half:])
        elif isinstance(error, _REFUSED):
            lock.refused[role, names[0]] += 1
