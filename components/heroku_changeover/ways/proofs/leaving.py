"""The old database when its last write was carried over: sealed, watched for writes, and let go."""

from heroku_changeover.apps.attachments import strangers_on
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.sql import Fence
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.ways.limits import SEAL_LIMIT
from heroku_changeover.ways.way import Changeover

RELEASE_PATIENCE = 15
"""Seconds that the fence is held on for writes that cannot be made to fail, while dynos boot already."""


def seal(c: Changeover, leader: Database, fence: Fence) -> int:
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


def let_go(world: World, document: Document, fence: Fence, before: int) -> None:
    """
    Whoever waited fails, or is named. `before` is the id that the old database would give out next if nobody but the
    changeover started a transaction since the barrier; the look comes last, so that nothing slips by in between.
    """
    with doing(Act.LET_GO):
        gone = fence.let_go(world.after(RELEASE_PATIENCE))
    _note_tripwire(world, document, fence, before + gone.taken)
    document.tell(lambda report: report._replace(blocked_at_release=gone.committed))
    if gone.committed:
        world.report(
            f"ALARM: writes of {', '.join(gone.committed)} waited behind the fence on {fence.database} and are "
            "committed there now that it was let go; bring them over to the new primary by hand"
        )


def _note_tripwire(world: World, document: Document, fence: Fence, before: int) -> None:
    """Analyze can take an id as well, so it is an alarm and not a verdict."""
    after = fence.position().upcoming
    document.tell(lambda report: report._replace(tripwire_before=before, tripwire_after=after))
    if after != before:
        by = f"; seen at work there: {', '.join(fence.at_work)}" if fence.at_work else ""
        world.report(
            f"ALARM: {after - before} transactions were started on {fence.database} since the barrier{by}. What they "
            "wrote may be missing on the new primary: compare both"
        )
