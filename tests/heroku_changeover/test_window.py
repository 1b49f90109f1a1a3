"""The window document: what is written down, handed on and trusted."""

import json

import pytest

from heroku_changeover.command import WINDOW_VARIABLE
from heroku_changeover.errors import BadInput
from heroku_changeover.facts import App, ProcessType
from heroku_changeover.window import AppAsFound, Window, as_found, window_from

WEB, WORKER = ProcessType("web", 2, "Standard-1X"), ProcessType("worker", 1, "Standard-2X")
SHOP = AppAsFound(maintenance=False, formation=(WEB, WORKER), boot_seconds=20.0)


def app(*formation: ProcessType, maintenance: bool = False) -> App:
    return App("id", "shop", maintenance, formation)


def document() -> Window:
    return Window("db-2", {"shop": SHOP}, {"captured": 12.5}, {"tables_locked": 3})


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
        (json.dumps({"version": 1, "generation": "db-2"}), "does not hold a window document"),
        (document().line().replace('"version":1', '"version":2'), "version 2"),
        (document().line().replace("db-2", "db-3"), "is of db-3"),
        (document().line().replace('"quantity":2', '"quantity":"many"'), "does not hold a window document"),
    ],
)
def test_a_document_that_cannot_be_used_is_refused_with_what_to_do(text: str, found: str) -> None:
    with pytest.raises(BadInput, match=found) as refusal:
        window_from({WINDOW_VARIABLE: text}, "db-2")

    assert "run `pulumi up` again" in str(refusal.value)


def test_what_is_live_is_written_down_first() -> None:
    found = as_found(None, app(WEB, WORKER, maintenance=True))

    assert found == AppAsFound(maintenance=True, formation=(WEB, WORKER))


def test_the_release_type_is_never_scaled_back() -> None:
    found = as_found(None, app(WEB, ProcessType("release", 0, "Standard-1X")))

    assert found.formation == (WEB,)


def test_a_live_quantity_wins_over_the_record() -> None:
    scaled_up = ProcessType("web", 5, "Performance-M")

    assert as_found(SHOP, app(scaled_up, WORKER)).formation == (scaled_up, WORKER)


def test_a_live_zero_is_what_the_changeover_itself_set() -> None:
    stopped = app(ProcessType("web", 0, "Standard-1X"), ProcessType("worker", 0, "Standard-2X"), maintenance=True)

    assert as_found(SHOP, stopped) == SHOP


def test_maintenance_that_was_found_is_left_on() -> None:
    known = AppAsFound(maintenance=True, formation=(WEB,))

    assert as_found(known, app(WEB, maintenance=True)).maintenance


def test_maintenance_that_a_colleague_ended_is_not_brought_back() -> None:
    known = AppAsFound(maintenance=True, formation=(WEB,))

    assert not as_found(known, app(WEB)).maintenance
