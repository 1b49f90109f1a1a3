"""
The barrier: a mark in the log that says up to where a follower has everything, and who wrote after it.
"""

from dataclasses import dataclass

from psycopg import sql

from heroku_changeover.reach.postgres.fence import PATIENCE, POLL, Fence
from heroku_changeover.reach.postgres.seal import SEAL_XID
from heroku_changeover.reach.postgres.session import NAME, Session, end_sessions_on_a_copy
from heroku_changeover.reach.wait import Wait

XIDS = 2**32
"""Transaction ids in a row's xmin wrap around at this number, those in a snapshot do not."""


@dataclass(frozen=True, slots=True)
class Mark:
    """
    The end of what has to be on the follower.

    `lsn` is the leader's flushed position behind the barrier; `xid` is the barrier's transaction id modulo 2^32;
    `next_xid` the id that the leader would have given out next: unchanged later means that nobody wrote.
    """

    lsn: str
    xid: int
    next_xid: int


def set_mark(fence: Fence) -> Mark:
    """
    Commits the barrier and returns where it lies.

    Everything committed before it, asynchronous commits included, is at or before its flushed position. The barrier
    also rewrites the database's own catalogue row with the values that it has: the row's xmin then tells on the
    follower, and after a crash of this process, up to which transaction the follower has everything.
    """
    session = fence.observer
    limit, name = session.row(
        "SELECT datconnlimit, quote_ident(datname) FROM pg_database WHERE datname = current_database()"
    )
    session.do("SET synchronous_commit = on")
    with session.connection.transaction():
        session.do(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(sql.SQL(name), int(limit)))
        session.row("SELECT pg_logical_emit_message(true, %s, 'barrier')", NAME)
    lsn, xid, next_xid = session.row(f"SELECT pg_current_wal_flush_lsn()::text, {BARRIER_XID}, {NEXT_XID}")
    return Mark(str(lsn), int(xid), int(next_xid))


BARRIER_XID = "(SELECT xmin::text::bigint FROM pg_database WHERE datname = current_database())"


NEXT_XID = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


def wait_until_replayed(follower: Session, mark: Mark, fence: Fence, deadline: float) -> None:
    """
    Waits until the follower has replayed the barrier. A query on the follower can hold replay back, so its sessions
    are ended.

    Raises:
        TimedOut: says how many bytes are missing.
    """
    patient_until = fence.clock.now() + PATIENCE

    def missing() -> str | None:
        behind = int(follower.row("SELECT pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())", mark.lsn)[0])
        if behind > 0 and fence.clock.now() > patient_until:
            end_sessions_on_a_copy(follower)
        return f"{behind} bytes are missing" if behind > 0 else None

    Wait(fence.clock, lambda _: None, POLL).until(f"{follower.database} to have replayed {mark.lsn}", missing, deadline)


def next_xid(session: Session) -> int:
    """The transaction id that the server would give out next."""
    return int(session.row(f"SELECT {NEXT_XID}")[0])


def unproven(leader: Session, follower: Session) -> str | None:
    """
    Why it is not certain that the leader took no write since the follower was cut off; None when it is certain.

    Certain means: the leader's last transaction is the barrier of a fence, or the seal right behind it, and the
    follower has that very barrier.
    """
    on_leader, sealed, upcoming = leader.row(f"SELECT {BARRIER_XID}, {SEAL_XID}, {NEXT_XID}")
    on_follower = follower.row(f"SELECT {BARRIER_XID}")[0]
    if on_leader != on_follower:
        return (
            f"barrier {on_leader} of {leader.database} is not on {follower.database}, whose last one is {on_follower}"
        )
    later = (int(upcoming) - int(on_leader) - 1) % XIDS
    if sealed is not None and (int(sealed) - int(on_leader)) % XIDS == 1:
        later -= 1
    if later:
        return f"{leader.database} has started {later} transactions since the barrier; each of them may be a write"
    return None
