"""
The fence: every table of a leader locked against writes, so that none comes after what is proved to be on the target.

It is a lock and not a setting, because a lock does not replicate and vanishes by itself when this process dies. While
session A holds SHARE on every table that the role may write, no INSERT, UPDATE, DELETE, TRUNCATE or COPY goes through
on the leader, whoever sends it; reading goes on.

What it does not stop: CREATE TABLE, sequences, large objects, SELECT … FOR UPDATE, and tables on which the role may
only insert or read (LOCK is refused there). Those are listed, and the tripwire covers them.
"""

from collections.abc import Callable
from dataclasses import dataclass

from heroku_changeover.reach.postgres.barrier import set_mark
from heroku_changeover.reach.postgres.locking import Lock, lock_all
from heroku_changeover.reach.postgres.seal import seal, unseal
from heroku_changeover.reach.postgres.server import Server
from heroku_changeover.reach.postgres.session import POLL, end_other_sessions, other_sessions
from heroku_changeover.reach.sql import Mark
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.position import Position


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

    def unlogged_with_rows(self) -> list[str]:
        return self.observer.unlogged_with_rows()

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
        fence.tables, fence.unlocked = lock_all(Lock(holder, observer, clock, report), deadline)
    except BaseException:
        fence.release()
        raise
    return fence


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
