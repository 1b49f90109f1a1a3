"""The window document: what is written down, handed on and trusted."""

import json

import pytest

from heroku_changeover.terms.command import WINDOW_VARIABLE
from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.facts import POOLER, App, Attachment, Name, ProcessType
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.report import Report
from heroku_changeover.terms.window import AppAsFound, Window, as_found, window_from

WEB, WORKER = ProcessType("web", 2, "Standard-1X"), ProcessType("worker", 1, "Standard-2X")
NAMES = (Name("DATABASE", None), Name("POOL", POOLER))
SHOP = AppAsFound(maintenance=False, formation=(WEB, WORKER), boot_seconds=20.0, names=NAMES, id="id")


def app(*formation: ProcessType, maintenance: bool = False) -> App:
    return App("id", "shop", maintenance, formation)


def document() -> Window:
    return Window("db-2", {"shop": SHOP}, {Moment.CAPTURED: 12.5}, Report(tables_locked=3))


def test_a_document_survives_the_way_through_the_environment() -> None:
    environ = {WINDOW_VARIABLE: document().line()}

    assert window_from(environ, "db-2") == document()


def test_a_document_is_one_line() -> None:
    assert "\n" not in document().line()


def test_no_document_is_no_error() -> None:
    assert window_from({}, "db-2") is None


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("{", "does not hold a window document"),
        ("[]", "does not hold a window document"),
        (document().line()[:40], "does not hold a window document"),
        (json.dumps({"version": 3, "generation": "db-2"}), "does not hold a window document"),
        (document().line().replace('"version":3', '"version":1'), "version 1"),
        (document().line().replace("db-2", "db-3"), "is of db-3"),
        (document().line().replace('"quantity":2', '"quantity":"many"'), "does not hold a window document"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_with_what_to_do(text: str, found: str) -> None:
    with pytest.raises(BadInput, match=found) as refusal:
        window_from({WINDOW_VARIABLE: text}, "db-2")

    assert "run `pulumi up` again" in str(refusal.value)


def test_what_is_live_is_written_down_first() -> None:
    found = as_found(None, app(WEB, WORKER, maintenance=True), open_=False)

    assert found == AppAsFound(maintenance=True, formation=(WEB, WORKER), id="id")


def test_the_release_type_is_never_scaled_back() -> None:
    found = as_found(None, app(WEB, ProcessType("release", 0, "Standard-1X")), open_=False)

    assert found.formation == (WEB,)


def test_a_live_quantity_wins_over_the_record() -> None:
    scaled_up = ProcessType("web", 5, "Performance-M")

    assert as_found(SHOP, app(scaled_up, WORKER), open_=True).formation == (scaled_up, WORKER)


def test_a_live_zero_in_an_open_window_is_what_the_changeover_itself_set() -> None:
    stopped = app(ProcessType("web", 0, "Standard-1X"), ProcessType("worker", 0, "Standard-2X"), maintenance=True)

    assert as_found(SHOP, stopped, open_=True) == SHOP


def test_a_live_zero_before_the_window_is_a_colleagues() -> None:
    no_worker = ProcessType("worker", 0, "Standard-2X")

    assert as_found(SHOP, app(WEB, no_worker), open_=False).formation == (WEB, no_worker)


def test_how_long_dynos_took_to_boot_is_known_when_they_are_down() -> None:
    assert as_found(SHOP, app(WEB, WORKER), open_=True).boot_seconds == SHOP.boot_seconds


def test_the_budget_begins_anew_for_a_run_that_takes_an_open_window_over() -> None:
    window = document().did(Moment.ENTERING_MAINTENANCE, 20.0)

    assert (document().budget_began, window.budget_began) == (None, 20.0)
    assert window.did(Moment.RESUMED, 4000.0).budget_began == 4000.0


def test_a_write_that_takes_an_app_down_is_unanswered_until_its_answer_is_noted() -> None:
    sent = (
        document()
        .did(Moment.ENTERING_MAINTENANCE, 20.0)
        .did(Moment.IN_MAINTENANCE, 20.2)
        .did(Moment.SCALING_DOWN, 21.0)
    )

    assert (document().unanswered, sent.unanswered) == (None, 21.0)
    assert sent.did(Moment.SCALED_DOWN, 21.3).unanswered is None


def test_maintenance_that_was_found_is_left_on() -> None:
    known = AppAsFound(maintenance=True, formation=(WEB,))

    assert as_found(known, app(WEB, maintenance=True), open_=True).maintenance


def test_maintenance_that_a_colleague_ended_is_not_brought_back() -> None:
    known = AppAsFound(maintenance=True, formation=(WEB,))

    assert not as_found(known, app(WEB), open_=True).maintenance


def named(*attachments: tuple[str, str]) -> App:
    rows = tuple(Attachment(name, name, None, addon, addon, "shop") for name, addon in attachments)
    return app(WEB, WORKER)._replace(attachments=rows)


def test_the_names_that_move_are_those_of_the_leader_while_it_is_the_primary() -> None:
    live = named(("DATABASE", "a1"), ("READONLY", "a1"), ("HEROKU_POSTGRESQL_RED", "a1"), ("OTHER", "a3"))

    assert as_found(SHOP, live, open_=True, leader="a1").names == (Name("DATABASE", None), Name("READONLY", None))


@pytest.mark.parametrize("primary", ["a2", None])
def test_what_the_leader_is_called_after_that_is_somebody_elses(primary: str | None) -> None:
    live = named(*((("DATABASE", primary),) if primary else ()), ("ANALYTICS", "a1"))

    assert as_found(SHOP, live, open_=True, leader="a1").names == SHOP.names
    assert as_found(None, live, open_=False, leader="a1").names == ()


def test_a_document_is_of_its_generation_after_a_rename_of_the_component_too() -> None:
    line = Window("db-2").did(Moment.ENTERING_MAINTENANCE, 1.0).line()

    assert window_from({WINDOW_VARIABLE: line}, "data-2") == Window(
        "data-2", moments={Moment.ENTERING_MAINTENANCE: 1.0}
    )
    with pytest.raises(BadInput, match="is of db-2, this step works on data-3"):
        window_from({WINDOW_VARIABLE: line}, "data-3")


def test_an_app_is_found_again_under_another_name_by_its_id() -> None:
    window = Window("db-2", {"shop": SHOP._replace(id="id"), "admin": SHOP._replace(id="other")})

    assert window.found(app(WEB)._replace(name="store")) == window.apps["shop"]
    assert window.found(app(WEB)._replace(name="store", id="new")) is None
