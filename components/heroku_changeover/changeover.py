"""One changeover as a step process sees it: what was ordered, what is live, and how far it has come."""

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import Enum
from typing import Any, TypeVar

from heroku_changeover.acts import Act, audit
from heroku_changeover.command import Order
from heroku_changeover.errors import NeedsPerson, Refused
from heroku_changeover.facts import App, Database
from heroku_changeover.heroku import Heroku
from heroku_changeover.journal import Journal, Record
from heroku_changeover.look import app_from, database_named
from heroku_changeover.wait import AT_ITS_EDGE, INSIDE_WINDOW, OUTSIDE_WINDOW, Clock, Wait
from heroku_changeover.window import Window, as_found

Item = TypeVar("Item")
Result = TypeVar("Result")


class Stage(Enum):
    """How far a changeover has come, judged by what is live."""

    FOLLOWING = "the follower follows the leader, and the leader is the primary"
    CUT_OFF = "the follower follows nobody any more, but not every app has moved to it"
    MOVED = "the follower is the primary of every app"
    GONE = "the follower is gone, and the leader is the primary"
    SUPERSEDED = "a later changeover has moved the apps on, or the database of this one is gone"

    @property
    def has_way_back(self) -> bool:
        """Whether the leader has all there is, so that the apps can be put back on it."""
        return self in {Stage.FOLLOWING, Stage.GONE}


@dataclass(frozen=True, slots=True)
class Situation:
    """What is live: the ordered apps by name, the leader and the follower (None when the add-on does not exist)."""

    apps: dict[str, App]
    leader: Database | None
    follower: Database | None
    stage: Stage

    @property
    def is_serving(self) -> bool:
        return all(app.is_serving for app in self.apps.values())

    def unmoved(self) -> list[str]:
        """The apps whose DATABASE is not the follower."""
        return [name for name, app in self.apps.items() if not _is_primary_of(self.follower, app)]


def stage_of(order: Order, apps: Iterable[App], follower: Database | None) -> Stage:
    """
    Judges how far the changeover has come.

    Raises:
        Refused: what is live fits no changeover from this leader to this follower.
    """
    held = [app.primary.addon_name if app.primary else None for app in apps]
    primaries, ours = set(filter(None, held)), {order.leader, order.follower}
    if follower is None:
        return Stage.GONE if order.leader in primaries else Stage.SUPERSEDED
    if primaries and not primaries & ours:
        return Stage.SUPERSEDED
    if primaries - ours:
        raise Refused(f"DATABASE of these apps is also {_listed(primaries - ours)}: move one database at a time")
    if follower.state != "provisioned" or not follower.is_known:
        return Stage.FOLLOWING  # it is still being made
    if not follower.is_follower:  # an app may have no DATABASE for a moment: Heroku replaces it in two releases
        return Stage.MOVED if set(held) == {order.follower} else Stage.CUT_OFF
    if order.follower in primaries:
        raise Refused(
            f"{order.follower} is DATABASE of an app but still a follower: attach {order.leader} as DATABASE again"
        )
    if follower.following not in {order.leader, None}:
        raise Refused(
            f"{order.follower} follows {follower.following}, not {order.leader}: remove it and run `pulumi up` again"
        )
    return Stage.FOLLOWING


def require_own(order: Order, apps: Iterable[App], leader: Database | None, follower: Database | None) -> None:
    """
    Leader and follower are two databases, and whoever is called DATABASE by one of their names is that database.

    Raises:
        Refused: a name means another add-on than it seems.
    """
    if leader is not None and follower is not None and leader.id == follower.id:
        raise Refused(
            f"{order.leader} and {order.follower} are one and the same database ({leader.id}), which cannot take its "
            f"own place; nothing was started: {_LOOK_AT_THE_ORDER}"
        )
    ids = {d.name: d.id for d in (leader, follower) if d is not None}
    for app in apps:
        if app.primary is not None and ids.get(app.primary.addon_name, app.primary.addon_id) != app.primary.addon_id:
            raise Refused(
                f"DATABASE of {app.name} is add-on {app.primary.addon_id}, which was {app.primary.addon_name} a moment "
                "ago and is not now: somebody renames add-ons; run `pulumi up` again when that is done"
            )


def require_two(order: Order) -> None:
    """
    Raises:
        Refused: one name is given for the leader and for the follower.
    """
    if order.leader == order.follower:
        raise Refused(
            f"{order.leader} is named as the database that is left and as the one that takes its place; nothing was "
            f"started: {_LOOK_AT_THE_ORDER}"
        )


_LOOK_AT_THE_ORDER = "run `pulumi preview` and see which database it takes for the primary"


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _is_primary_of(database: Database | None, app: App) -> bool:
    return database is not None and app.primary is not None and app.primary.addon_id == database.id


def side_by_side(act: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Does the same for several apps at once: eight apps must not be down eight times as long as one."""
    todo = list(items)
    if not todo:
        return []
    with ThreadPoolExecutor(len(todo)) as pool:
        return list(pool.map(act, todo))


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Does several things at the same time; the results in the same order."""
    return side_by_side(lambda act: act(), acts)


@dataclass(slots=True)
class Changeover:
    """
    What all steps share; `window` is replaced as acts are done.

    `keep` makes sure that a keeper watches over an open window; `journal` is None where nothing is remembered.
    `_variables` are config vars by app, from the look that asked for them; they hold passwords.
    """

    order: Order
    heroku: Heroku
    window: Window
    report: Callable[[str], None]
    clock: Clock = field(default_factory=Clock)
    journal: Journal | None = None
    keep: Callable[["Changeover"], None] = lambda _: None
    _writing: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _variables: dict[str, Mapping[str, str]] = field(default_factory=dict, init=False, repr=False)

    def observe(self, *, addresses: bool = False) -> Situation:
        """
        Looks at the apps and both databases, all at once; with `addresses` at what `url_of` will need as well.

        Raises:
            Refused: what is live fits no changeover from this leader to this follower.
        """
        order = self.order
        require_two(order)
        with ThreadPoolExecutor(len(order.apps) + 3) as pool:
            if addresses:
                pool.submit(self._read_variables, order.apps[0])
            leader = pool.submit(database_named, self.heroku, order.leader)
            follower = pool.submit(database_named, self.heroku, order.follower)
            apps = {app.name: app for app in pool.map(lambda name: app_from(self.heroku, name), order.apps)}
            require_own(order, apps.values(), leader.result(), follower.result())
            stage = stage_of(order, apps.values(), follower.result())
            return Situation(apps, leader.result(), follower.result(), stage)

    def capture(self, situation: Situation) -> None:
        """Brings the record of how each app is to be left up to date with what is live."""
        open_ = self.has_begun and not situation.is_serving
        leader = situation.leader.id if situation.leader else ""
        known = self.window.found
        found = {n: as_found(known(app), app, open_=open_, leader=leader) for n, app in situation.apps.items()}
        lost = [name for name, app in found.items() if app.maintenance and not any(p.quantity for p in app.formation)]
        if lost and situation.stage is not Stage.MOVED:
            raise NeedsPerson(
                f"app {', '.join(lost)} is in maintenance and scaled to nothing, and no record says how it was before: "
                "scale it back and end maintenance mode, then run `pulumi up` again"
            )
        self.window = replace(self.window, apps=found)

    def did(self, act: str) -> None:
        """Writes down when something was reached; several apps may be at it at once."""
        with self._writing:
            self.window = self.window.did(act, self.clock.now())
            if self.journal is not None:
                self.journal.note(self.window)

    @contextmanager
    def doing(self, act: Act) -> Iterator[None]:
        """Brackets an outward act, so that whoever observes this step knows what it is at."""
        audit(act, "before")
        yield
        audit(act, "after")

    def close_window(self) -> None:
        """Nobody has to watch over these apps any more."""
        if self.journal is not None:
            self.journal.close()

    def finished(self) -> None:
        """The last thing is done; this machine remembers it, so that steps that run again leave all as it is."""
        self.did("restored")
        if self.journal is not None:
            self.journal.remember(Record(self.order, self.window))

    def urgent(self) -> Wait:
        """A wait while the app is down."""
        return Wait(self.clock, self.report)

    def wait_closely(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        """A wait for what the next act in the window waits for; 40 looks a second at most, over all apps."""
        interval = AT_ITS_EDGE * max(1.0, len(self.order.apps) / 2)
        Wait(self.clock, self.report, interval).closely(what, probe, deadline)

    def patient(self) -> Wait:
        """A wait while nobody waits for it."""
        return Wait(self.clock, self.report, INSIDE_WINDOW, OUTSIDE_WINDOW)

    @property
    def has_begun(self) -> bool:
        """Whether the window has been opened, so that what is down may be so by our own doing."""
        return self.window.is_open

    @property
    def budget_ends(self) -> float:
        """When the window's budget is spent; before maintenance mode it has not begun."""
        began = self.window.budget_began
        return (self.clock.now() if began is None else began) + self.order.budget

    def url_of(self, database: Database) -> str:
        """
        The database's address, from the config var of an attachment of the default credential; it holds a password.
        """
        ours = [a for a in database.attachments if a.namespace is None and a.app in self.order.apps]
        for attachment in sorted(ours, key=lambda a: self.order.apps.index(a.app)):
            seen = self._variables.get(attachment.app) or {}
            values = seen if attachment.config_var in seen else self._read_variables(attachment.app)
            if url := values.get(attachment.config_var):
                return str(url)
        return ""

    def _read_variables(self, app: str) -> Mapping[str, str]:
        values: Mapping[str, str] = self.heroku.get(f"/apps/{app}/config-vars")
        self._variables[app] = values
        return values
