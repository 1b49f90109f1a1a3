"""
A way that nobody knew of is one object and one line in the list of ways.

It is made up: the target is born empty, everything is copied over while the apps are down, and nothing is final before
the first app has moved.
"""

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heroku_changeover.reach.sql import Fence, Mark, Session
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.facts import Database, Facts
from heroku_changeover.terms.finding import Finding, warning
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.position import Position
from heroku_changeover.terms.prospect import Prospect
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways import listed
from heroku_changeover.ways.listed import way_named
from heroku_changeover.ways.way import Changeover, Way, Words
from kit.heroku_world import app, database, decide, facts, wish

from .model import FOLLOWER, LEADER, Fault, Model
from .story import Story, faults

WANTED = "pigeon-1"
AFTER = ("nobody came", "kept", "machine lost")
TODAY = database("postgresql-round-12345")


def seen() -> Facts:
    """Heroku offers the plan."""
    now = facts(app(primary=TODAY), TODAY)
    return now._replace(plans=(*now.plans, WANTED))


class Carry:
    """By pigeon; `model` is where the writes lie. With `cuts` the target gets nothing any more once it is filled."""

    carried: int | None

    name = "carry"
    budget = 60
    cut_is_final = False
    words = Words(
        is_born="empty, beside",
        is_ready="has been made",
        is_held="stays empty",
        cut="it is filled",
        no_return="the first move",
        figure="at the last pigeon's word",
    )

    def __init__(self, model: Model | None = None, *, cuts: bool = False) -> None:
        self.model, self.cuts = model, cuts
        self.was_cut, self.carried = False, None

    def fits(self, prospect: Prospect) -> bool:
        return prospect.plan == WANTED

    def findings(self, prospect: Prospect) -> Iterator[Finding]:
        yield warning("pigeons", f"{prospect.target_name} is filled by pigeons", "they are slow", "feed them")

    def follows(self, _: Database) -> str | None:
        return None

    def is_target(self, database: Database, _: Database) -> bool:
        return not database.is_follower

    def is_tied(self, *_: object) -> bool:
        return not self.was_cut

    def wait_until_ready(self, c: Changeover) -> None: ...

    def require_ready(self, c: Changeover, situation: Situation) -> None: ...

    def require_reach(self, c: Changeover, leader: Session, target: Session) -> None: ...

    def bring_over(self, c: Changeover, fence: Fence, copy: Session, mark: Mark) -> None:
        assert self.model is not None
        with doing(Act.AWAIT_REPLAY), self.model.act(over_sql=True):
            self.model.follower.writes = list(self.model.leader.writes)
            self.carried = self.model.leader.barrier

    def bring_over_by_figure(self, c: Changeover, target: Database) -> bool:
        raise AssertionError("it is tried with a fence")

    def cut(self, c: Changeover) -> None:
        self.was_cut = self.cuts

    def wait_until_cut(self, c: Changeover) -> None: ...

    def lacks(self, leader: Position, target: Position) -> str | None:
        return None if self.carried == leader.barrier else f"{target.database} was not filled up to the barrier"

    def settled(self, c: Changeover) -> Situation:
        return c.observe()


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield monkeypatch


def registered(patch: pytest.MonkeyPatch, way: Carry) -> Carry:
    """The one line; whoever registers one of the same name takes its place."""
    ways: list[Way] = [way, *(one for one in listed.WAYS if one.name != way.name)]
    patch.setattr(listed, "WAYS", ways)
    return way


def carried(patch: pytest.MonkeyPatch, apps: int, *, rogue: bool, cuts: bool = False) -> Story:
    story = Story(patch, apps, rogue, way="carry")
    registered(patch, Carry(story.model, cuts=cuts))
    return story


def test_a_plan_that_it_fits_is_declared_with_it(patch: pytest.MonkeyPatch) -> None:
    registered(patch, Carry())
    decision = decide(wish(plan=WANTED), seen())
    target = decision.generations[-1]

    assert (target.way, target.follow, target.steps) == ("carry", None, STEPS)
    assert "pigeons" in [finding.id for finding in decision.findings]


def test_its_runbook_tells_its_own_words(patch: pytest.MonkeyPatch) -> None:
    way = registered(patch, Carry())
    told = "\n".join(decide(wish(plan=WANTED), seen()).runbook)

    for words in (way.words.is_born, way.words.is_ready, way.words.cut, way.words.no_return):
        assert words in told
    assert "follower" not in told


def test_a_run_that_broke_after_the_move_goes_on_its_way(patch: pytest.MonkeyPatch) -> None:
    registered(patch, Carry())
    moved = database("shop-db-2", plan=WANTED)
    broken = facts(app(primary=moved, maintenance=True), TODAY, moved)
    (primary,) = [g for g in decide(wish(plan=WANTED), broken).generations if g.role == "primary"]

    assert (primary.way, primary.steps) == ("carry", STEPS)


def test_a_target_that_is_held_stays_the_target(patch: pytest.MonkeyPatch) -> None:
    registered(patch, Carry())
    held = database("shop-db-2", plan=WANTED)._replace(attachments=())
    today = facts(app(primary=TODAY), TODAY, held)
    decision = decide(wish(plan=WANTED, hold=True), today._replace(plans=(*today.plans, WANTED)))

    assert not decision.is_refused
    assert [(g.addon, g.role) for g in decision.generations] == [(TODAY.name, "primary"), (held.name, "target")]


def test_its_budget_is_its_own_unless_another_one_is_given(patch: pytest.MonkeyPatch) -> None:
    registered(patch, Carry())

    assert "or 60 s without reaching it" in str(decide(wish(plan=WANTED), seen()).runbook)
    assert "or 90 s without reaching it" in str(decide(wish(plan=WANTED, window_budget=90), seen()).runbook)


def test_another_plan_goes_the_way_that_it_went(patch: pytest.MonkeyPatch) -> None:
    registered(patch, Carry())

    assert decide(wish(plan="standard-2"), seen()).generations[-1].way == "follow"


def test_one_up_takes_every_app_over(patch: pytest.MonkeyPatch) -> None:
    story = carried(patch, 2, rogue=True)
    story.up(None)

    assert story.done == list(STEPS)
    assert {app.primary for app in story.model.apps.values()} == {FOLLOWER}
    assert not story.missing


def test_its_point_of_no_return_is_the_first_move(patch: pytest.MonkeyPatch) -> None:
    story = carried(patch, 1, rogue=False)
    story.up(None)
    moments = list(story.window.moments)

    assert moments.index(Moment.PROVED) < moments.index(Moment.CUT_OFF) < moments.index(Moment.PASSING_RETURN)
    assert moments.index(Moment.PASSING_RETURN) < moments.index(Moment.MOVED)


@pytest.mark.parametrize("cuts", [False, True])
def test_before_it_everything_is_put_back_although_all_was_carried_over(patch: pytest.MonkeyPatch, cuts: bool) -> None:
    put_back = []
    for at in range(14):
        story = carried(patch, 1, rogue=False, cuts=cuts)
        story.up(Fault(at, "dies-before"))
        if story.model.follower.writes and Moment.PASSING_RETURN not in story.known.moments:
            story.keeper(None)
            put_back.append(story)

    assert put_back
    assert [story.model.apps["shop"].primary for story in put_back] == [LEADER] * len(put_back)
    assert all(story.is_up and not story.missing for story in put_back)


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(fault=faults, apps=st.integers(1, 2), rogue=st.booleans(), cuts=st.booleans(), after=st.sampled_from(AFTER))
def test_whatever_breaks_nothing_is_lost_and_the_apps_come_up(
    patch: pytest.MonkeyPatch, fault: Fault, apps: int, rogue: bool, cuts: bool, after: str
) -> None:
    story = carried(patch, apps, rogue=rogue, cuts=cuts)
    story.up(fault)
    if after == "kept":
        story.keeper(None)
    if after == "machine lost":
        story.machine_lost(None)
    story.up(None)
    story.model.pass_time(1)

    assert story.is_up
    assert not story.missing
    assert len(story.done) == len(STEPS) or ((rogue or cuts) and "To start over" in story.needs_person)


def test_a_way_that_is_not_listed_is_refused_by_its_name() -> None:
    with pytest.raises(BadInput, match="--way carry is none of follow"):
        way_named("carry")


def test_an_order_without_a_word_goes_the_first_way() -> None:
    assert way_named(Order("db-2", ("shop",), "old", "new").way) is listed.WAYS[0]
