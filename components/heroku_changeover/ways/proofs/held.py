"""A fence for the length of a block, and what it holds and does not hold, written down."""

from collections.abc import Iterator
from contextlib import contextmanager

from heroku_changeover.reach.document import Document
from heroku_changeover.reach.sql import Fence
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Stage
from heroku_changeover.ways.limits import LOCK_LIMIT
from heroku_changeover.ways.way import Changeover, Ends


class Held:
    """A fence that is held; where its sessions broke, another one takes its place."""

    def __init__(self, fence: Fence) -> None:
        self.fence = fence


@contextmanager
def held(c: Changeover, stage: Stage, ends: Ends) -> Iterator[Held]:
    """
    The fence for the length of a block; the budget counts only as long as there is a way back.

    Until it is had, only sessions of our own role are ended, and of them only what holds a table after some patience.
    """
    deadline = c.world.after(LOCK_LIMIT)
    if stage is Stage.BEFORE:
        c.require_budget()
        deadline = min(deadline, c.budget_ends)
    with doing(Act.LOCK):
        fenced = Held(c.world.sql.fence(ends.leader.name, ends.leader_url, deadline))
    try:
        _note_fence(c.world, c.document, fenced.fence)
        _note_other_roles(c.world, c.document, fenced.fence)
        yield fenced
    finally:
        fenced.fence.release()


def _note_fence(world: World, document: Document, fence: Fence) -> None:
    document.did(Moment.FENCED)
    document.tell(lambda report: report._replace(tables_locked=fence.tables, tables_not_locked=fence.unlocked))
    not_locked = f"; not lockable for this role: {', '.join(fence.unlocked)}" if fence.unlocked else ""
    world.report(f"fence: {fence.tables} tables of {fence.database} are locked against writes{not_locked}")


def _note_other_roles(world: World, document: Document, fence: Fence) -> None:
    """Their sessions stay as they are: an ordinary role may end its own only, and one that reads does no harm."""
    roles = fence.other_roles()
    document.tell(lambda report: report._replace(other_roles=tuple(roles)))
    if roles:
        world.report(
            f"{', '.join(roles)} has sessions on {fence.database} that this role may not end; "
            "they can write there again once the fence is let go, until they end"
        )
