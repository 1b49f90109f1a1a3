"""
The way `follow` as one object, which the steps call.

Each part is imported where it is used: the start of a step is part of the outage, and none needs all of them.
"""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from heroku_changeover.reach.sql import Fence, Mark, Session
from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.position import Position, other_barrier
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.way import Changeover, Words

if TYPE_CHECKING:
    from heroku_changeover.terms.finding import Finding
    from heroku_changeover.terms.prospect import Prospect


class Follow:
    """The target is born as a follower of the leader; the unfollow cannot be taken back."""

    name = "follow"
    budget = 300
    cut_is_final = True
    words = Words(
        is_born="as a follower of",
        is_ready="has caught up and stays close behind",
        is_held="keeps following",
        cut="it is unfollowed",
        no_return="the unfollow",
        figure="at 0 commits behind by Heroku's figure, for 20 s, and without the rows of UNLOGGED tables",
    )

    def fits(self, prospect: "Prospect") -> bool:
        from heroku_changeover.ways.follow import findings

        return findings.can_be_followed(prospect)

    def findings(self, prospect: "Prospect") -> "Iterator[Finding]":
        from heroku_changeover.ways.follow import findings

        return findings.findings(prospect)

    def follows(self, leader: Database) -> str | None:
        return leader.name

    def is_target(self, database: Database, leader: Database) -> bool:
        return database.is_follower and database.following == leader.name

    def is_tied(self, order: Order, target: Database) -> bool:
        if target.is_follower and target.following not in {order.leader, None}:
            raise Refused(
                f"{order.target} follows {target.following}, not {order.leader}: remove it and run `pulumi up` again"
            )
        return target.is_follower

    def wait_until_ready(self, c: Changeover) -> None:
        from heroku_changeover.ways.follow import readiness

        readiness.wait_until_ready(c)

    def require_ready(self, c: Changeover, situation: Situation) -> None:
        from heroku_changeover.ways.follow import readiness

        readiness.require_ready(c, situation)

    def require_reach(self, c: Changeover, leader: Session, target: Session) -> None:
        from heroku_changeover.ways.follow import readiness

        readiness.require_reach(c, leader, target)

    def bring_over(self, c: Changeover, fence: Fence, target: Session, mark: Mark) -> None:
        from heroku_changeover.ways.follow import logged, replay

        logged.require_logged_still(c, fence)
        replay.wait_until_replayed(c.world.clock, target, mark, c.budget_ends)

    def bring_over_by_figure(self, c: Changeover, target: Database) -> bool:
        from heroku_changeover.ways.follow import replay

        return replay.comes_to_zero(c, target)

    def cut(self, c: Changeover) -> None:
        from heroku_changeover.ways.follow import unfollow

        unfollow.unfollow(c.world, c.document, c.order.target)

    def wait_until_cut(self, c: Changeover) -> None:
        from heroku_changeover.ways.follow import unfollow

        unfollow.wait_until_unfollowed(c.world, c.order.target)

    def lacks(self, leader: Position, target: Position) -> str | None:
        return other_barrier(leader, target)

    def settled(self, c: Changeover) -> Situation:
        from heroku_changeover.ways.follow import unfollow

        return unfollow.settled(c)


FOLLOW = Follow()
