"""
From the fence to the cut: the barrier is on the target, and it is the last transaction of the leader.

    end sessions · barrier, when no transaction is in progress · brought over · nobody waits · still the last one · cut
"""

from functools import partial

from heroku_changeover.reach.document import Document
from heroku_changeover.reach.sql import Fence, Mark, Session
from heroku_changeover.reach.threads import at_once
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import TimedOut
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.position import took_writes
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.proofs.alone import require_leading, require_unmoved
from heroku_changeover.ways.way import Changeover, Ends

QUIET_LIMIT = 15
"""Seconds for the leader to have no transaction in progress, and to start none while the target catches up."""

CALM = 1.0
"""Seconds without any transaction after somebody was seen at work behind the fence."""

CALM_POLL = 0.05

MOST_NAMED = 5
"""How many tables a message names."""

ROLE_LIMIT = 5
"""Seconds for a write of another role that waits behind the fence to be given up, before the target is cut off."""


def cut(c: Changeover, situation: Situation, ends: Ends, fence: Fence, target: Session) -> int:
    """
    Everything committed is on the target, then it is cut off; returns the leader's next transaction id at the barrier.

    Other sessions are ended behind the fence: one that does nothing holds up no lock, so that costs no time, and none
    is ended for a fence that is not had.
    """
    require_leading(c, situation, ends, fence, target)
    with doing(Act.END_SESSIONS):
        ended = fence.end_sessions()
    deadline = min(c.budget_ends, c.world.after(QUIET_LIMIT))
    bring_over = partial(_bring_over, c, fence, target, deadline)
    mark, _ = at_once(bring_over, partial(require_unmoved, c, situation, ends.target))
    with doing(Act.AWAIT_OTHER_ROLES):
        _require_nobody_waits(fence, min(c.budget_ends, c.world.after(ROLE_LIMIT)))
    _name_who_came_back(c.world, c.document, fence, ended)
    upcoming = _last(c, fence, target, mark, deadline)
    if not fence.is_held():
        raise TimedOut(f"the fence on {fence.database} was lost before {target.database} was cut off")
    c.require_budget()
    c.way.cut(c)
    return upcoming


def _bring_over(c: Changeover, fence: Fence, target: Session, deadline: float) -> Mark:
    """The barrier itself is on the target, and not only what is called the same position in somebody's log."""
    with doing(Act.BARRIER):
        mark = fence.set_mark(deadline)
    c.way.bring_over(c, fence, target, mark)
    if lacks := c.way.lacks(fence.position(), target.position()):
        raise TimedOut(f"{lacks}, although it has replayed all up to {mark.lsn}; it was not cut off")
    return mark


def _last(c: Changeover, fence: Fence, target: Session, mark: Mark, deadline: float) -> int:
    """
    The barrier is the last transaction right before the cut; where somebody comes after it, a new one is set. Who came
    once may come while the target is cut off, so that the leader has to stay quiet for some time then.

    Raises:
        TimedOut: somebody comes again and again; names who was seen at it.
    """
    calm = CALM if fence.is_disturbed else 0.0
    while not _stays_last(c, fence, calm):
        if c.world.clock.now() >= deadline:
            raise TimedOut(_never_quiet(fence))
        mark, calm = _bring_over(c, fence, target, deadline), CALM
    c.document.did(Moment.PROVED)
    c.report(f"{target.database} has everything up to {mark.lsn}: every committed write is there")
    return mark.upcoming


def _stays_last(c: Changeover, fence: Fence, seconds: float) -> bool:
    ends = c.world.after(seconds)
    while took_writes(fence.position()) is None:
        if c.world.clock.now() >= ends:
            return True
        c.world.clock.sleep(CALM_POLL)
    return False


def _never_quiet(fence: Fence) -> str:
    by = ", ".join(fence.at_work or fence.other_roles()) or "somebody who could not be seen"
    where = f", perhaps on {', '.join(fence.unlocked[:MOST_NAMED])}" if fence.unlocked else ""
    return (
        f"database {fence.database}: {by} starts transactions again and again behind the fence{where}, which this role "
        "may not lock, and what they commit while the new database is cut off would be missing there; stop what is "
        "signed in there, then run `pulumi up` again"
    )


def _require_nobody_waits(fence: Fence, deadline: float) -> None:
    """A write of another role that waits behind the fence would be acknowledged by the old database, and be lost."""
    if roles := fence.still_waiting(deadline):
        raise TimedOut(
            f"database {fence.database}: writes of {', '.join(roles)} wait behind the fence, and only these "
            "roles may end their sessions; stop what writes with these credentials, then run `pulumi up` again"
        )


def _name_who_came_back(world: World, document: Document, fence: Fence, ended: frozenset[int]) -> None:
    """Says which of the sessions were replaced by new ones since they were ended."""
    if not ended:
        return
    back = len(set(fence.other_sessions()) - ended)
    again = f"; {back} came back, so a client outside the apps uses it: the fence holds it" if back else ""
    world.report(f"{len(ended)} other sessions on {fence.database} were ended{again}")
    document.tell(lambda report: report._replace(sessions_ended=len(ended), sessions_back=back))
