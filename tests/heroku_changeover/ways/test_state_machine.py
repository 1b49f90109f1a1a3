"""Whatever breaks, in whatever order: nothing is lost, and the app is up or the next `pulumi up` brings it up."""

from collections.abc import Iterator
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from heroku_changeover.reach import look, threads
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.world import World
from heroku_changeover.rescue.recovery import recover
from heroku_changeover.terms.errors import ChangeoverError, NeedsPerson, Refused
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
    ModelFence,
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
    ) -> None:
        names = [f"shop{n or ''}" for n in range(apps)]
        servers = {LEADER: Server(LEADER), FOLLOWER: Server(FOLLOWER, following=True)}
        self.model = Model({n: ModelApp(n, dict(FORMATION), readonly=readonly) for n in names}, servers, rogue)
        self.order = Order("db-2", tuple(names), LEADER, FOLLOWER, verify=verify)
        self.done: list[str] = []
        self.window = self.known = Window("db-2")
        self.needs_person, self.kept = "", False
        self.found = {name: dict(FORMATION) for name in names}
        self._tie(monkeypatch)

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
            if step not in self.done and not self._step(step):
                break
        self.model.fault, self.model.dead = None, False

    def _step(self, step: str) -> bool:
        c = self.changeover(newest(self.known, self.window), self.keep)
        try:
            RUN[step](c)
        except (ChangeoverError, Died) as error:
            self.needs_person = str(error) if isinstance(error, NeedsPerson) else ""
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
        self.known, self.model.fault, self.model.dead = c.window, None, False

    def colleague(self, quantity: int) -> None:
        app = next(iter(self.model.apps.values()))
        app.formation["web"] = self.found[app.name]["web"] = quantity
        app.running, app.booting = app.primary or app.running, True

    def worker_stopped(self, _: object) -> None:
        """A colleague does without workers; in a window nobody can tell that from what the changeover did."""
        app = next(iter(self.model.apps.values()))
        if self.is_up:
            app.formation["worker"] = self.found[app.name]["worker"] = 0

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
    def missing(self) -> set[int]:
        """Acknowledged writes that are not on the primary of the apps."""
        (primary,) = {app.primary or LEADER for app in self.model.apps.values()}
        return set(self.model.acknowledged) - set(self.model.servers[primary].writes)


faults = st.builds(Fault, st.integers(0, 24), st.sampled_from(KINDS))
events = st.one_of(
    st.tuples(st.just("up"), faults),
    st.tuples(st.just("keeper"), st.none() | faults),
    st.tuples(st.just("colleague"), st.integers(1, 4)),
    st.tuples(st.just("worker_stopped"), st.none()),
    st.tuples(st.just("hours"), st.integers(1, 3)),
    st.tuples(st.just("detached"), st.none()),
    st.tuples(st.just("by_hand"), st.none()),
)
modes = st.sampled_from([("sql", False), ("sql", True), ("api", False)])
"""How the proof is made, and whether a rogue writes; without the fence nothing is promised about a rogue."""

companions = st.sampled_from([None, LEADER])


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield monkeypatch


@settings(deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(apps=st.integers(1, 2), mode=modes, readonly=companions, story=st.lists(events, max_size=5))
def test_no_story_loses_a_write_or_leaves_an_app_down(
    patch: pytest.MonkeyPatch, apps: int, mode: tuple[str, bool], readonly: str | None, story: list[tuple[str, Any]]
) -> None:
    verify, rogue = mode
    world = Story(patch, apps, rogue, verify, readonly)
    for kind, what in story:
        getattr(world, kind)(what)
    world.model.pass_time(1)  # an unfollow under way has ended
    world.up(None)
    world.model.pass_time(1)

    event(f"verify: {verify}, {'with' if readonly else 'without'} companions")
    event("finished" if len(world.done) == len(STEPS) else "a person is needed")
    assert world.is_up
    assert not world.missing
    assert {app.name: app.formation for app in world.model.apps.values()} == world.found
    assert len(world.done) == len(STEPS) or "To start over" in world.needs_person
    assert all(app.primary for app in world.model.apps.values())
    assert all(app.readonly in {None, app.primary} for app in world.model.apps.values())


def kept(patch: pytest.MonkeyPatch, fault: Fault, mode: tuple[str, bool], readonly: str | None) -> Story:
    """Two apps, after a run with a fault and its keeper."""
    verify, rogue = mode
    world = Story(patch, 2, rogue, verify, readonly)
    world.up(fault)
    world.keeper(None)
    return world


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=faults, mode=modes, readonly=companions)
def test_a_keeper_alone_brings_every_app_up_again(
    patch: pytest.MonkeyPatch, fault: Fault, mode: tuple[str, bool], readonly: str | None
) -> None:
    world = kept(patch, fault, mode, readonly)

    assert world.is_up
    assert not world.missing


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=faults, mode=modes, readonly=companions)
def test_dynos_and_maintenance_are_as_they_were_found(
    patch: pytest.MonkeyPatch, fault: Fault, mode: tuple[str, bool], readonly: str | None
) -> None:
    world = kept(patch, fault, mode, readonly)
    world.up(None)

    assert [app.formation for app in world.model.apps.values()] == [FORMATION, FORMATION]


def test_a_changeover_in_which_nothing_breaks_is_finished_by_one_up(patch: pytest.MonkeyPatch) -> None:
    world = Story(patch, 2, rogue=True)
    world.up(None)

    assert world.done == list(STEPS)
    assert {app.primary for app in world.model.apps.values()} == {FOLLOWER}
    assert not world.missing


def test_an_app_that_heroku_left_without_database_gets_the_new_one(patch: pytest.MonkeyPatch) -> None:
    broken = []
    for at in range(12):
        world = Story(patch, 1, rogue=False)
        world.up(Fault(at, "dies-after"))
        world.detached(None)
        if world.model.apps["shop"].primary is None:
            broken.append(world)
            world.up(None)

    assert broken
    assert [world.model.apps["shop"].primary for world in broken] == [FOLLOWER] * len(broken)
    assert all(world.done == list(STEPS) and not world.missing for world in broken)


def test_it_gets_the_old_one_back_where_nothing_proves_the_new_one(patch: pytest.MonkeyPatch) -> None:
    broken = []
    for at in range(12):
        world = Story(patch, 1, rogue=True)
        world.up(Fault(at, "dies-before"))
        world.model.pass_time(1)
        world.detached(None)
        if world.model.apps["shop"].primary is None:
            world.up(None)
            broken.append(world)

    unproved = [world for world in broken if world.needs_person]
    assert unproved
    assert [world.model.apps["shop"].primary for world in unproved] == [LEADER] * len(unproved)
    assert all(world.is_up and not world.missing for world in unproved)


def test_an_app_that_is_down_is_brought_back_even_if_no_keeper_can_be_started(patch: pytest.MonkeyPatch) -> None:
    def refuse(_: Order, __: Document) -> None:
        raise Refused("no keeper could be started")

    for at in range(14):
        world = Story(patch, 1, rogue=False)
        world.up(Fault(at, "dies-after"))
        patch.setattr(world, "keep", refuse)
        world.up(None)

        assert world.is_up
        assert not world.missing


def test_an_unfollow_that_a_lost_run_asked_for_does_not_hold_up_the_next_one_without_sql(
    patch: pytest.MonkeyPatch,
) -> None:
    world = Story(patch, 1, rogue=False, verify="api")
    world.up(Fault(2, "dies-after"))
    assert world.model.follower.asked_to_lead
    world.up(None)

    assert world.done == list(STEPS)
    assert not world.missing


def require_put_back(world: Story, told: str) -> None:
    """The apps serve again with every write, and a person is told why the changeover did not go on."""
    assert told in world.needs_person
    assert world.is_up
    assert not world.missing


def test_an_unfollow_that_shows_after_apps_ran_again_is_not_trusted_without_sql(patch: pytest.MonkeyPatch) -> None:
    world = Story(patch, 1, rogue=False, verify="api")
    world.up(Fault(2, "dies-before"))
    world.by_hand(None)
    world.model.unfollow_on_its_way = True
    world.up(None)

    require_put_back(world, "cut off while apps ran")


def test_nor_is_one_that_had_shown_when_the_next_run_began(patch: pytest.MonkeyPatch) -> None:
    world = Story(patch, 1, rogue=False, verify="api")
    world.up(Fault(2, "dies-after"))
    world.model.pass_time(1)
    world.by_hand(None)
    world.model.pass_time(1)
    for app in world.model.apps.values():
        app.maintenance, app.formation = True, dict.fromkeys(app.formation, 0)
    world.known = world.known.begun_anew().did(Moment.ENTERING_MAINTENANCE, world.model.time)
    world.up(None)

    require_put_back(world, "cut off while apps ran")


def test_an_app_that_is_down_beside_one_that_was_scaled_up_is_put_back_without_sql(patch: pytest.MonkeyPatch) -> None:
    world = Story(patch, 2, rogue=False, verify="api")
    world.up(Fault(4, "dies-after"))
    world.colleague(1)
    world.model.pass_time(1)
    world.up(None)

    require_put_back(world, "the apps are back on it")


def test_the_model_loses_writes_when_nothing_is_fenced(patch: pytest.MonkeyPatch) -> None:
    """Else none of these tests could fail."""
    world = Story(patch, 1, rogue=True)
    patch.setattr(ModelSql, "fence", lambda _, database, *__: ModelFence(world.model, world.model.servers[database]))
    patch.setattr(ModelFence, "is_held", lambda _: True)
    world.up(None)

    assert world.missing
