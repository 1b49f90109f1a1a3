"""What is live, and how far a changeover has come, judged by that alone."""

from collections.abc import Callable, Iterable
from enum import Enum
from typing import NamedTuple

from heroku_changeover.terms.errors import Busy, Incomplete, Refused
from heroku_changeover.terms.facts import App, Database
from heroku_changeover.terms.order import Order

IsTied = Callable[[Order, Database], bool]
"""
Whether a target that no app uses can be brought up to date from the leader still; its way says so, and refuses one that
fits no changeover.
"""


class Stage(Enum):
    """How far a changeover has come, judged by what is live; the value is told to a person."""

    BEFORE = "the new database is not in use yet, and can be brought up to date from the old one"
    CUT_OFF = "the new database is cut off from the old one, but not every app has moved to it"
    MOVED = "the new database is the primary of every app"
    GONE = "the new database is gone, and the old one is the primary"
    SUPERSEDED = "a later changeover has moved the apps on, or the database of this one is gone"

    @property
    def is_over(self) -> bool:
        """Whether no app has to go down any more."""
        return self in {Stage.MOVED, Stage.SUPERSEDED}


class Situation(NamedTuple):
    """What is live: the ordered apps by name, the leader and the target (None when the add-on does not exist)."""

    apps: dict[str, App]
    leader: Database | None
    target: Database | None
    stage: Stage

    @property
    def is_serving(self) -> bool:
        return all(app.is_serving for app in self.apps.values())

    @property
    def down(self) -> list[str]:
        """The apps that no user reaches."""
        return [app.name for app in self.apps.values() if not app.is_serving]

    @property
    def moved(self) -> list[str]:
        """The apps whose DATABASE is the target."""
        return [name for name, app in self.apps.items() if _is_primary_of(self.target, app)]

    @property
    def unmoved(self) -> list[str]:
        return [name for name, app in self.apps.items() if not _is_primary_of(self.target, app)]

    @property
    def running(self) -> list[str]:
        """The apps that have not moved and run dynos, or will: whatever these are, they may write to the leader."""
        return [name for name in self.unmoved if self.apps[name].writers or self.apps[name].dynos]


def _is_primary_of(database: Database | None, app: App) -> bool:
    return database is not None and app.primary is not None and app.primary.addon_id == database.id


def stage_of(
    order: Order, apps: Iterable[App], target: Database | None, is_tied: IsTied, *, past_return: bool = False
) -> Stage:
    """
    Judges how far the changeover has come; `past_return` is whether the target may have been cut off already.

    Raises:
        Incomplete: what is live is not known at this moment.
        Refused: what is live fits no changeover from this leader to this target.
    """
    apps = list(apps)
    held = [app.primary.addon_name if app.primary else None for app in apps]
    primaries, ours = set(filter(None, held)), {order.leader, order.target}
    if target is None:
        return Stage.GONE if order.leader in primaries else Stage.SUPERSEDED
    if primaries and not primaries & ours:
        return Stage.SUPERSEDED
    if primaries - ours:
        raise Busy(_divided(order, apps, order.target if order.target in primaries else order.leader))
    if not target.is_follower and set(held) == {order.target}:  # an app may have no DATABASE for a moment
        return Stage.MOVED
    if order.target in primaries:  # whatever the Data API says of it, or does not say, at this moment
        return _of_one_in_use(order, target, past_return)
    return Stage.BEFORE if target.is_being_made or is_tied(order, target) else Stage.CUT_OFF


def _divided(order: Order, apps: Iterable[App], right: str) -> str:
    """A database can be taken away as DATABASE only where its app has it under another name too."""
    has = {a.name: a.primary.addon_name for a in apps if a.primary}
    others = {name: addon for name, addon in has.items() if addon not in {order.leader, order.target}}
    named = {a.name: [x.addon_name for x in a.attachments] for a in apps}
    spare = [f"`heroku addons:attach {d} --app {n}`" for n, d in others.items() if named[n].count(d) == 1]
    cure = [f"`heroku addons:attach {right} --as DATABASE --app {n} --confirm {n}`" for n in others]
    listed = "; ".join(f"DATABASE of {name} is {addon}" for name, addon in others.items())
    return (
        f"{listed}, and of the other apps it is {right}: another run moves them, or a person gave it that. Once nobody "
        f"is at work on them, {', '.join([*spare, *cure])} makes them one again, then run `pulumi up` again; to move "
        "them apart, list only apps with one database in `apps`"
    )


def _of_one_in_use(order: Order, target: Database, past_return: bool) -> Stage:
    if target.is_follower and past_return:
        raise Incomplete(f"the Data API calls {order.target} a follower still; run `pulumi up` again")
    if target.is_follower:
        raise Refused(
            f"{order.target} is DATABASE of an app but still a follower: attach {order.leader} as DATABASE again"
        )
    return Stage.CUT_OFF


def require_own(order: Order, apps: Iterable[App], leader: Database | None, target: Database | None) -> None:
    """
    Leader and target are two databases, and whoever is called DATABASE by one of their names is that database.

    Raises:
        Refused: a name means another add-on than it seems.
    """
    if leader is not None and target is not None and leader.id == target.id:
        raise Refused(
            f"{order.leader} and {order.target} are one and the same database ({leader.id}), which cannot take its "
            f"own place; nothing was started: {_LOOK_AT_THE_ORDER}"
        )
    ids = {d.name: d.id for d in (leader, target) if d is not None}
    for app in apps:
        if app.primary is not None and ids.get(app.primary.addon_name, app.primary.addon_id) != app.primary.addon_id:
            raise Refused(
                f"DATABASE of {app.name} is add-on {app.primary.addon_id}, which was {app.primary.addon_name} a moment "
                "ago and is not now: somebody renames add-ons; run `pulumi up` again when that is done"
            )


def require_two(order: Order) -> None:
    """
    Raises:
        Refused: one name is given for the leader and for the target.
    """
    if order.leader == order.target:
        raise Refused(
            f"{order.leader} is named as the database that is left and as the one that takes its place; nothing was "
            f"started: {_LOOK_AT_THE_ORDER}"
        )


def require_down(situation: Situation) -> None:
    """
    Raises:
        Refused: an app was brought up again inside the window.
    """
    if situation.running:
        raise Refused(
            f"app {_listed(situation.running)} was brought up again inside the window, and what it writes may be "
            "missing on the new database: leave it down while a changeover is under way, and run `pulumi up` again"
        )


_LOOK_AT_THE_ORDER = "run `pulumi preview` and see which database it takes for the primary"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))
