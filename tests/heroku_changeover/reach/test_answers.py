"""Answers of Heroku's that are not of the form of its reference: a clear error or facts, never anything else."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from heroku_changeover.reach import look as looking
from heroku_changeover.terms.errors import ChangeoverError, UnexpectedAnswer
from heroku_changeover.terms.facts import Facts
from kit.answers import ADDON, ANSWERS, WRONG, Answering, changed, places

ENVIRON = {"HEROKU_API_KEY": "a-token", "HEROKU_API_URL": "http://127.0.0.1:9"}


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> type[Answering]:
    monkeypatch.setattr(looking, "Heroku", Answering)
    return Answering


EVERYWHERE = [(url, place) for url, answer in ANSWERS.items() for place in places(answer)]


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


OF_AN_ADDON = {"plan.id", "addon_service.id", "app.id"}
OF_AN_ATTACHMENT = {"namespace", "addon.app", "addon.app.id", "addon.app.name", "app.id"}
MAY_LACK = {
    "/apps/shop": {"generation", "generation.id", "space"},
    "/apps/shop/dynos": {"created_at", "updated_at"},
    "/apps/shop/addon-attachments": OF_AN_ATTACHMENT,
    "/apps/shop/features": {"name"},
    "/apps/shop/addons": OF_AN_ADDON,
    "/apps/shop/config-vars": {"DATABASE_URL", "OTHER"},
    "/apps/shop/releases": {"version"},
    "/addons/a1": OF_AN_ADDON,
    "/addons/a1/addon-attachments": OF_AN_ATTACHMENT,
    "/client/v11/databases/a1": {"following", "waiting?", "num_bytes", "leader", "info", "info.values"},
    "/data/maintenances/v1/a1": {"status", "required_by", "scheduled_for"},
    "/client/v11/databases/a1/transfer-schedules": {"hour", "timezone"},
}
"""The parts of answers that nothing is concluded from, or whose absence means something; `name` of a feature is off."""


@pytest.mark.parametrize(("url", "place"), [e for e in EVERYWHERE if e[1]], ids=str)
def test_an_answer_without_a_part_is_an_error_that_names_it_or_does_not_need_it(
    answering: type[Answering], url: str, place: tuple[Any, ...]
) -> None:
    """A row of a list may always be missing: there is one thing less of its kind."""
    found = looks(answering, changed(ANSWERS, url, place, None, remove=True))

    named = ".".join(part for part in place if isinstance(part, str))
    if isinstance(place[-1], int) or named in MAY_LACK.get(url, ()):
        assert isinstance(found, Facts), found
    else:
        assert isinstance(found, UnexpectedAnswer), found
        assert f"('{place[-1]}' is missing)" in str(found)


@settings(deadline=None, max_examples=400, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(where=st.sampled_from(EVERYWHERE), what=st.sampled_from(WRONG))
def test_an_answer_with_a_part_of_another_kind_is_a_clear_error_or_facts(
    answering: type[Answering], where: tuple[str, tuple[Any, ...]], what: Any
) -> None:
    """Anything but a ChangeoverError passes through `looks`; neither an error nor the facts tell a password."""
    found = looks(answering, changed(ANSWERS, *where, what, remove=False))

    assert "u:p@" not in repr(found) + str(found)


@pytest.mark.parametrize(
    ("path", "wrong"),
    [
        ("/apps/shop/config-vars", "postgres://u:p@h/d"),
        ("/apps/shop/formation", [{"type": ["postgres://u:p@h/d"], "quantity": 1, "size": "Standard-1X"}]),
        ("/apps/shop/formation", [{"type": "web", "quantity": "postgres://u:p@h/d", "size": "Standard-1X"}]),
    ],
)
def test_an_error_about_an_answer_does_not_show_what_it_held(
    answering: type[Answering], path: str, wrong: object
) -> None:
    found = looks(answering, {**ANSWERS, path: wrong})

    assert isinstance(found, UnexpectedAnswer)
    assert "u:p@" not in str(found)


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
