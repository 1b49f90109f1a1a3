"""
The fence: every table of a leader locked against writes, so that none comes after what is proved to be on the target.

It is a lock and not a setting, because a lock does not replicate and vanishes by itself when this process dies. While
its holder has SHARE on every table that the role may write, no INSERT, UPDATE, DELETE, TRUNCATE or COPY goes through
on the leader, whoever sends it; reading goes on.

What it does not stop: CREATE TABLE, sequences, large objects, SELECT … FOR UPDATE, and tables on which
neither the role nor one that it can become may do more than insert or read (LOCK is refused there). Those are listed,
and the tripwire covers them.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

import psycopg

from heroku_changeover.reach.postgres.locking import Lock, lock_all
from heroku_changeover.reach.postgres.progress import Watch, mark_when_quiet
from heroku_changeover.reach.postgres.refusing import refuse_writes_to
from heroku_changeover.reach.postgres.seal import seal, unseal
from heroku_changeover.reach.postgres.server import Server
from heroku_changeover.reach.postgres.session import POLL
from heroku_changeover.reach.postgres.sessions import (
    Waiting,
    end_sessions,
    holds_a_lock,
    other_roles,
    other_sessions,
    waiting_for,
)
from heroku_changeover.reach.postgres.turn import take_turn
from heroku_changeover.reach.sql import LetGo, Mark
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.position import Position

SETTLED = 1.0
"""Seconds after the lock was let go in which whoever waited for it has gone on."""


@dataclass(slots=True)
class Fence:
    """An open fence on a leader: `holder` has the locks, `observer` does the rest."""

    holder: Server
    observer: Server
    clock: Clock
    watch: Watch
    tables: int = 0
    unlocked: tuple[str, ...] = ()
    refusing: dict[int, bool] = field(default_factory=dict)
    """The tables that were to refuse writes, by oid, and whether they do."""

    @property
    def database(self) -> str:
        return self.holder.database

    def is_held(self) -> bool:
        return self.holder.is_alive()

    def unlogged_with_rows(self) -> list[str]:
        return self.observer.unlogged_with_rows()

    def release(self) -> None:
        self.holder.close()
        self.observer.close()

    def end_sessions(self) -> frozenset[int]:
        """
        Ends what is ours to end.

        A write that waits behind the fence fails with its session, so it is not committed when the lock is let go. A
        client that comes back is none of the apps; the fence holds its writes.
        """
        ending = self.other_sessions()
        end_sessions(self.observer, ending)
        return frozenset(ending)

    def other_sessions(self) -> list[int]:
        return other_sessions(self.observer)

    def other_roles(self) -> list[str]:
        return other_roles(self.observer)

    def still_waiting(self, deadline: float) -> list[str]:
        while (roles := _named(self._waiting())) and self.clock.now() < deadline:
            self.clock.sleep(POLL)
        return roles

    def _waiting(self) -> list[Waiting]:
        """Those that wait and are not ours to end; the others are ended."""
        found = waiting_for(self.observer, self.holder.connection.info.backend_pid)
        end_sessions(self.observer, (one.pid for one in found if one.is_ours))
        return [one for one in found if not one.is_ours]

    def let_go(self, deadline: float) -> LetGo:
        """
        What waits is ended, or finds that its table refuses it. What refuses to refuse may be given up in time: until
        then the lock is held on.
        """
        waited = self._waiting()
        while left := [one for one in self._waiting() if not self._is_refused(one)]:
            if self.clock.now() >= deadline:
                break
            waited = [*waited, *left]
            self.clock.sleep(POLL)
        refusing = sum(self.refusing.values())
        taken = refusing and refusing + 1  # an id for each savepoint, and the transaction's own
        with suppress(psycopg.Error):
            self.holder.connection.commit()
        self.holder.close()
        self._settle({one.pid for one in waited})
        return LetGo(tuple(_named(left)), taken)

    def _is_refused(self, waiting: Waiting) -> bool:
        if waiting.table not in self.refusing:
            self.refusing[waiting.table] = refuse_writes_to(self.holder, waiting.table)
        return self.refusing[waiting.table]

    def _settle(self, pids: set[int]) -> None:
        """What comes through is counted once it had time to."""
        ends = self.clock.now() + SETTLED
        while pids and self.clock.now() < ends and holds_a_lock(self.observer, pids):
            self.clock.sleep(POLL)

    def set_mark(self, deadline: float) -> Mark:
        return mark_when_quiet(self.observer, self.clock, self.watch, deadline)

    @property
    def is_disturbed(self) -> bool:
        return self.watch.times > 0

    @property
    def at_work(self) -> tuple[str, ...]:
        return tuple(self.watch.seen)

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
        Busy: another run has fenced it; names its session.
        TimedOut: names the sessions that hold the tables and could not be ended.
        SqlUnreachable: a session broke.
    """
    fence = Fence(holder, observer, clock, Watch(report))
    try:
        take_turn(holder, observer, clock, report, deadline)
        fence.tables, fence.unlocked = lock_all(Lock(holder, observer, clock, report), deadline)
    except BaseException:
        fence.release()
        raise
    return fence


def _named(waiting: list[Waiting]) -> list[str]:
    return sorted({one.role for one in waiting})
