"""The window document: what is written down, handed on and trusted."""

import json

import pytest

from heroku_changeover.terms.captured import captured
from heroku_changeover.terms.command import WINDOW_VARIABLE
from heroku_changeover.terms.errors import BadInput, Refused
from heroku_changeover.terms.facts import POOLER, App, Attachment, Database, Name, ProcessType
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.report import MOST_NAMED, Report
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.window import LONGEST_LINE, AppAsFound, Window, as_found, short_enough, window_from

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
    found = as_found(None, app(WEB, WORKER, maintenance=True))

    assert found == AppAsFound(maintenance=True, formation=(WEB, WORKER), id="id")


def test_the_release_type_is_never_scaled_back() -> None:
    found = as_found(None, app(WEB, ProcessType("release", 0, "Standard-1X")))

    assert found.formation == (WEB,)


def test_a_live_quantity_wins_over_the_record() -> None:
    scaled_up = ProcessType("web", 5, "Performance-M")

    assert as_found(SHOP, app(scaled_up, WORKER)).formation == (scaled_up, WORKER)


NO_WEB, NO_WORKER = ProcessType("web", 0, "Standard-1X"), ProcessType("worker", 0, "Standard-2X")


@pytest.mark.parametrize(
    "down",
    [
        app(NO_WEB, NO_WORKER, maintenance=True),
        app(NO_WEB, NO_WORKER),
        app(WEB, NO_WORKER, maintenance=True),
        app(WEB, WORKER, maintenance=True),
        app(NO_WEB, WORKER),
    ],
    ids=["both", "at nothing", "the page, and no worker", "the page", "no web"],
)
def test_an_app_that_is_down_comes_back_as_it_was_recorded_whoever_took_it_down(down: App) -> None:
    assert as_found(SHOP, down) == SHOP


def test_a_live_zero_of_an_app_that_is_up_is_a_colleagues() -> None:
    no_worker = ProcessType("worker", 0, "Standard-2X")

    assert as_found(SHOP, app(WEB, no_worker)).formation == (WEB, no_worker)


def test_how_long_dynos_took_to_boot_is_known_when_they_are_down() -> None:
    assert as_found(SHOP, app(WEB, WORKER)).boot_seconds == SHOP.boot_seconds


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

    assert as_found(known, app(WEB, maintenance=True)).maintenance


def test_maintenance_that_a_colleague_ended_is_not_brought_back() -> None:
    known = AppAsFound(maintenance=True, formation=(WEB,))

    assert not as_found(known, app(WEB)).maintenance


def named(*attachments: tuple[str, str]) -> App:
    rows = tuple(Attachment(name, name, None, addon, addon, "shop") for name, addon in attachments)
    return app(WEB, WORKER)._replace(attachments=rows)


def test_the_names_that_move_are_those_of_the_leader_while_it_is_the_primary() -> None:
    live = named(("DATABASE", "a1"), ("READONLY", "a1"), ("HEROKU_POSTGRESQL_RED", "a1"), ("OTHER", "a3"))

    assert as_found(SHOP, live, leader="a1").names == (Name("DATABASE", None), Name("READONLY", None))


@pytest.mark.parametrize("primary", ["a2", None])
def test_what_the_leader_is_called_after_that_is_somebody_elses(primary: str | None) -> None:
    live = named(*((("DATABASE", primary),) if primary else ()), ("ANALYTICS", "a1"))

    assert as_found(SHOP, live, leader="a1").names == SHOP.names
    assert as_found(None, live, leader="a1").names == ()


def test_a_document_is_of_its_generation_after_a_rename_of_the_component_too() -> None:
    line = Window("db-2").did(Moment.ENTERING_MAINTENANCE, 1.0).line()

    assert window_from({WINDOW_VARIABLE: line}, "data-2") == Window(
        "data-2", moments={Moment.ENTERING_MAINTENANCE: 1.0}
    )
    with pytest.raises(BadInput, match="is of db-2, this step works on data-3"):
        window_from({WINDOW_VARIABLE: line}, "data-3")


MANY = tuple(f'"schema {n}"."table of another rôle {n}"' for n in range(4000))
CROWD = Report(tables_not_locked=MANY, other_roles=MANY, blocked_at_release=MANY, not_sealed=MANY, not_moved=MANY)


def apps(number: int, names: int) -> dict[str, AppAsFound]:
    """So many apps with five process types, so many of whose names of the database a person chose."""
    types = tuple(ProcessType(f"{kind}-process", 10, "Performance-L-RAM") for kind in "abcde")
    chosen = (Name("DATABASE", None), *(Name(f"READ_ONLY_NUMBER_{n}", "credential:reports") for n in range(names)))
    ident = "01234567-89ab-cdef-0123-456789abcdef"
    return {f"an-app-with-a-long-name-{n}": AppAsFound(False, types, 12.345, chosen, ident) for n in range(number)}


@pytest.mark.parametrize(("number", "names"), [(1, 0), (1, 600), (50, 3), (3, 200)])
def test_a_document_can_be_handed_on_however_much_there_is_to_tell(number: int, names: int) -> None:
    window = Window("db-2", apps(number, names), dict.fromkeys(Moment, 1795785663.123), CROWD)

    assert window.fits
    assert len(window.line().encode()) <= LONGEST_LINE < 64 * 1024
    read = window_from({WINDOW_VARIABLE: window.line()}, "db-2")
    assert read is not None
    assert {n: frozenset(a.names) for n, a in read.apps.items()} == {
        n: frozenset(a.names) for n, a in window.apps.items()
    }
    assert [a._replace(names=()) for a in read.apps.values()] == [window.apps[n]._replace(names=()) for n in read.apps]
    assert read.moments == window.moments
    assert read.report.tables_not_locked[0] == MANY[0]
    assert read.report.tables_not_locked[-1] == f"and {4000 - MOST_NAMED + 1} more"
    assert read.line() == window.line()


def test_names_that_were_given_in_the_window_do_not_make_it_too_long_to_be_handed_on() -> None:
    window = Window("db-2", apps(50, 300), {Moment.ENTERING_MAINTENANCE: 1.0})

    assert not window.fits
    read = window_from({WINDOW_VARIABLE: window.line()}, "db-2")
    assert read is not None
    assert {name: app.formation for name, app in read.apps.items()} == {n: a.formation for n, a in window.apps.items()}
    assert {app.names for app in read.apps.values()} == {(Name("DATABASE", None),)}


def test_one_that_is_too_long_is_not_begun() -> None:
    attachments = tuple(Attachment(f"{n}", f"READ_ONLY_NUMBER_{n}", None, "a1", "old", "shop") for n in range(3000))
    database = Attachment("d", "DATABASE", None, "a1", "old", "shop")
    live = app(WEB, WORKER)._replace(attachments=(database, *attachments))
    situation = Situation({"shop": live}, Database("a1", "old", "standard-0", "shop"), None, Stage.BEFORE)
    order = Order("db-2", ("shop",), "old", "new")

    with pytest.raises(Refused, match="heroku addons:detach"):
        captured(Window("db-2"), order, situation)
    assert captured(Window("db-2").did(Moment.ENTERING_MAINTENANCE, 1.0), order, situation)


def test_a_document_of_an_older_program_that_is_too_long_is_made_short_enough() -> None:
    window = Window("db-2", apps(2, 1), {Moment.ENTERING_MAINTENANCE: 1.0}, Report(tables_locked=3))
    row = window.row()
    row["report"]["tables_not_locked"] = list(MANY)
    text = json.dumps(row)
    assert len(text) > 128 * 1024

    short = short_enough(text)
    assert len(short) <= LONGEST_LINE
    read = window_from({WINDOW_VARIABLE: short}, "db-2")
    assert read is not None
    assert read.apps == window.apps
    assert read.is_open
    assert short_enough(document().line()) == document().line()


@pytest.mark.parametrize("text", ["x" * 10**6, "[" * 10**6, json.dumps({"version": 1, "junk": "x" * 10**6})])
def test_one_that_cannot_be_read_is_cut_so_that_the_step_can_say_so(text: str) -> None:
    short = short_enough(text)

    assert len(short) <= LONGEST_LINE
    with pytest.raises(BadInput):
        window_from({WINDOW_VARIABLE: short}, "db-2")


def test_an_app_is_found_again_under_another_name_by_its_id() -> None:
    window = Window("db-2", {"shop": SHOP._replace(id="id"), "admin": SHOP._replace(id="other")})

    assert window.found(app(WEB)._replace(name="store")) == window.apps["shop"]
    assert window.found(app(WEB)._replace(name="store", id="new")) is None
