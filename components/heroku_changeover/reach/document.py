"""The window document in the making: every moment is written down when it comes, on this machine too."""

import threading
from collections.abc import Callable, Mapping

from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.report import Report
from heroku_changeover.terms.window import AppAsFound, Window


class Document:
    """
    `window` is what it says so far; `journal` is None where this machine remembers nothing.

    Several apps are worked on at the same time, so two writes wait for each other.
    """

    def __init__(self, window: Window, clock: Clock, journal: Journal | None = None) -> None:
        self.window, self.clock, self.journal = window, clock, journal
        self._writing = threading.Lock()

    def did(self, moment: Moment) -> None:
        """Writes down that a moment has come."""
        with self._writing:
            self.window = self.window.did(moment, self.clock.now())
            if self.journal is not None:
                self.journal.note(self.window)

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
            self.journal.close()

    def finish(self, order: Order) -> None:
        """The last thing is done; this machine remembers it, so that steps that run again leave all as it is."""
        self.did(Moment.RESTORED)
        if self.journal is not None:
            self.journal.remember(Record(order, self.window))
