"""A run that fails while another one is at work on the same apps: they are the other one's to bring up."""

from collections.abc import Callable, Iterator

import pytest

from heroku_changeover.apps.addresses import Addresses
from heroku_changeover.rescue.recovery import DIVIDED_LIMIT, look_for_recovery, plan_of_recovery, recover
from heroku_changeover.terms.errors import (
    Busy,
    HerokuUnreachable,
    Interrupted,
    NotFound,
    NothingChanged,
    SqlUnreachable,
    UnexpectedAnswer,
)
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS
from heroku_changeover.ways import undoing

from .model import FOLLOWER, LEADER, OTHER_FOLLOWER, Model, ModelSql, Server
from .story import Story


@pytest.fixture
def patch() -> Iterator[pytest.MonkeyPatch]:
    with pytest.MonkeyPatch.context() as monkeypatch:
        yield monkeypatch


def in_the_window(patch: pytest.MonkeyPatch, apps: int = 2) -> Story:
    """Every app is down, and the target has not been promoted."""
    story = Story(patch, apps, rogue=False)
    for step in STEPS[:3]:
        assert story.step(step)
    story.model.pass_time(1)
    return story


def moved_by_another(story: Story, number: int = 0) -> None:
    """What another run has done when it is about to move the next app."""
    server = story.model.servers.setdefault(OTHER_FOLLOWER, Server(OTHER_FOLLOWER))
    server.following = False
    app = list(story.model.apps.values())[number]
    app.primary = app.running = OTHER_FOLLOWER


def are_down(story: Story) -> bool:
    return all(app.maintenance and not any(app.formation.values()) for app in story.model.apps.values())


def test_a_run_that_fails_between_two_moves_of_another_one_leaves_the_apps_down(patch: pytest.MonkeyPatch) -> None:
    story = in_the_window(patch)
    c = story.changeover(story.known)

    moved_by_another(story)
    with pytest.raises(Busy), undoing.putting_back(c):
        raise HerokuUnreachable("a request", "the connection broke")
    assert are_down(story)


def test_a_run_that_is_asked_to_end_puts_back_although_no_address_was_read_yet(
    patch: pytest.MonkeyPatch,
) -> None:
    story = in_the_window(patch, apps=1)
    c = story.changeover(story.known)
    c.addresses = Addresses(Ended(), c.order.apps)  # type: ignore[arg-type]

    with pytest.raises(NothingChanged), undoing.putting_back(c):
        raise Interrupted("asked to end")
    assert story.is_up


class Ended:
    """A client in a process that was asked to end."""

    def get(self, _: str) -> None:
        raise Interrupted("asked to end")


@pytest.mark.parametrize(
    "error", [NotFound("GET", 404, "not_found", "Couldn't find it."), UnexpectedAnswer("it", KeyError("x"))]
)
def test_apps_are_put_back_although_the_leaders_address_cannot_be_had(
    patch: pytest.MonkeyPatch, error: Exception
) -> None:
    story = in_the_window(patch, apps=1)
    c = story.changeover(story.known)
    patch.setattr(Addresses, "of", _raises(error))

    with pytest.raises(NothingChanged), undoing.putting_back(c):
        raise HerokuUnreachable("a request", "the connection broke")
    assert story.is_up


def _raises(error: Exception) -> Callable[..., str]:
    def of(*_: object) -> str:
        raise error

    return of


def test_a_recovery_leaves_the_apps_down_while_the_run_that_moves_them_holds_the_leader(
    patch: pytest.MonkeyPatch,
) -> None:
    story = in_the_window(patch)
    for number in range(2):
        moved_by_another(story, number)
    story.model.fenced = another = object()

    with pytest.raises(Busy):
        recover(story.changeover(story.known))
    assert are_down(story)
    assert story.model.fenced is another

    story.model.fenced = None
    recover(story.changeover(story.known))
    assert story.is_up


def test_restore_brings_back_apps_that_were_given_another_database_after_promote(patch: pytest.MonkeyPatch) -> None:
    story = in_the_window(patch)
    assert story.step("promote")
    for number in range(2):
        moved_by_another(story, number)
    story.model.servers[OTHER_FOLLOWER].sealed_at = 1

    assert story.step("restore")
    assert story.is_up
    assert not story.refusing
    assert not story.known.is_open


def test_a_mark_of_no_return_that_nothing_followed_leaves_the_way_back_open(patch: pytest.MonkeyPatch) -> None:
    story = in_the_window(patch)
    story.known = story.known.did(Moment.PASSING_RETURN, story.model.time)
    patch.setattr(ModelSql, "fence", _raises(SqlUnreachable("the session broke")))
    patch.setattr(undoing, "_settled", lambda _: None)

    assert not story.step("promote")
    assert isinstance(story.failed, NothingChanged)
    assert story.is_up


def test_a_target_that_was_cut_off_although_heroku_says_it_follows_is_judged_at_once(
    patch: pytest.MonkeyPatch,
) -> None:
    story = Story(patch, 1, rogue=False)
    assert story.step("await-database")
    story.model.follower.following = False
    story.model.pass_time(1)
    seen = Model.database

    def stale(model: Model, name: str) -> Database:
        live = seen(model, name)
        return live._replace(is_follower=True, following=LEADER, behind_by=0) if name == FOLLOWER else live

    patch.setattr(Model, "database", stale)
    for step in STEPS[1:3]:
        assert story.step(step)

    assert not story.step("promote")
    assert "To start over" in story.needs_person
    assert story.is_up


def test_apps_of_which_one_was_given_another_database_by_a_person_come_back(patch: pytest.MonkeyPatch) -> None:
    story = in_the_window(patch)
    moved_by_another(story)
    assert not story.step("promote")
    assert isinstance(story.failed, Busy)
    told = str(story.failed)
    assert f"DATABASE of shop is {OTHER_FOLLOWER}" in told
    assert f"`heroku addons:attach {LEADER} --as DATABASE --app shop --confirm shop`" in told
    c, began = story.changeover(story.known), story.model.time
    assert "bring shop, shop1 back as found, each on the database that it has" in plan_of_recovery(
        c, look_for_recovery(c)
    )
    recover(c)

    assert story.model.time - began >= DIVIDED_LIMIT
    assert story.is_up
    assert [app.primary for app in story.model.apps.values()] == [OTHER_FOLLOWER, LEADER]


def test_the_advice_makes_apps_one_again_whose_databases_a_person_made_differ(patch: pytest.MonkeyPatch) -> None:
    story = in_the_window(patch)
    moved_by_another(story)
    assert not story.step("promote")
    next(iter(story.model.apps.values())).primary = LEADER

    assert story.step("promote")
    assert story.step("restore")
    assert story.is_up
    assert not story.missing


@pytest.mark.parametrize("sealed", [True, False])
def test_apps_stay_down_while_another_run_may_be_between_two_moves(patch: pytest.MonkeyPatch, sealed: bool) -> None:
    story = in_the_window(patch)
    moved_by_another(story)
    if sealed:
        story.model.leader.sealed_at = story.model.leader.xids
    else:
        story.model.fenced = object()

    with pytest.raises(Busy):
        recover(story.changeover(story.known))
    assert are_down(story)


def test_apps_of_which_one_was_given_another_database_stay_down_where_some_have_moved(
    patch: pytest.MonkeyPatch,
) -> None:
    story = in_the_window(patch)
    assert story.step("promote")
    moved_by_another(story)
    with pytest.raises(Busy, match=f"addons:attach {FOLLOWER} --as DATABASE --app shop "):
        recover(story.changeover(story.known))
