"""Where a database stands in the order of its transactions, and whether one lacks what another one took."""

from typing import NamedTuple

XIDS = 2**32
"""Transaction ids in a row's xmin wrap around at this number, those in a snapshot do not."""


class Position(NamedTuple):
    """
    `barrier` is the transaction id, modulo 2^32, of the last barrier, which replicates; `sealed` that of the seal,
    None without one; `upcoming` the id that would be given out next. If that is unchanged later, nobody wrote.
    """

    database: str
    barrier: int
    sealed: int | None
    upcoming: int


def took_writes(leader: Position) -> str | None:
    """
    Why it is not certain that a leader took no write since its barrier; None when it is certain: its last transaction
    is the barrier of a fence, or the seal right behind it.
    """
    later = (leader.upcoming - leader.barrier - 1) % XIDS
    if leader.sealed is not None and (leader.sealed - leader.barrier) % XIDS == 1:
        later -= 1
    if later:
        return f"{leader.database} has started {later} transactions since the barrier; each of them may be a write"
    return None


def other_barrier(leader: Position, copy: Position) -> str | None:
    """Why a copy that replicated may lack what was before its leader's barrier; None when it has that very barrier."""
    if leader.barrier == copy.barrier:
        return None
    return f"barrier {leader.barrier} of {leader.database} is not on {copy.database}, whose last one is {copy.barrier}"
