"""A changeover on a Heroku in memory: what a run of Pulumi, its keeper and people do, one after the other."""

from copy import copy
from typing import cast

import pytest
from hypothesis import strategies as st

from heroku_changeover.reach import look, threads
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.world import World
from heroku_changeover.rescue.recovery import recover
from heroku_changeover.terms.errors import ChangeoverError, NeedsPerson
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.window import Window, newest
from heroku_changeover.ways.listed import changeover
from heroku_changeover.ways.steps import RUN
from heroku_changeover.ways.way import Changeover, Keep, unwatched

from .model import (
    FOLLOWER,
    LEADER,
    Died,
    Fault,
    InLine,
    Model,
    ModelApp,
    ModelHeroku,
    ModelSql,
    Server,
)

FORMATION = {"web": 2, "worker": 1}
KINDS = ("dies-before", "dies-after", "fails", "answer-lost")


class Story:
    """A model with the code under test tied to it, and what a stack would remember."""

    def __init__(
        self,
        monkeypatch: pytest.MonkeyPatch,
        apps: int,
        rogue: bool,
        verify: str = "sql",
        readonly: str | None = None,
        way: str = "follow",
    ) -> None:
        names = [f"shop{n or ''}" for n in range(apps)]
        servers = {LEADER: Server(LEADER), FOLLOWER: Server(FOLLOWER, following=way == "follow")}
        self.model = Model({n: ModelApp(n, dict(FORMATION), readonly=readonly) for n in names}, servers, rogue)
        self.order = Order("db-2", tuple(names), LEADER, FOLLOWER, way=way, verify=verify)
        self.done: list[str] = []
        self.window = self.known = Window("db-2")
        self.needs_person, self.kept = "", False
        self.failed: Exception | None = None
        self.found = {name: dict(FORMATION) for name in names}
        self._tie(monkeypatch)

    def beside(self, target: str) -> "Story":
        """Another run on the same Heroku, from another machine: of the same stack, or of another one's target."""
        self.model.servers.setdefault(target, Server(target, following=True))
        other = copy(self)
        other.order = self.order._replace(target=target)
        other.done, other.failed = [], None
        other.window = other.known = Window("db-2")
        return other

    def _tie(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Facts come from the model, and what is done at the same time is done in one order."""
        monkeypatch.setattr(look, "app_from", lambda _, name: self.model.app(name))
        monkeypatch.setattr(look, "database_named", lambda _, name: self.model.database(name))
        monkeypatch.setattr(threads, "ThreadPoolExecutor", InLine)

    def changeover(self, window: Window, keep: Keep = unwatched) -> Changeover:
        model, heroku = self.model, cast("Heroku", ModelHeroku(self.model))
        world = World(heroku, ModelSql(model), lambda _: None, model.clock)
        return changeover(self.order, world, Document(window, model.clock), keep)

    def keep(self, _: Order, document: Document) -> None:
        """What `ensure_kept` does to the document: a run that finds an open window has the whole budget."""
        if document.window.is_open and not self.kept:
            document.did(Moment.RESUMED)
        self.kept = True

    def up(self, fault: Fault | None) -> None:
        """`pulumi up`: every step that is not recorded as done, until one fails; what it printed last is kept."""
        self.model.fault, self.model.dead, self.kept = fault, False, False
        for step in STEPS:
            if step not in self.done and not self.step(step):
                break
        self.model.fault, self.model.dead, self.model.silent_at = None, False, None

    def step(self, step: str) -> bool:
        c = self.changeover(newest(self.known, self.window), self.keep)
        try:
            RUN[step](c)
        except (ChangeoverError, Died) as error:
            self.needs_person = str(error) if isinstance(error, NeedsPerson) else ""
            self.failed = error if isinstance(error, ChangeoverError) else None
            self.known = c.window
            return False
        self.window = self.known = c.window
        self.done.append(step)
        return True

    def keeper(self, fault: Fault | None) -> None:
        """What a keeper does once the run is gone; it may fail, or die as well."""
        self.model.fault, self.model.dead = fault, False
        c = self.changeover(self.known)
        try:
            if c.window.apps and not c.observe().is_serving:
                recover(c)
        except (ChangeoverError, Died):
            pass
        self.known, self.model.fault, self.model.dead, self.model.silent_at = c.window, None, False, None

    def colleague(self, quantity: int) -> None:
        app = next(iter(self.model.apps.values()))
        app.formation["web"] = self.found[app.name]["web"] = quantity
        app.running, app.booting = app.primary or app.running, True

    def worker_stopped(self, _: object) -> None:
        """A colleague does without workers; in a window nobody can tell that from what the changeover did."""
        app = next(iter(self.model.apps.values()))
        if self.is_up:
            app.formation["worker"] = self.found[app.name]["worker"] = 0

    def silence(self, acts: int) -> None:
        """After so many acts of whoever works next, the Data API answers 404 to what is asked of the new database."""
        self.model.silent_at = acts

    def machine_lost(self, _: object) -> None:
        """What it remembered is gone; the stack has what finished steps have printed."""
        self.known = self.window

    def hours(self, number: int) -> None:
        self.model.pass_time(3600.0 * number)

    def detached(self, _: object) -> None:
        """Heroku took DATABASE away for a replacement, while no dyno ran, and a fault kept it from giving it back."""
        app = next(iter(self.model.apps.values()))
        if not sum(app.formation.values()) and app.primary == LEADER and not self.model.follower.following:
            app.primary = None

    def by_hand(self, _: object) -> None:
        """
        Somebody brings the apps up as they were; on two databases they would be split by that very act, and without one
        they would not come up.
        """
        primaries = {app.primary for app in self.model.apps.values()}
        if len(primaries) > 1 or None in primaries:
            return
        for name, app in self.model.apps.items():
            if app.formation != self.found[name]:
                app.formation.update(self.found[name])
                app.running, app.booting = app.primary or app.running, True
            app.maintenance = False

    @property
    def is_up(self) -> bool:
        return all(not a.maintenance and sum(a.formation.values()) for a in self.model.apps.values())

    @property
    def refusing(self) -> list[str]:
        """The apps that serve on a database that takes no writes."""
        servers = self.model.servers
        up = [a for a in self.model.apps.values() if not a.maintenance and any(a.formation.values())]
        return [a.name for a in up if servers[a.running].sealed_at is not None or servers[a.running].following]

    @property
    def missing(self) -> set[int]:
        """Acknowledged writes that are not on the primary of the apps."""
        (primary,) = {app.primary or LEADER for app in self.model.apps.values()}
        return set(self.model.acknowledged) - set(self.model.servers[primary].writes)


faults = st.builds(Fault, st.integers(0, 24), st.sampled_from(KINDS))
