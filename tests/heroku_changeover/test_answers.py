"""Answers of Heroku's that are not of the form of its reference: a clear error or facts, never anything else."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heroku_changeover.reach import look as looking
from heroku_changeover.terms.errors import ChangeoverError, NotFound, UnexpectedAnswer
from heroku_changeover.terms.facts import Facts

ENVIRON = {"HEROKU_API_KEY": "a-token", "HEROKU_API_URL": "http://127.0.0.1:9"}
ADDON = {
    "id": "a1",
    "name": "postgresql-round-1",
    "plan": {"id": "p0", "name": "heroku-postgresql:standard-0"},
    "addon_service": {"id": "s1", "name": "heroku-postgresql"},
    "app": {"id": "i1", "name": "shop"},
    "state": "provisioned",
}
ATTACHMENT = {
    "id": "t1",
    "name": "DATABASE",
    "namespace": None,
    "addon": {"id": "a1", "name": "postgresql-round-1", "app": {"id": "i1", "name": "shop"}},
    "app": {"id": "i1", "name": "shop"},
}
INFO = {
    "following": None,
    "waiting?": False,
    "num_bytes": 1000,
    "leader": None,
    "info": [{"name": "Fork/Follow", "values": ["Available"]}, {"name": "Data Size", "values": ["1.0 GB / 64 GB"]}],
}
ANSWERS: dict[str, Any] = {
    "/apps/shop": {
        "id": "i1",
        "name": "shop",
        "maintenance": False,
        "generation": {"id": "g", "name": "cedar"},
        "space": None,
    },
    "/apps/shop/formation": [{"type": "web", "quantity": 2, "size": "Standard-1X"}],
    "/apps/shop/dynos": [
        {
            "name": "web.1",
            "type": "web",
            "state": "up",
            "created_at": "2026-01-02T03:04:05Z",
            "updated_at": "2026-01-02T03:04:47Z",
        }
    ],
    "/apps/shop/addon-attachments": [ATTACHMENT],
    "/apps/shop/features": [{"name": "preboot", "enabled": False}],
    "/apps/shop/addons": [ADDON],
    "/apps/shop/config-vars": {"DATABASE_URL": "postgres://u:p@127.0.0.1:5432/d", "OTHER": "1"},
    "/apps/shop/releases": [{"version": 1, "description": "Attach DATABASE (@ref:postgresql-round-1)"}],
    "/addons/a1": ADDON,
    "/addons/a1/addon-attachments": [ATTACHMENT],
    "/addon-services/heroku-postgresql/plans": [{"name": "heroku-postgresql:standard-0"}],
    "/client/v11/databases/a1": INFO,
    "/data/maintenances/v1/a1": {"status": "none", "required_by": None, "scheduled_for": None},
    "/client/v11/databases/a1/transfer-schedules": [{"name": "DATABASE_URL", "hour": 3, "timezone": "UTC"}],
}
WRONG: list[Any] = [None, "", "text", 0, -1, 1.5, True, [], {}, [None], [[]], {"name": None}, "postgres://x:y@h/d"]


class Answering:
    """A client that gives prepared answers."""

    answers: dict[str, Any]

    def __init__(self, _: object) -> None: ...

    def get(self, path: str) -> Any:
        if path not in self.answers:
            raise NotFound(f"GET {path}", 404, "not_found", "Couldn't find that.")
        return copy.deepcopy(self.answers[path])

    data = get

    def newest(self, path: str, _: int) -> Any:
        return self.get(path)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> type[Answering]:
    monkeypatch.setattr(looking, "Heroku", Answering)
    return Answering


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place in a JSON value, from the whole to each leaf."""
    yield path
    if isinstance(value, dict | list):
        for key, inner in value.items() if isinstance(value, dict) else enumerate(value):
            yield from places(inner, (*path, key))


EVERYWHERE = [(url, place) for url, answer in ANSWERS.items() for place in places(answer)]


def changed(whole: dict[str, Any], url: str, place: tuple[Any, ...], change: Any, *, remove: bool) -> dict[str, Any]:
    """All answers, with one place of one of them removed or replaced."""
    answers = copy.deepcopy(whole)
    parent: Any = answers
    *way, last = (url, *place)
    for key in way:
        parent = parent[key]
    if remove:
        parent.pop(last)
    else:
        parent[last] = change
    return answers


def looks(answering: type[Answering], answers: dict[str, Any], likely: tuple[str, ...] = ()) -> Facts | ChangeoverError:
    answering.answers = answers
    try:
        return looking.look(["shop"], ENVIRON, likely)
    except ChangeoverError as error:
        return error


def test_answers_of_the_right_form_are_read(answering: type[Answering]) -> None:
    found = looks(answering, ANSWERS)

    assert isinstance(found, Facts)
    assert found.primary is not None
    assert found.primary.data_bytes == 2**30
    assert found.app.boot_seconds == 42


@pytest.mark.parametrize(("url", "place"), [e for e in EVERYWHERE if e[1]], ids=str)
def test_an_answer_without_a_part_is_a_clear_error_or_does_not_need_it(
    answering: type[Answering], url: str, place: tuple[Any, ...]
) -> None:
    found = looks(answering, changed(ANSWERS, url, place, None, remove=True))

    assert isinstance(found, Facts | ChangeoverError)
    if isinstance(found, UnexpectedAnswer):
        assert "what Heroku says about" in str(found)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from(EVERYWHERE), what=st.sampled_from(WRONG))
def test_an_answer_with_a_part_of_another_kind_is_a_clear_error_or_facts(
    answering: type[Answering], where: tuple[str, tuple[Any, ...]], what: Any
) -> None:
    found = looks(answering, changed(ANSWERS, *where, what, remove=False))

    assert isinstance(found, Facts | ChangeoverError)
    assert isinstance(found, Facts) or "u:p@" not in str(found)


def test_a_database_that_was_guessed_by_its_name_is_read_like_one_that_was_listed(answering: type[Answering]) -> None:
    name = str(ADDON["name"])
    by_name = {url.replace("/a1", f"/{name}"): answer for url, answer in ANSWERS.items()}

    listed, guessed = looks(answering, ANSWERS), looks(answering, by_name, ("nobody", name))

    assert guessed == listed


@pytest.mark.parametrize("state", ["deprovisioned", "deprovisioning"])
def test_an_add_on_that_is_gone_but_listed_is_no_database(answering: type[Answering], state: str) -> None:
    gone = {**ADDON, "id": "a2", "name": "shop-db-2", "state": state}

    found = looks(answering, {**ANSWERS, "/apps/shop/addons": [ADDON, gone]})

    assert isinstance(found, Facts), found
    assert [d.name for d in found.databases] == [ADDON["name"]]


def test_a_wrong_guess_at_a_name_changes_nothing(answering: type[Answering]) -> None:
    assert looks(answering, ANSWERS, ("nobody", "shop-db-2")) == looks(answering, ANSWERS)


@pytest.mark.parametrize("missing", ["/apps/shop/formation", "/apps/shop/addon-attachments"])
def test_a_part_that_is_needed_is_named(answering: type[Answering], missing: str) -> None:
    answers = changed(ANSWERS, missing, (0,), {}, remove=False)

    found = looks(answering, answers)

    assert isinstance(found, UnexpectedAnswer)
    assert "is missing" in str(found)
