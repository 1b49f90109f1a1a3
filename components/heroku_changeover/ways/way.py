"""
One changeover, and what its way and its proof have to be able to do.

A way is one object with this interface; nothing outside of its folder asks which one it is.
"""

from collections.abc import Callable, Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

from heroku_changeover.apps.addresses import Addresses
from heroku_changeover.reach import look
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.sql import Fence, Mark, Session
from heroku_changeover.reach.threads import at_once
from heroku_changeover.reach.world import World
from heroku_changeover.terms.captured import captured
from heroku_changeover.terms.errors import Incomplete, Refused, TimedOut
from heroku_changeover.terms.facts import App, Database
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.position import Position, took_writes
from heroku_changeover.terms.situation import Situation, Stage, require_own, require_two, stage_of
from heroku_changeover.terms.verdict import Verdict
from heroku_changeover.terms.window import Window

if TYPE_CHECKING:
    from heroku_changeover.terms.finding import Finding
    from heroku_changeover.terms.prospect import Prospect

Keep = Callable[[Order, Document], None]
"""Makes sure that a keeper watches over the window; raises `Refused` where that cannot be had."""


def unwatched(_: Order, __: Document) -> None:
    """For whoever closes a window: no keeper has to watch over that."""


class Words(NamedTuple):
    """
    A way as the runbook tells it, in the middle of sentences: how the target `is_born` ("as a follower of"), when it
    `is_ready` ("has caught up"), how it waits while it `is_held` ("keeps following"), what is done when the apps are
    down (`cut`, "it is unfollowed"), the `no_return` that this is ("the unfollow"), and what Heroku's `figure` says
    where nothing is proved.
    """

    is_born: str
    is_ready: str
    is_held: str
    cut: str
    no_return: str
    figure: str


class Changeover:
    """One changeover as a step process sees it."""

    def __init__(
        self, order: Order, way: "Way", proof: "Proof", world: World, document: Document, keep: Keep = unwatched
    ) -> None:
        self.order, self.way, self.proof = order, way, proof
        self.world, self.document, self.keep = world, document, keep
        self.addresses = Addresses(world.heroku, order.apps)

    @property
    def window(self) -> Window:
        return self.document.window

    @property
    def report(self) -> Callable[[str], None]:
        return self.world.report

    def go_on_undisturbed(self) -> None:
        """From here on what is done here is done even when the process was asked to end."""
        self.world = self.world.undisturbed()
        self.addresses.ask(self.world.heroku)

    @property
    def budget_ends(self) -> float:
        """When the window's budget is spent; before maintenance mode it has not begun."""
        began = self.window.budget_began
        return (self.world.clock.now() if began is None else began) + self.order.budget

    def require_budget(self) -> None:
        """
        Raises:
            TimedOut: the window has been open for longer than it may be.
        """
        if self.world.clock.now() > self.budget_ends:
            raise TimedOut(f"the window's budget of {self.order.budget} s is spent")

    def observe(self, *, addresses: bool = False) -> Situation:
        """
        Looks at the apps and both databases, all at once; with `addresses` at what `url_of` will need as well.

        Raises:
            Refused: what is live fits no changeover from this leader to this target.
            Incomplete: what may have been cut off is not known at this moment, so nothing follows from this look.
        """
        order, heroku = self.order, self.world.heroku
        require_two(order)
        databases = [partial(look.database_named, heroku, name) for name in (order.leader, order.target)]
        looks = [partial(look.app_from, heroku, name) for name in order.apps]
        also = [partial(self.addresses.read_ahead, order.apps[:1])] if addresses else []
        leader, target, *rest = at_once(*databases, *looks, *also)
        apps: dict[str, App] = {app.name: app for app in rest[: len(order.apps)]}
        require_own(order, apps.values(), leader, target)
        past = self.window.is_past_return
        stage = stage_of(order, apps.values(), target, self.way.is_tied, past_return=past)
        if stage is Stage.BEFORE and past and target is not None and not target.is_known:
            raise Incomplete(f"the Data API does not know {target.name} at this moment; run `pulumi up` again")
        return Situation(apps, leader, target, stage)

    def capture(self, situation: Situation) -> None:
        """Brings the record of how each app is to be left up to date with what is live, or raises what that does."""
        self.document.found(captured(self.window, self.order, situation))

    def url_of(self, database: Database) -> str:
        """The database's address with the default credential, empty where nothing tells it; it holds a password."""
        return self.addresses.of(database)

    def require_url(self, database: Database) -> str:
        """
        Raises:
            Refused: nothing tells the address; says how an app gets to hold it.
        """
        if url := self.url_of(database):
            return url
        raise Refused(
            f"no app has {database.name} with its default credential, whose role alone owns what is in it: "
            f"`heroku addons:attach {database.name} --app {self.order.apps[0]}` gives it a name there, then run "
            "`pulumi up` again"
        )


class Ends:
    """Both ends of a move, as they were when the apps went down; the addresses hold passwords, and are never shown."""

    def __init__(self, leader: Database, target: Database, leader_url: str, target_url: str) -> None:
        self.leader, self.target, self.leader_url, self.target_url = leader, target, leader_url, target_url


def doubt(way: "Way", leader: Position, target: Position) -> str | None:
    """Why it is not certain that a target that was cut off has every write of its leader; None when it is."""
    return way.lacks(leader, target) or took_writes(leader)


class Way(Protocol):
    """How the data gets onto the target."""

    name: str
    """Stands in the command text of each step, so it never changes; the first way's is left out there."""

    budget: int
    """Seconds from maintenance mode to the point of no return, unless the user gives another figure."""

    words: Words

    cut_is_final: bool
    """
    Whether the point of no return is the cut; where it is not, it is the move of the first app, and before that the
    apps are put back although the target is cut off.
    """

    # Decided from facts, before anything is declared.

    def fits(self, prospect: "Prospect") -> bool:
        """Whether this is the way for that move."""
        ...

    def findings(self, prospect: "Prospect") -> "Iterator[Finding]":
        """What speaks against it, or has to be known of it."""
        ...

    def follows(self, leader: Database) -> str | None:
        """What the target is made to follow; None where it is born empty."""
        ...

    def is_target(self, database: Database, leader: Database) -> bool:
        """Whether a database of this stack, which no app uses, is one that an earlier run made for this move."""
        ...

    # Done by the steps.

    def is_tied(self, order: Order, target: Database) -> bool:
        """
        Whether a target that no app uses can be brought up to date from the leader still.

        Raises:
            Refused: it is one that fits no changeover from this leader.
        """
        ...

    def wait_until_ready(self, c: Changeover) -> None:
        """
        Waits, gently, until all is there that can be there before the apps go down.

        Raises:
            TimedOut: the limit ran out; nothing has been changed.
            Refused: it would not work on this database.
        """
        ...

    def require_ready(self, c: Changeover, situation: Situation) -> None:
        """The same again, right before the window opens: hours may have passed since it was found ready."""
        ...

    def require_reach(self, c: Changeover, leader: Session, target: Session) -> None:
        """
        Over SQL, with the apps still serving: all that the leader holds gets to the target, and soon.

        Raises:
            Refused, TimedOut: it does not; says what to do.
        """
        ...

    def bring_over(self, c: Changeover, fence: Fence, target: Session, mark: Mark) -> None:
        """
        Everything up to the mark is on the target when this returns; the leader is fenced.

        Raises:
            NothingChanged: the leader holds what does not come along.
            TimedOut: it is not there, within the budget.
        """
        ...

    def bring_over_by_figure(self, c: Changeover, target: Database) -> bool:
        """
        The same where SQL cannot reach, as far as Heroku's figures tell; False when the target was cut off meanwhile,
        as an earlier run had asked for.
        """
        ...

    def cut(self, c: Changeover) -> None:
        """What makes the target one that takes writes; notes `PASSING_RETURN` where it cannot be taken back."""
        ...

    def wait_until_cut(self, c: Changeover) -> None: ...

    def lacks(self, leader: Position, target: Position) -> str | None:
        """Why it is not certain that a target has everything up to the barrier of its leader; None when it is."""
        ...

    def settled(self, c: Changeover) -> Situation:
        """What is live once a cut that may be under way has shown itself; before that, putting back is premature."""
        ...


class Proof(Protocol):
    """How it is made sure that the target has every write."""

    seals: bool
    """Whether the old database is made read-only."""

    def sentence(self, leader: str, target: str, words: Words) -> str:
        """For the runbook, in the middle of a sentence."""
        ...

    def require_reach(self, c: Changeover) -> None:
        """
        What the proof needs is there, with the apps still serving.

        Raises:
            Refused: says what is missing and what to do.
        """
        ...

    def prepare(self, c: Changeover, situation: Situation) -> None:
        """What can be done ahead while dynos end."""
        ...

    def carry_over(self, c: Changeover, situation: Situation, ends: Ends) -> None:
        """
        From apps that are down on the leader to apps that start on the target, from whatever stage before that.

        Raises:
            ChangeoverError: before the point of no return everything may be put back.
            NeedsPerson: the target was cut off, and it is not certain that it has every write.
        """
        ...

    def verdict(self, c: Changeover, situation: Situation) -> Verdict:
        """Whether apps may be taken down for a target that is cut off already, as far as it can be told before that."""
        ...

    def require_turn(self, c: Changeover, situation: Situation) -> None:
        """
        Before apps go up again on the leader: no other run is at work on it.

        Raises:
            Busy: one is, so that the apps are its to bring up.
        """
        ...

    def seal_afterwards(self, c: Changeover, leader: Database) -> None:
        """Makes an old database read-only that was not sealed while the apps were moved, if it is not yet."""
        ...
