"""Two runs on the same leader that know nothing of each other: two stacks, or one stack from two machines."""

import itertools
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from heroku_changeover.terms.errors import Busy
from heroku_changeover.ways.proofs import alone, cutting

from .model import FOLLOWER, OTHER_FOLLOWER, ModelFence, ModelSql
from .story import Story
from .two_runs import Talk

targets = st.sampled_from([FOLLOWER, OTHER_FOLLOWER])
schedules = st.lists(st.integers(0, 12), min_size=1, max_size=5)


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield monkeypatch


def both(patch: pytest.MonkeyPatch, apps: int, rogue: bool, target: str, schedule: list[int]) -> tuple[Story, Story]:
    """Both have captured the apps while they served; then both go into the window, as the schedule has it."""
    first = Story(patch, apps, rogue)
    second = first.beside(target)
    first.step("await-database")
    second.step("await-database")
    Talk(first.model, schedule).run(lambda: first.up(None), lambda: second.up(None))
    first.model.turn = lambda: None
    return first, second


def afterwards(first: Story, second: Story) -> None:
    """Keepers bring up what a run left behind."""
    for story in (first, second):
        story.model.pass_time(1)
        story.keeper(None)
    first.model.pass_time(1)


@settings(deadline=None, max_examples=600, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(apps=st.integers(1, 2), rogue=st.booleans(), target=targets, schedule=schedules)
def test_two_runs_lose_no_write_in_whatever_order_they_go(
    patch: pytest.MonkeyPatch, apps: int, rogue: bool, target: str, schedule: list[int]
) -> None:
    first, second = both(patch, apps, rogue, target, schedule)
    afterwards(first, second)

    event(f"{len(first.done)} and {len(second.done)} steps")
    assert len({app.primary for app in first.model.apps.values()}) == 1
    assert not first.missing
    assert first.is_up


@pytest.mark.parametrize("target", [FOLLOWER, OTHER_FOLLOWER])
def test_whenever_the_second_one_begins_one_of_them_ends_and_nothing_is_lost(
    patch: pytest.MonkeyPatch, target: str
) -> None:
    for acts in range(24):
        first, second = both(patch, 2, True, target, [acts])
        finished = [story for story in (first, second) if len(story.done) == 5]
        assert finished, f"after {acts} acts"
        assert not first.missing, f"after {acts} acts"


def test_the_other_one_is_refused_while_the_first_one_holds_the_fence(patch: pytest.MonkeyPatch) -> None:
    refused = []
    for acts in range(24):
        _, second = both(patch, 1, False, OTHER_FOLLOWER, [acts])
        refused.append(isinstance(second.failed, Busy))

    assert any(refused)


def _without_a_turn(sql: ModelSql, database: str, *_: object) -> ModelFence:
    """SHARE locks do not keep each other out."""
    with sql._model.act(over_sql=True):
        sql._model.fenced = sql._owner
    return ModelFence(sql._model, sql._model.servers[database], sql._owner)


def test_two_runs_that_do_not_see_each_other_lose_writes(patch: pytest.MonkeyPatch) -> None:
    """Else none of these tests could fail."""
    patch.setattr(ModelSql, "fence", _without_a_turn)
    patch.setattr(alone, "_require_unmoved", lambda *_: None)
    patch.setattr(cutting, "require_leading", lambda *_: None)
    lost = []
    for acts, more in itertools.product(range(24), range(24)):
        first, _ = both(patch, 1, False, OTHER_FOLLOWER, [acts, more])
        lost.append(len({app.primary for app in first.model.apps.values()}) > 1 or bool(first.missing))

    assert any(lost)
