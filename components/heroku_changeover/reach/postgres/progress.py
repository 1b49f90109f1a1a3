"""
Transactions in progress on a leader, prepared ones included: what one of them commits after the target was cut off is
on the old database alone. So there is none when the barrier is set, and the barrier is the last one.
"""

from collections.abc import Callable
from typing import NamedTuple

from heroku_changeover.reach.postgres.barrier import set_mark
from heroku_changeover.reach.postgres.session import POLL, Session
from heroku_changeover.reach.postgres.sessions import OURS, end_sessions
from heroku_changeover.reach.sql import Mark
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import TimedOut


class Transaction(NamedTuple):
    """
    One in progress: `pid` is that of its session, `prepared` the name of a prepared one, which has none. Both are None
    when it ended a moment ago.
    """

    pid: int | None
    role: str
    prepared: str | None
    is_ours: bool

    def __str__(self) -> str:
        if self.prepared is not None:
            return f"prepared transaction '{self.prepared}' of {self.role}"
        return f"session {self.pid} of {self.role}" if self.pid else "a transaction that has just ended"


def mark_when_quiet(session: Session, clock: Clock, watch: "Watch", deadline: float) -> Mark:
    """
    Sets the barrier when no transaction is in progress, and again if one began in between: then all before it are in
    the log ahead of it. Those that are ours to end are ended; the caller holds the fence.

    Raises:
        TimedOut: names who is at work still.
    """
    found: list[Transaction] = []
    while clock.now() < deadline or not found:
        upcoming, found = _in_progress(session)
        if not found:
            mark = set_mark(session)
            if mark.upcoming == upcoming + 1:
                return mark
            found = [_JUST_ENDED]
        watch.saw(session, found)
        clock.sleep(POLL)
    raise TimedOut(_told(session.database, found))


class Watch:
    """Who was seen at work behind the fence, and was ended where that is ours to do."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report, self._ended = report, set[Transaction]()
        self.seen, self.times = dict[str, None](), 0

    def saw(self, session: Session, found: list[Transaction]) -> None:
        self.times += 1
        ours = [one for one in found if one.is_ours and one.pid is not None and one not in self._ended]
        end_sessions(session, (one.pid for one in ours if one.pid is not None))
        for one in ours:
            self._report(f"{one} had a transaction in progress behind the fence and was ended")
        self._ended.update(ours)
        self.seen |= {str(one): None for one in found if one != _JUST_ENDED}


_JUST_ENDED = Transaction(None, "", None, is_ours=False)


def _told(database: str, left: list[Transaction]) -> str:
    prepared = any(one.prepared is not None for one in left)
    remedy = (
        f"end it with COMMIT PREPARED or ROLLBACK PREPARED in `heroku pg:psql {database}`"
        if prepared
        else "stop what is signed in there"
    )
    return (
        f"database {database}: {', '.join(sorted(set(map(str, left))))} is in progress behind the fence, and what it "
        f"commits would be missing on the new database; {remedy}, then run `pulumi up` again"
    )


def _in_progress(session: Session) -> tuple[int, list[Transaction]]:
    """The next transaction id, and who is at work before it in this database, or in none that is known."""
    upcoming, xids = session.row(
        "SELECT pg_snapshot_xmax(s)::text::bigint, ARRAY(SELECT pg_snapshot_xip(s)::text::bigint)"
        " FROM pg_current_snapshot() AS s"
    )
    return int(upcoming), _who(session, xids) if xids else []


_OWNERS = (
    "FROM unnest(%s::bigint[]) AS x(id)"
    " LEFT JOIN pg_prepared_xacts p ON p.transaction = x.id::text::xid8::xid"
    " LEFT JOIN pg_locks l ON l.locktype = 'transactionid' AND l.granted AND l.mode = 'ExclusiveLock'"
    " AND l.transactionid = x.id::text::xid8::xid"
    " LEFT JOIN pg_stat_activity a ON a.pid = l.pid LEFT JOIN pg_roles r ON r.oid = a.usesysid"
)


def _who(session: Session, xids: list[int]) -> list[Transaction]:
    rows = session.rows(
        "SELECT a.pid, coalesce(a.usename, p.owner, a.backend_type, '')::text, p.gid,"
        f" a.backend_type = 'client backend' AND {OURS},"
        f" coalesce(a.datname, p.database, current_database()) = current_database() {_OWNERS}",
        xids,
    )
    return [Transaction(pid, role, gid, bool(ours)) for pid, role, gid, ours, here in rows if here]
