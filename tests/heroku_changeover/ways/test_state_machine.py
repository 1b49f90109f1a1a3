"""Whatever breaks, in whatever order: nothing is lost, and the app is up or the next `pulumi up` brings it up."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from heroku_changeover.reach.document import Document
from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.ways.follow import replay
from heroku_changeover.ways.proofs import cutting

from .model import (
    FOLLOWER,
    LEADER,
    Fault,
    Model,
    ModelFence,
    ModelHeroku,
    ModelSql,
)
from .story import FORMATION, Story, faults

events = st.one_of(
    st.tuples(st.just("up"), faults),
    st.tuples(st.just("keeper"), st.none() | faults),
    st.tuples(st.just("colleague"), st.integers(1, 4)),
    st.tuples(st.just("worker_stopped"), st.none()),
    st.tuples(st.just("hours"), st.integers(1, 3)),
    st.tuples(st.just("machine_lost"), st.none()),
    st.tuples(st.just("silence"), st.integers(0, 24)),
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
    world.model.silent_at = None
    world.model.pass_time(1)  # an unfollow under way has ended
    world.up(None)
    world.model.pass_time(1)

    event(f"verify: {verify}, {'with' if readonly else 'without'} companions")
    event("finished" if len(world.done) == len(STEPS) else "a person is needed")
    assert world.is_up
    assert not world.refusing
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


@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=faults, silence=st.integers(0, 24), mode=modes, lost=st.booleans())
def test_no_app_is_brought_up_where_its_writes_are_refused_whatever_heroku_does_not_know(
    patch: pytest.MonkeyPatch, fault: Fault, silence: int, mode: tuple[str, bool], lost: bool
) -> None:
    """The keeper of a run that broke, or somebody on another machine, looks while the Data API answers 404."""
    verify, rogue = mode
    world = Story(patch, 2, rogue, verify)
    world.silence(silence)
    world.up(fault)
    assert not world.refusing
    if lost:
        world.machine_lost(None)
    world.silence(0)
    world.keeper(None)
    assert not world.refusing
    world.keeper(None)

    assert world.is_up
    assert not world.refusing
    assert not world.missing


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=st.none() | faults, mode=modes)
def test_a_name_that_heroku_refuses_keeps_no_app_down(
    patch: pytest.MonkeyPatch, fault: Fault | None, mode: tuple[str, bool]
) -> None:
    verify, rogue = mode
    world = Story(patch, 2, rogue, verify, readonly=LEADER)
    world.model.refuses = True
    world.up(fault)
    world.keeper(None)
    world.up(None)

    assert world.is_up
    assert not world.missing
    assert {app.primary for app in world.model.apps.values()} == {FOLLOWER} or world.needs_person
    assert STEPS[-1] not in world.done
    world.model.refuses = False
    world.up(None)
    assert STEPS[-1] in world.done or world.needs_person


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


def worker_up(world: Story) -> None:
    """A colleague lets the worker run while the window is open."""
    app = next(iter(world.model.apps.values()))
    app.formation["worker"] = world.found[app.name]["worker"] = 1


def before_the_cut(patch: pytest.MonkeyPatch, world: Story, act: Callable[[], None]) -> None:
    """Does something once, in the moment in which the unfollow is sent."""
    cut, waiting = ModelHeroku.put_data, [act]

    def put(heroku: ModelHeroku, path: str) -> None:
        while waiting:
            waiting.pop()()
        cut(heroku, path)

    patch.setattr(ModelHeroku, "put_data", put)


def test_a_worker_that_runs_again_while_the_figure_is_waited_for_puts_everything_back(
    patch: pytest.MonkeyPatch,
) -> None:
    world = Story(patch, 1, rogue=False, verify="api")
    pass_time = Model.pass_time

    def pass_on(model: Model, seconds: float) -> None:
        if seconds == replay.FIGURE_POLL and not world.model.follower.asked_to_lead:
            worker_up(world)
        pass_time(model, seconds)

    patch.setattr(Model, "pass_time", pass_on)
    world.up(None)

    assert world.model.follower.following
    assert "promote" not in world.done
    assert world.is_up
    assert not world.missing


def test_a_worker_that_runs_when_the_target_is_cut_off_keeps_it_from_being_promoted_without_sql(
    patch: pytest.MonkeyPatch,
) -> None:
    world = Story(patch, 1, rogue=False, verify="api")
    before_the_cut(patch, world, lambda: worker_up(world))
    world.up(None)

    require_put_back(world, "cut off while apps ran")


def test_a_zero_counts_only_when_it_has_stood_for_longer_than_heroku_may_take_to_renew_it(
    patch: pytest.MonkeyPatch,
) -> None:
    world = Story(patch, 1, rogue=False, verify="api")
    database, cut = Model.database, ModelHeroku.put_data
    quiet, behind, asked = list[float](), list[float](), list[float]()

    def figure(model: Model, name: str) -> Database:
        """0, sampled while the app still wrote, for 12 s after its end; then how it is: behind for another while."""
        found = database(model, name)
        if not found.is_follower or any(sum(app.formation.values()) for app in model.apps.values()):
            return found
        quiet.append(model.time)
        if 12 <= model.time - quiet[0] < 20:
            behind.append(model.time)
        return found._replace(behind_by=7 if behind and behind[-1] == model.time else 0)

    def put(heroku: ModelHeroku, path: str) -> None:
        asked.append(world.model.time)
        cut(heroku, path)

    patch.setattr(Model, "database", figure)
    patch.setattr(ModelHeroku, "put_data", put)
    world.up(None)

    assert world.done == list(STEPS)
    assert asked[0] - behind[-1] >= replay.STEADY_ZERO


def test_the_model_loses_writes_when_nothing_is_fenced(patch: pytest.MonkeyPatch) -> None:
    """Else none of these tests could fail."""
    world = Story(patch, 1, rogue=True)
    fence = lambda sql, database, *_: ModelFence(world.model, world.model.servers[database], sql)  # noqa: E731
    patch.setattr(ModelSql, "fence", fence)
    patch.setattr(ModelFence, "is_held", lambda _: True)
    patch.setattr(cutting, "took_writes", lambda _: None)
    world.up(None)

    assert world.missing


def test_without_a_fence_the_barrier_is_never_the_last_transaction(patch: pytest.MonkeyPatch) -> None:
    """So a lock that locks nothing ends in a refusal: the second of two nets."""
    world = Story(patch, 1, rogue=True)
    fence = lambda sql, database, *_: ModelFence(world.model, world.model.servers[database], sql)  # noqa: E731
    patch.setattr(ModelSql, "fence", fence)
    patch.setattr(ModelFence, "is_held", lambda _: True)
    world.up(None)

    assert world.done == list(STEPS[:3])
    assert world.is_up
    assert not world.missing
