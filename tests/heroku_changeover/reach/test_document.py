"""What a step begins with: the document of the step before, or what this machine remembers, by whatever clock."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest

from heroku_changeover import __main__ as program
from heroku_changeover.reach import locks
from heroku_changeover.reach.document import clock_of, window_at_start
from heroku_changeover.reach.home import HOME_VARIABLE, folder
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.uptime import boot, uptime
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.command import WINDOW_VARIABLE
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.window import Window
from heroku_changeover.ways import steps

ORDER = Order("db-2", ("shop",), "old", "new")
NOW = 1_700_000_000.0
HOURS = 7200.0
CLOCK = Clock(lambda: NOW)
OPEN = Window("db-2", {}, {Moment.CAPTURED: NOW - 9, Moment.ENTERING_MAINTENANCE: NOW - 5})


def put_back(at: float) -> Window:
    return Window("db-2", {}, {Moment.CAPTURED: at - 10, Moment.PUT_BACK: at})


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path, "shop")


def given(window: Window) -> Mapping[str, str]:
    return {WINDOW_VARIABLE: window.line()}


def test_an_open_window_counts_although_an_earlier_attempt_was_closed_by_a_clock_that_was_ahead(
    journal: Journal,
) -> None:
    journal.remember(Record(ORDER, put_back(NOW + HOURS)))
    journal.write(Record(ORDER, OPEN))

    assert window_at_start(ORDER, journal, CLOCK, {}) == OPEN


def test_the_document_of_an_open_window_counts_against_an_attempt_that_was_put_back_in_the_future(
    journal: Journal,
) -> None:
    """The window was opened from another machine, so that there is no record of it here."""
    journal.remember(Record(ORDER, put_back(NOW + HOURS)))

    assert window_at_start(ORDER, journal, CLOCK, given(OPEN)).is_open


@pytest.mark.parametrize("ahead", [0.0, HOURS])
def test_a_window_that_was_put_back_after_the_document_was_printed_is_closed(journal: Journal, ahead: float) -> None:
    """Both by the same clock, whether that was ahead or not."""
    printed = Window("db-2", {}, {Moment.ENTERING_MAINTENANCE: NOW + ahead - 5})
    journal.remember(Record(ORDER, put_back(NOW + ahead - 1)))

    assert not window_at_start(ORDER, journal, CLOCK, given(printed)).is_open


def test_what_a_later_machine_printed_counts_although_its_clock_is_a_little_ahead(journal: Journal) -> None:
    journal.write(Record(ORDER, OPEN))
    later = OPEN.did(Moment.PASSING_RETURN, NOW + 1)

    assert window_at_start(ORDER, journal, CLOCK, given(later)).is_past_return


@pytest.mark.parametrize("is_open", [True, False])
def test_the_clock_of_an_earlier_attempt_goes_on_after_it_was_set(journal: Journal, is_open: bool) -> None:
    record = Record(ORDER, put_back(NOW + HOURS), boot=boot(), epoch=NOW + HOURS - uptime())
    (journal.write if is_open else journal.remember)(record)

    assert clock_of(ORDER, journal, CLOCK).now() == pytest.approx(NOW + HOURS, abs=60)
    assert clock_of(ORDER._replace(target="other"), journal, CLOCK).now() == NOW


def test_a_step_begins_with_what_is_remembered_once_it_is_alone_with_the_app(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever had the app before may have put it back while the step waited."""
    for name, value in {"HEROKU_CHANGEOVER_HOME": str(tmp_path), "HEROKU_API_KEY": "a-token"}.items():
        monkeypatch.setenv(name, value)
    journal = Journal(folder({HOME_VARIABLE: str(tmp_path)}), "shop")
    journal.write(Record(ORDER, OPEN))
    begun: list[tuple[bool, float]] = []

    @contextmanager
    def locked_after_it_was_put_back(*_: object) -> Iterator[None]:
        journal.close()
        journal.remember(Record(ORDER, put_back(NOW), boot=boot(), epoch=NOW - uptime()))
        yield

    monkeypatch.setattr(locks, "locked", locked_after_it_was_put_back)
    monkeypatch.setattr(program, "_on_signals", lambda: None)
    monkeypatch.setattr(steps, "RUN", {"promote": lambda c: begun.append((c.window.is_open, c.world.clock.now()))})

    assert program.main(["promote", "--generation", "db-2", "--app", "shop", "--from", "old", "--to", "new"]) == 0
    ((was_open, began),) = begun
    assert not was_open
    assert began == pytest.approx(NOW, abs=60)
