"""
The keeper: a process of its own that closes an open window when the run that opened it is gone.

A step starts it before maintenance mode goes on. It is in a session of its own, holds no stream of the engine, and
sees the end of the command plugin and of the Pulumi process, by a cancel or a crash. Then, or when the window's budget
is overrun, it waits for whatever step is still at work, and does what `recovery` says. It ends when the window is
closed.
"""

import fcntl
import os
import signal
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO

from heroku_changeover.apps.keeping import READY_VARIABLE, keeper_file, try_lock
from heroku_changeover.reach.address import address_from
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.journal import Journal, Record, folder, locked, sign
from heroku_changeover.reach.wait import Clock
from heroku_changeover.rescue.recovery import changeover_in, recover
from heroku_changeover.terms.command import KEEP
from heroku_changeover.terms.errors import Busy, Forbidden, NeedsPerson, Refused
from heroku_changeover.ways.way import Changeover

POLL = 0.1
"""Seconds between two looks at the run that opened the window; both are cheap and local."""

YIELD = 1.0
"""Seconds for which a keeper that finds another one's lock waits for it."""

OVERRUN = 30
"""Seconds beyond the budget after which the run is taken to be stuck: a step puts everything back by itself in less."""

PATIENCE = 3600
"""Seconds for which the keeper goes on trying while Heroku cannot be reached."""

LONGEST_PAUSE = 15.0
"""Seconds between two of those tries, at most."""


def keep(app: str, environ: Mapping[str, str]) -> None:
    """Watches over the open window of an app until it is closed, and closes it when nobody else does."""
    journal = Journal(folder(environ), app)
    _outlive()
    clock = Clock().undisturbed()
    with keeper_file(journal) as file:
        alone = _is_alone(file, clock)
        _say_ready(environ)
        if alone:
            sign(file, str(os.getpid()))  # for whoever wants to look at it
            Keeper(journal, Heroku(address_from(environ)), clock).watch()


def _is_alone(file: IO[str], clock: Clock) -> bool:
    """Whether no other keeper is there; somebody who only looks whether there is one has gone in a moment."""
    until = clock.now() + YIELD
    while not (alone := try_lock(file, fcntl.LOCK_EX)) and clock.now() < until:
        clock.sleep(POLL)
    return alone


def _outlive() -> None:
    """Whoever ends the run may send the same signal to everything around it; only SIGKILL ends a keeper."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


def _say_ready(environ: Mapping[str, str]) -> None:
    if descriptor := environ.get(READY_VARIABLE):
        with suppress(OSError, ValueError), os.fdopen(int(descriptor), "wb") as ready:
            ready.write(b"1")


class Keeper:
    """One keeper at its work."""

    def __init__(self, journal: Journal, heroku: Heroku, clock: Clock) -> None:
        self._journal, self._heroku, self._clock = journal, heroku, clock

    def watch(self) -> None:
        self.say("watches over the window")
        while (record := self._journal.read()) is not None:
            if reason := self._left_alone(record):
                self.say(reason)
                if not self._take_over():
                    return
            self._clock.sleep(POLL)
        self.say("the window was closed")

    def _left_alone(self, record: Record) -> str | None:
        if not record.has_engine:
            return "the run that opened the window is gone"
        if self._clock.now() > record.overrun + OVERRUN:
            return "the run has overrun the window's budget"
        return None

    def _take_over(self) -> bool:
        """
        Tries until the window is closed or somebody else works on it, and returns True; False when a person is needed
        or patience is spent.
        """
        until, pause = self._clock.now() + PATIENCE, 0.5
        while (record := self._journal.read()) is not None and self._left_alone(record):
            if self._clock.now() >= until:
                return self._give_up(f"not done within {PATIENCE} s")
            try:
                self._recover(record)
            except Busy as error:
                self.say(f"waits on: {error}")
                self._clock.sleep(pause)
            except (NeedsPerson, Refused, Forbidden) as error:
                return self._give_up(str(error))
            except Exception as error:  # noqa: BLE001 - nobody else is left: a full disk or a bug may pass as well
                self.say(f"not yet: {type(error).__name__}: {error}")
                self._clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        return True

    def _recover(self, record: Record) -> None:
        """Another run may have taken the window over while the lock was waited for."""
        with locked(self._journal.path, record.order.apps, KEEP, self._clock, self.say):
            now = self._journal.read()
            if now is not None and self._left_alone(now):
                self.say(recover(self._changeover(now)))

    def _changeover(self, record: Record) -> Changeover:
        return changeover_in(record, self._heroku, self.say, self._clock, self._journal)

    def _give_up(self, reason: str) -> bool:
        self.say(f"gives up: {reason}")
        with suppress(OSError):
            if record := self._journal.read():
                self._journal.write(record._replace(gave_up=reason))
        return False

    @property
    def say(self) -> Callable[[str], None]:
        return lambda line: self._journal.log("keeper", line)
