"""
Whether a database holds nothing that another one lacks, from what both servers tell an ordinary role over SQL.

Copies that began as followers share their system identifier; a promote begins a new timeline. The barrier of a fence is
a row of the database's own catalogue that replicates, so it tells up to where a copy has everything.
"""

from typing import NamedTuple

from heroku_changeover.reach.postgres.barrier import BARRIER_XID, NEXT_XID
from heroku_changeover.reach.postgres.seal import SEAL_XID, is_sealed
from heroku_changeover.reach.postgres.session import Session
from heroku_changeover.terms.position import XIDS

COUNTED = 10_000
"""The most transactions behind a barrier that are looked at one by one."""


class Standing(NamedTuple):
    """
    Where a server stands. `barrier` is the id modulo 2^32 of the last one; `later` how many transactions behind it may
    have written: those that were rolled back, and the seal, are not counted.
    """

    database: str
    system: str
    timeline: int
    barrier: int
    later: int
    sealed: bool
    recovering: bool = False


def standing(session: Session) -> Standing:
    """
    Raises:
        SqlUnreachable: the session broke.
    """
    system, recovering = session.row(
        "SELECT (SELECT system_identifier::text FROM pg_control_system()), pg_is_in_recovery()"
    )
    if recovering:
        return Standing(session.database, str(system), 0, 0, 0, sealed=False, recovering=True)
    name, barrier, seal, upcoming = session.row(
        f"SELECT pg_walfile_name(pg_current_wal_lsn()), {BARRIER_XID}, {SEAL_XID}, {NEXT_XID}"
    )
    timeline, later = int(str(name)[:8], 16), _later(session, int(barrier), seal, int(upcoming))
    return Standing(session.database, str(system), timeline, int(barrier), later, is_sealed(session))


def _later(session: Session, barrier: int, seal: int | None, upcoming: int) -> int:
    count = (upcoming - barrier - 1) % XIDS
    if count > COUNTED:
        return count
    return int(
        session.row(
            "SELECT count(*) FROM generate_series(%s::bigint, %s::bigint) AS id WHERE id %% 4294967296"
            " IS DISTINCT FROM %s::bigint AND pg_xact_status(id::text::xid8) IS DISTINCT FROM 'aborted'",
            upcoming - count,
            upcoming - 1,
            seal,
        )[0]
    )


def is_related(one: Standing, other: Standing) -> bool:
    """Whether one is a copy of the other, or both are copies of a third."""
    return one.system == other.system


def lacking(own: Standing, other: Standing) -> str | None:
    """
    Why it is not certain that the other one, which is related, holds all that the own one holds; None when it is.

    Certain is: both have the same last barrier, and behind it the own one took nothing, whichever of them was cut off
    from the other. Or: the own one is sealed, as a changeover leaves a database, and the other went on from it, with
    that barrier or a later one of its own.
    """
    if own.recovering or other.recovering:
        return f"{(own if own.recovering else other).database} is still in recovery"
    if own.barrier == other.barrier and not own.later:
        return None
    if own.sealed and other.timeline > own.timeline and _is_at_least(other.barrier, own.barrier):
        return None
    sealed = "" if own.sealed else f", and {own.database} was not sealed by a changeover"
    return f"{other.database} may lack what {own.database} took since they parted{sealed}"


def _is_at_least(barrier: int, other: int) -> bool:
    """Transaction ids go round: half of them are behind any other."""
    return (barrier - other) % XIDS < XIDS // 2
