"""Steps that read answers of Heroku's which are not of the form of its reference change nothing."""

import itertools
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.postgres.port import Postgres
from heroku_changeover.reach.wait import Clock
from heroku_changeover.reach.world import World
from heroku_changeover.terms.errors import ChangeoverError
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.window import Window
from heroku_changeover.ways.listed import changeover
from heroku_changeover.ways.steps import RUN
from kit.answers import ADDON, ANSWERS, ATTACHMENT, INFO, WRONG, Answering, changed, places

LEADER, FOLLOWER = "postgresql-round-1", "shop-db-2"
ORDER = Order("db-2", ("shop",), LEADER, FOLLOWER, ready_limit=60, verify="api")
FOLLOWS = {
    **INFO,
    "following": "postgres://u:p@h/d",
    "leader": {"addon_id": "a1", "name": LEADER},
    "info": [{"name": "Behind By", "values": ["0 commits"]}],
}
COPY = {**ATTACHMENT, "id": "t2", "name": "HEROKU_POSTGRESQL_RED", "addon": {"id": "a2", "name": FOLLOWER}}
READ: dict[str, Any] = {
    **{path: answer for path, answer in ANSWERS.items() if path.startswith("/apps/")},
    f"/addons/{LEADER}": ADDON,
    f"/addons/{LEADER}/addon-attachments": [ATTACHMENT],
    f"/client/v11/databases/{LEADER}": INFO,
    f"/addons/{FOLLOWER}": {**ADDON, "id": "a2", "name": FOLLOWER},
    f"/addons/{FOLLOWER}/addon-attachments": [COPY],
    f"/client/v11/databases/{FOLLOWER}": FOLLOWS,
}
EVERYWHERE = [(url, place) for url, answer in READ.items() for place in places(answer)]
INSIDE = [(url, place) for url, place in EVERYWHERE if place]
BEFORE_THE_WINDOW = STEPS[:2]


class Client(Answering):
    """Gives prepared answers, and notes what it is asked to change."""

    def __init__(self, answers: dict[str, Any]) -> None:
        super().__init__(None)
        self.answers, self.changes = answers, list[str]()

    def patch(self, path: str, _: object) -> None:
        self.changes.append(path)


def outcome(step: str, answers: dict[str, Any]) -> tuple[ChangeoverError | None, list[str]]:
    """How a step ends, and what it changed; an error of any other kind, which would be a traceback, passes through."""
    client, now = Client(answers), itertools.count()
    clock = Clock(lambda: float(next(now)), lambda _: None, lambda _: None)
    world = World(cast("Heroku", client), Postgres(clock, lambda _: None), lambda _: None, clock)
    try:
        RUN[step](changeover(ORDER, world, Document(Window("db-2"), clock)))
    except ChangeoverError as error:
        return error, client.changes
    return None, client.changes


def require_clear(error: ChangeoverError | None, changes: list[str]) -> None:
    """
    Either the step did not need what is wrong, and has done no more than take the app down whose turn it is, or it says
    so in a line and has changed nothing.
    """
    assert set(changes) <= {"/apps/shop"}
    if error is not None:
        assert error.exit_code in {10, 30, 40}
        assert str(error)
        assert "\n" not in str(error)
        assert "u:p@" not in str(error)
        assert not changes


def test_a_step_goes_on_with_answers_of_the_right_form() -> None:
    assert outcome(STEPS[0], READ) == (None, [])
    assert outcome("maintenance-on", READ) == (None, ["/apps/shop"])


@pytest.mark.parametrize("step", BEFORE_THE_WINDOW)
@pytest.mark.parametrize(("url", "place"), INSIDE, ids=str)
def test_a_step_that_reads_an_answer_without_a_part_changes_nothing_or_does_not_need_it(
    step: str, url: str, place: tuple[Any, ...]
) -> None:
    require_clear(*outcome(step, changed(READ, url, place, None, remove=True)))


@pytest.mark.parametrize("step", BEFORE_THE_WINDOW)
@pytest.mark.parametrize(("url", "place"), EVERYWHERE, ids=str)
def test_a_step_that_reads_null_changes_nothing_or_does_not_need_it(
    step: str, url: str, place: tuple[Any, ...]
) -> None:
    require_clear(*outcome(step, changed(READ, url, place, None, remove=False)))


@settings(deadline=None, max_examples=300)
@given(step=st.sampled_from(BEFORE_THE_WINDOW), where=st.sampled_from(EVERYWHERE), what=st.sampled_from(WRONG))
def test_a_step_that_reads_a_part_of_another_kind_changes_nothing_or_does_not_need_it(
    step: str, where: tuple[str, tuple[Any, ...]], what: Any
) -> None:
    require_clear(*outcome(step, changed(READ, *where, what, remove=False)))


@pytest.mark.parametrize("step", BEFORE_THE_WINDOW)
@pytest.mark.parametrize("key", ["id", "name", "maintenance"])
def test_a_step_names_what_is_missing_of_an_app(step: str, key: str) -> None:
    error, changes = outcome(step, changed(READ, "/apps/shop", (key,), None, remove=True))

    assert f"'{key}' is missing" in str(error)
    assert not changes


@pytest.mark.parametrize("step", BEFORE_THE_WINDOW)
@pytest.mark.parametrize("name", [None, 7, "another-app"])
def test_an_answer_about_another_app_changes_neither(step: str, name: object) -> None:
    error, changes = outcome(step, changed(READ, "/apps/shop", ("name",), name, remove=False))

    assert "what Heroku says about an app" in str(error)
    assert not changes
