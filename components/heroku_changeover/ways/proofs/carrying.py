"""
Everything that happens while the fence is held, from the barrier to the sealed old database.

    lock · end sessions · barrier · brought over · cut · writable · old one sealed · DATABASE moved · lock let go

The old database is sealed as early as it can be, since the lock goes with this process and the seal does not: moving
may take as long as a release phase does.
"""

from functools import partial

from heroku_changeover.apps.attachments import strangers_on
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.sql import Fence, Session
from heroku_changeover.reach.threads import at_once
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import SqlUnreachable, TimedOut
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.verdict import of_apps_that_are_down
from heroku_changeover.ways.limits import LOCK_LIMIT, SEAL_LIMIT
from heroku_changeover.ways.moving import move_and_start
from heroku_changeover.ways.proofs.held import Held, held
from heroku_changeover.ways.undoing import act_on
from heroku_changeover.ways.way import Changeover, Ends, doubt

ROLE_LIMIT = 5
"""Seconds for a write of another role that waits behind the fence to be given up, before the target is cut off."""

RELEASE_PATIENCE = 15
"""Seconds that the fence is held on for such writes at the end, while dynos boot already."""

WRITABLE_LIMIT = 600
"""Seconds for the target to take writes; there is no published figure, PostgreSQL itself takes about 0.1 s."""


def carry_over(c: Changeover, situation: Situation, ends: Ends) -> None:
    with held(c, situation.stage, ends) as fenced, c.world.sql.session(ends.target.name, ends.target_url) as target:
        if situation.stage is Stage.BEFORE:
            upcoming = _cut(c, fenced.fence, target)
        else:
            upcoming = _proved(c, situation, fenced.fence, target)
        # Heroku calls a cut complete some time after the server takes writes; the old one is sealed meanwhile.
        sealed = partial(_sealed_once_writable, c, situation, ends, fenced, target, upcoming)
        upcoming, _ = at_once(sealed, partial(c.way.wait_until_cut, c))
        c.document.did(Moment.CUT_OFF)
        c.report(f"{ends.target.name} takes writes, and gets nothing of {ends.leader.name} any more")
        move_and_start(c, situation, ends)
        _note_tripwire(c.world, c.document, fenced.fence, upcoming)
        _note_who_waits(c.world, c.document, fenced.fence)


def _cut(c: Changeover, fence: Fence, target: Session) -> int:
    """
    Everything committed is on the target, then it is cut off; returns the leader's next transaction id at the barrier.

    Other sessions are ended behind the fence: one that does nothing holds up no lock, so that costs no time, and none
    is ended for a fence that is not had.
    """
    with doing(Act.END_SESSIONS):
        ended = fence.end_sessions()
    with doing(Act.BARRIER):
        mark = fence.set_mark()
    c.way.bring_over(c, fence, target, mark)
    with doing(Act.AWAIT_OTHER_ROLES):
        _require_nobody_waits(fence, min(c.budget_ends, c.world.after(ROLE_LIMIT)))
    _name_who_came_back(c.world, c.document, fence, ended)
    c.document.did(Moment.PROVED)
    c.report(f"{target.database} has everything up to {mark.lsn}: every committed write is there")
    if not fence.is_held():
        raise TimedOut(f"the fence on {fence.database} was lost before {target.database} was cut off")
    c.require_budget()
    c.way.cut(c)
    return mark.upcoming


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


def _proved(c: Changeover, situation: Situation, fence: Fence, target: Session) -> int:
    """
    The leader took no write since the target was cut off; returns its next transaction id.

    Raises:
        NeedsPerson: that is not certain. The apps are put back on the leader, unless one has moved already.
    """
    position = fence.position()
    verdict = of_apps_that_are_down(situation, doubt(c.way, position, target.position()))
    act_on(c, situation, verdict, partial(_unseal, fence))
    return position.upcoming


def _unseal(fence: Fence) -> None:
    """And the lock goes with it, because the apps are about to write there."""
    with doing(Act.UNSEAL):
        fence.unseal()
    fence.release()


def _sealed_once_writable(
    c: Changeover, situation: Situation, ends: Ends, fenced: Held, target: Session, upcoming: int
) -> int:
    """Returns the transaction id that the old database would give out next, if nobody writes."""
    with doing(Act.AWAIT_WRITABLE):
        c.world.urgent().until(
            f"{ends.target.name} to take writes", lambda: _refusal(c, ends, target), c.world.after(WRITABLE_LIMIT)
        )
    if not fenced.fence.is_held():
        fenced.fence.release()
        fenced.fence = c.world.sql.fence(ends.leader.name, ends.leader_url, c.world.after(LOCK_LIMIT))
        upcoming = _proved(c, situation, fenced.fence, target)
    return upcoming + _seal(c, ends.leader, fenced.fence)


def _refusal(c: Changeover, ends: Ends, target: Session) -> str | None:
    """Why it takes no write; a session that cannot be had is one reason, because a promotion may restart the server."""
    if target.is_alive():
        return target.refuses_writes()
    try:
        with c.world.sql.session(ends.target.name, ends.target_url) as session:
            return session.refuses_writes()
    except SqlUnreachable as error:
        return str(error)


def _seal(c: Changeover, leader: Database, fence: Fence) -> int:
    """
    The old database is read-only from here on; returns how many transaction ids that took. If an app outside of the
    order has got it as DATABASE since the target was cut off, it stays as it is, and so do its sessions.
    """
    if strangers := strangers_on(c.world, leader, c.order):
        c.document.tell(lambda report: report._replace(not_sealed=tuple(strangers)))
        c.report(
            f"ALARM: {leader.name} is DATABASE of {', '.join(strangers)}, which is not among the apps that move; so it "
            "is not made read-only, and what is written there from now on is not on the new primary"
        )
        return 0
    c.document.did(Moment.SEALING)
    with doing(Act.SEAL):
        taken = fence.seal(c.world.after(SEAL_LIMIT))
    c.document.tell(lambda report: report._replace(not_sealed=()))
    c.document.did(Moment.SEALED)
    return taken


def _note_tripwire(world: World, document: Document, fence: Fence, before: int) -> None:
    """
    Nobody but the seal started a transaction on the old leader since the barrier; analyze can, so it is an alarm and
    not a verdict.
    """
    after = fence.position().upcoming
    document.tell(lambda report: report._replace(tripwire_before=before, tripwire_after=after))
    if after != before:
        world.report(
            f"ALARM: {after - before} transactions were started on {fence.database} behind the fence; see the report"
        )


def _note_who_waits(world: World, document: Document, fence: Fence) -> None:
    """A write that came up behind the fence is acknowledged by the old database as soon as that is let go."""
    roles = fence.still_waiting(world.after(RELEASE_PATIENCE))
    document.tell(lambda report: report._replace(blocked_at_release=tuple(roles)))
    if roles:
        world.report(
            f"ALARM: writes of {', '.join(roles)} wait behind the fence on {fence.database} and are "
            "committed there when it is let go now; bring them over to the new primary by hand"
        )
