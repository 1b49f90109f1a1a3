"""The window document in the making: every moment is written down when it comes, on this machine too."""

import math
import threading
from collections.abc import Callable, Mapping

from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.report import Report
from heroku_changeover.terms.window import AppAsFound, Window, as_of, newest, window_from


class Document:
    """
    `window` is what it says so far, of the changeover that `order` is about; `journal` is None where this machine
    remembers nothing.

    Several apps are worked on at the same time, so two writes wait for each other.
    """

    def __init__(
        self, window: Window, clock: Clock, journal: Journal | None = None, order: Order | None = None
    ) -> None:
        self.window, self.clock, self.journal, self._order = window, clock, journal, order
        self._writing = threading.Lock()

    def did(self, moment: Moment) -> None:
        """Writes down that a moment has come."""
        with self._writing:
            self.window = self.window.did(moment, self.clock.now())
            self._note()

    def forget(self, moment: Moment) -> None:
        """It was about to come, and has not."""
        with self._writing:
            self.window = self.window.without(moment)
            self._note()

    def _note(self) -> None:
        if self.journal is not None and self._order is not None:
            self.journal.note(self.window, self._order)

    def tell(self, more: Callable[[Report], Report]) -> None:
        """Writes into the report: `more` is given what it says so far."""
        with self._writing:
            self.window = self.window._replace(report=more(self.window.report))

    def found(self, apps: Mapping[str, AppAsFound]) -> None:
        """Writes down how each app is to be left."""
        with self._writing:
            self.window = self.window._replace(apps=apps)

    def begin_another(self, generation: str) -> None:
        """What was written is about a changeover that was finished."""
        with self._writing:
            self.window = Window(generation)

    def begin_anew(self) -> None:
        """Forgets the moments of an attempt that was put back."""
        with self._writing:
            self.window = self.window.begun_anew()

    def close(self) -> None:
        """Nobody has to watch over these apps any more."""
        if self.journal is not None:
            self.journal.close(self._order)

    def finish(self, order: Order) -> None:
        """The last thing is done; this machine remembers it, so that steps that run again leave all as it is."""
        self.did(Moment.RESTORED)
        if self.journal is not None:
            self.journal.remember(Record(order, self.window).counted_by(self.clock))


def clock_of(order: Order, journal: Journal, own: Clock) -> Clock:
    """
    The clock by which the windows of a changeover are noted on this machine: the wall clock may have been set since the
    step before this one, or since an attempt that was put back.
    """
    record = _known(order, journal)
    return record.clock(own) if record else own


def _known(order: Order, journal: Journal) -> Record | None:
    """
    What this machine remembers of a changeover: its open window; one that was closed is of an earlier attempt then,
    whatever the clock showed at that time.
    """
    records = (journal.read(), journal.read_last())
    return next((record for record in records if record and record.order.is_same_changeover(order)), None)


def window_at_start(order: Order, journal: Journal, clock: Clock, environ: Mapping[str, str]) -> Window:
    """
    The document of the step before this one; or, when a run broke and its keeper or another step went on, what this
    machine remembers of the same changeover, if that is newer: where both are as new, the document holds more.
    """
    given = window_from(environ, order.generation) or Window(order.generation)
    record, now = _known(order, journal), clock.now()
    window = newest(given, record.window, now=now) if record else given
    return as_of(window, now)._replace(generation=order.generation)


def end_of_budget(order: Order, document: Document) -> Callable[[], float]:
    """
    Tells when a step's requests have to be over: when the window's budget is spent, as long as there is a way back. A
    budget that was spent before the step began is what it puts back for, or takes the window over with a new one.
    """
    before = document.window.budget_began

    def ends() -> float:
        window = document.window
        began = window.budget_began
        if began is None or not window.is_open or window.is_past_return or began == spent:
            return math.inf
        return began + order.budget

    spent = before if before is not None and document.clock.now() >= before + order.budget else None
    return ends
