"""Whether a fence could be had on a leader: asked while the apps still serve, each answer with what a person can do."""

from collections.abc import Iterable

from heroku_changeover.reach.sql import Blocker, Session
from heroku_changeover.terms.errors import Refused, TimedOut
from heroku_changeover.terms.order import Order
from heroku_changeover.ways.way import Changeover

BLOCKED = 5
"""Seconds in which whoever holds a table has to let it go once: work of every day does not hold one for longer."""


def require_fenceable(c: Changeover, leader: Session) -> None:
    """
    Raises:
        Refused: names what would keep the fence from being had.
    """
    _require_writable(leader, c.order)
    _require_room(leader, c.order)
    _require_no_vacuum(leader, c.order)
    _require_nobody_in_the_way(c, leader)


def _require_writable(leader: Session, order: Order) -> None:
    """A retired database that became DATABASE again by hand is read-only still, and a copy would be so too."""
    name = order.leader
    if not leader.owns_the_database():
        raise Refused(
            f"the default credential of {name} does not own the database, so it cannot fence it; "
            "`verify: api` goes on without that proof"
        )
    if refusal := leader.refuses_writes():
        raise Refused(
            f"{name} takes no writes ({refusal}); if a changeover has made it read-only, "
            f"`heroku pg:psql {name} --app {order.apps[0]} --command '{leader.unsealing()}'` lets it take writes, "
            "then `pulumi up` again"
        )


def _require_room(leader: Session, order: Order) -> None:
    """Heroku lets nobody change these settings, and gives a plan with more connections more room."""
    needed, room = leader.room_for_locks()
    if needed > room:
        raise Refused(
            f"{order.leader} has {needed:,} tables to lock, and its server has room for {room:,} locks, by its setting "
            "max_locks_per_transaction and the connections of its plan, which only Heroku can change; `verify: api` "
            "goes on without a lock, and without proof"
        )


def _require_no_vacuum(leader: Session, order: Order) -> None:
    if tables := leader.tables_vacuumed_against_wraparound():
        raise Refused(
            f"PostgreSQL vacuums {', '.join(tables)} of {order.leader} against transaction id wraparound, and does "
            "not stop for the fence's lock; wait until it is done (see pg_stat_progress_vacuum), then `pulumi up` again"
        )


def _require_nobody_in_the_way(c: Changeover, leader: Session) -> None:
    """Of those who hold a table now, everybody lets go soon, or is ours to end."""
    left = set(leader.in_the_way())

    def holding() -> str | None:
        left.intersection_update(leader.in_the_way())
        return _listed(left) if left else None

    try:
        c.world.urgent().until(f"the tables of {c.order.leader} to be free", holding, c.world.after(BLOCKED))
    except TimedOut as error:
        raise Refused(
            f"on {c.order.leader} tables are held by {_listed(left)}, which the fence would wait for in vain; "
            f"{'; '.join(sorted({b.advice for b in left}))}, then `pulumi up` again"
        ) from error


def _listed(blockers: Iterable[Blocker]) -> str:
    return "; by ".join(sorted(b.what for b in blockers))
