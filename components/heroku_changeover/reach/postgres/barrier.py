"""The barrier: a transaction that tells up to where a copy has everything, and whether anybody wrote after it."""

from psycopg import sql

from heroku_changeover.reach.postgres.seal import SEAL_XID
from heroku_changeover.reach.postgres.session import NAME, Session
from heroku_changeover.reach.sql import Mark
from heroku_changeover.terms.errors import SqlUnreachable
from heroku_changeover.terms.position import Position

BARRIER_XID = "(SELECT xmin::text::bigint FROM pg_database WHERE datname = current_database())"
NEXT_XID = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


def set_mark(session: Session) -> Mark:
    """
    Commits the barrier on a leader and returns where it lies.

    Everything committed before it, asynchronous commits included, is at or before its flushed position. The barrier
    also rewrites the database's own catalogue row with the values that it has. On the target, and after a crash of this
    process, the row's xmin then tells up to which transaction everything is there.

    `upcoming` is the id behind its own: whoever gets that one or a later one comes after the barrier.
    """
    limit, name = session.row(
        "SELECT datconnlimit, quote_ident(datname) FROM pg_database WHERE datname = current_database()"
    )
    with session.transaction():
        session.do(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(sql.SQL(name), int(limit)))
        session.row("SELECT pg_logical_emit_message(true, %s, 'barrier')", NAME)
        (own,) = session.row("SELECT pg_current_xact_id()::text::bigint")
    (lsn,) = session.row("SELECT pg_current_wal_flush_lsn()::text")
    return Mark(str(lsn), int(own) + 1)


def flushed(session: Session) -> str:
    """
    Up to where the log of a leader is on disk.

    Not the insert position: on a quiet leader its last bytes are not sent for up to 15 s.
    """
    return str(session.row("SELECT pg_current_wal_flush_lsn()::text")[0])


def missing(session: Session, lsn: str) -> int:
    """
    How many bytes a copy has yet to replay up to a position of its leader's; none when it is past it.

    Raises:
        SqlUnreachable: it is no copy any more, so that it never gets there.
    """
    (behind, is_copy) = session.row(
        "SELECT pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn()), pg_is_in_recovery()", lsn
    )
    if behind is None or (behind > 0 and not is_copy):
        raise SqlUnreachable(f"database {session.database} is no copy any more: it was cut off in the middle of this")
    return max(int(behind), 0)


def position(session: Session) -> Position:
    barrier, sealed, upcoming = session.row(f"SELECT {BARRIER_XID}, {SEAL_XID}, {NEXT_XID}")
    return Position(session.database, int(barrier), None if sealed is None else int(sealed), int(upcoming))
