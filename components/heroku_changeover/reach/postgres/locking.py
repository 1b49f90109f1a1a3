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

from heroku_changeover.reach.postgres.blockers import end_blockers
from heroku_changeover.reach.postgres.lockable import lockable_as_another, lockable_through_views, look
from heroku_changeover.reach.postgres.session import POLL, Session
from heroku_changeover.reach.sql import Blocker
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import NothingChanged, TimedOut

PATIENCE = 1.2
"""Seconds before a blocker is ended: an autovacuum gives way by itself after deadlock_timeout, which is 1 s."""

AT_ONCE = 4000
"""How many tables one statement locks: where one of them fails, these are tried again in smaller parts."""

REFUSALS = 3
"""How often a refusal is taken for one of a table that somebody has just put in the place of another."""

LOCK = sql.SQL(
    "SAVEPOINT part; SET LOCAL statement_timeout = {limit}; {become}LOCK TABLE {tables} IN SHARE MODE;"
    " SET LOCAL ROLE {own}; SET LOCAL statement_timeout = {own_limit}; RELEASE SAVEPOINT part"
)
"""One message to the server. Role and time-out are as they were afterwards, also where it fails and is rolled back."""

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
    of the session, and its limit for a statement.
    """

    holder: Session
    observer: Session
    clock: Clock
    report: Callable[[str], None]
    refused: Counter[Wanted] = field(default_factory=Counter)
    blockers: list[Blocker] = field(default_factory=list)
    own: tuple[str, str] = ("", "")


def lock_all(lock: Lock, deadline: float) -> Outcome:
    """
    Locks until nothing is left to lock.

    Tables are made, dropped, renamed and moved by others meanwhile, so the list is asked for again after each try, and
    what is held already stays held. Only where sessions wait for each other all is given up, and begun anew.

    Raises:
        TimedOut: names who holds the tables and could not be ended.
        NothingChanged: the server has no room for so many locks.
        SqlUnreachable, SqlRefused: the session broke, or the server refused something else.
    """
    user, limit = lock.holder.row("SELECT current_user, current_setting('statement_timeout')")
    lock.own = str(user), str(limit)
    lock.holder.connection.autocommit = False  # a lock lasts as long as its transaction
    lock.holder.connection.isolation_level = psycopg.IsolationLevel.READ_COMMITTED  # each look finds what is new
    with ThreadPoolExecutor(1) as pool:
        while (done := _in_a_thread(lock, pool, deadline)) is None:
            if lock.clock.now() >= deadline:
                raise TimedOut(_overdue(lock))
    return done


def _overdue(lock: Lock) -> str:
    held_by = (
        "; ".join(f"held by {b.what}: {b.advice}" for b in lock.blockers) or "it is not known by whom they were held"
    )
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
            left = end_blockers(lock.observer, lock.holder.connection.info.backend_pid, lock.report)
            lock.blockers = left or lock.blockers  # a wait that has just been given up has none


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
        lock.holder.rollback()
        lock.refused.clear()
    return done


def _lock_everything(lock: Lock, deadline: float) -> Outcome | None:
    """In one transaction, and with few questions, because users wait for each."""
    while lock.clock.now() < deadline:
        seen = look(lock.holder.connection)
        wanted = _wanted(lock, seen.lockable, seen.rest)
        if not wanted:
            return seen.held, (*seen.lockable, *seen.rest)
        for role, names in wanted:
            for first in range(0, len(names), AT_ONCE):
                _lock_part(lock, role, names[first : first + AT_ONCE], deadline)
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


def _lock_part(lock: Lock, role: str | None, names: list[str], deadline: float) -> None:
    """
    Where one of them is gone or refused, halves are locked, so that all others are; the names were quoted by the
    server.
    """
    connection = lock.holder.connection
    try:
        connection.execute(_statement(lock, role, names, deadline), prepare=False)
    except (*_GONE, *_REFUSED) as error:
        connection.execute("ROLLBACK TO SAVEPOINT part; RELEASE SAVEPOINT part", prepare=False)
        if len(names) > 1:
            half = len(names) // 2
            _lock_part(lock, role, names[:half], deadline)
            _lock_part(lock, role, names[half:], deadline)
        elif isinstance(error, _REFUSED):
            lock.refused[role, names[0]] += 1


def _statement(lock: Lock, role: str | None, names: list[str], deadline: float) -> sql.Composed:
    own, limit = lock.own
    return LOCK.format(
        limit=max(int((deadline - lock.clock.now()) * 1000), 1),
        become=sql.SQL("SET LOCAL ROLE {}; ").format(sql.Identifier(role)) if role else sql.SQL(""),
        tables=sql.SQL(", ").join(sql.SQL(name) for name in names),
        own=sql.Identifier(own),
        own_limit=sql.Literal(limit),
    )
