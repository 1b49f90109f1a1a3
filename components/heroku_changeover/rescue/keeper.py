"""
The keeper: a process of its own that closes an open window when the run that opened it is gone.

A step starts it before maintenance mode goes on. It is in a session of its own, holds no stream of the engine, and
sees the end of the command plugin and of the Pulumi process, by a cancel or a crash. Then, or when the window's budget
is overrun, or when nothing is heard of the run any more after the point of no return, it waits for whatever step is
still at work, ends one that hangs, and does what `recovery` says. It ends when the window is closed.

It needs nothing that can go away: what it runs is loaded, and what it watches over is in its memory. A record that is
lost or damaged says nothing; only one that was closed ends it.
"""

import os
import signal
from collections.abc import Mapping
from contextlib import suppress
from typing import IO

from heroku_changeover.apps.keeping import READY_VARIABLE, keeper_file
from heroku_changeover.reach.address import address_from
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.hiding import said_of
from heroku_changeover.reach.home import folder
from heroku_changeover.reach.journal import KEEPER, Journal, Record
from heroku_changeover.reach.locks import holder_of, last_sign_of_life, locked, sign, try_lock
from heroku_changeover.reach.wait import Clock
from heroku_changeover.rescue.recovery import changeover_in, recover
from heroku_changeover.terms.command import KEEP
from heroku_changeover.terms.errors import BadInput, Busy, Locked, NeedsPerson, Refused, may_pass

POLL = 0.1
"""Seconds between two looks at the run that opened the window; both are cheap and local."""

YIELD = 1.0
"""Seconds for which a keeper that finds another one's lock waits for it."""

OVERRUN = 30
"""Seconds beyond the budget after which the run is taken to be stuck: a step puts everything back by itself in less."""

SILENCE = 150
"""
Seconds without a word after which whoever is at work is taken to hang: every wait says something twice a minute, and no
request or statement takes longer. The sleep of a machine is no silence: it stops whoever would speak.
"""

SHORT_SILENCE = 45
"""The same beyond the budget, when all that is left to a step is to put back: a wait says something every 30 s."""

BUSY_POLL = 1.0
"""Seconds between two looks whether whoever is at work hangs."""

PATIENCE = 86_400
"""Seconds for which the keeper goes on trying, whatever Heroku or a database answers."""

REFUSED_FOR = 600
"""
Seconds for which the same has to be refused until a keeper takes it for lasting: somebody renames add-ons, or one of
Heroku's APIs is behind the other one.
"""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.5, 60.0
"""
Seconds between two of those tries: they grow, because each asks Heroku some 14 times for every app, and the account has
4,500 requests an hour. Whether somebody on this machine is at work asks nobody.
"""


def keep(app: str, environ: Mapping[str, str]) -> None:
    """
    Watches over the open window of an app until it is closed, and closes it when nobody else does.

    A step that opens the next one, while this keeper is about to end, still sees that there is one. It has written its
    record before it looked; so once nobody can see this keeper any more, it looks for a record itself.
    """
    journal = Journal(folder(environ), app)
    _outlive()
    clock = Clock().undisturbed()
    heroku, once = Heroku(address_from(environ), clock), _Once(environ)
    while _watches(journal, heroku, clock, once):
        pass


def _watches(journal: Journal, heroku: Heroku, clock: Clock, ready: "_Once") -> bool:
    """Watches, unless another keeper does; returns whether there is a window by then that nobody watches over."""
    with keeper_file(journal) as file:
        if not _is_alone(file, clock):
            ready.say()
            return False
        keeper = Keeper(journal, heroku, clock)
        _load()
        sign(file, str(os.getpid()))  # for whoever wants to look at it
        ready.say()
        keeper.watch()
    return keeper.is_another_open()


def _load() -> None:
    from heroku_changeover.rescue.loading import load_everything

    load_everything()


def _is_alone(file: IO[str], clock: Clock) -> bool:
    """Whether no other keeper is there; somebody who only looks whether there is one has gone in a moment."""
    until = clock.now() + YIELD
    while not (alone := try_lock(file)) and clock.now() < until:
        clock.sleep(POLL)
    return alone


def _outlive() -> None:
    """Whoever ends the run may send the same signal to everything around it; only SIGKILL ends a keeper."""
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)


class _Once:
    """Says to whoever started this keeper that it watches; after that the descriptor may be anything's."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._descriptor = environ.get(READY_VARIABLE, "")

    def say(self) -> None:
        descriptor, self._descriptor = self._descriptor, ""
        if descriptor:
            with suppress(OSError, ValueError, OverflowError), os.fdopen(int(descriptor), "wb") as ready:
                ready.write(b"1")


class Keeper:
    """One keeper at its work; `_known` is the window as it was seen last, None when none is open any more."""

    def __init__(self, journal: Journal, heroku: Heroku, clock: Clock) -> None:
        self._journal, self._heroku, self._clock = journal, heroku, clock
        self._known = self._first_look()
        self._life, self._heard_at = (0.0, 0), clock.awake()
        self._waits_on, self._at_work = "", False
        self._refused, self._refused_at = "", 0.0

    def _first_look(self) -> Record | None:
        try:
            return self._journal.read()
        except BadInput as error:
            self.say(str(error))
            return None

    def watch(self) -> None:
        self.say("watches over the window")
        while (record := self._look()) is not None:
            if reason := self._left_alone(record):
                self.say(reason)
                if not self._take_over():
                    return
            self._clock.sleep(POLL)
        self.say("the window was closed")

    def is_another_open(self) -> bool:
        """Whether there is a window that is none of those that this keeper has closed, or has given up."""
        with suppress(BadInput):
            record = self._journal.read()
            return record is not None and not record.gave_up and record != self._known
        return False

    def _look(self) -> Record | None:
        if self._known is not None:
            self._known = self._journal.still_open(self._known)
        if self._known is not None:
            self._listen(self._known)
        return self._known

    def _listen(self, record: Record) -> None:
        """Whoever is at work shows it in the lock file; as long as this keeper has the lock, nobody else is."""
        life = (record.window.latest, last_sign_of_life(self._journal.path, record.order.apps))
        if life != self._life and not self._at_work:
            self._heard_at = self._clock.awake()
        self._life = life

    def _left_alone(self, record: Record) -> str | None:
        if not record.has_engine:
            return "the run that opened the window is gone"
        if self._is_overrun(record):
            return "the run has overrun the window's budget"
        if record.window.is_past_return and self._silence() > SILENCE:
            return f"nothing was heard of the run for {SILENCE} s"
        return None

    def _is_overrun(self, record: Record) -> bool:
        return record.clock(self._clock).now() > record.overrun + OVERRUN

    def _silence(self) -> float:
        return self._clock.awake() - self._heard_at

    def _take_over(self) -> bool:
        """
        Tries until the window is closed or somebody else works on it, and returns True; False when a person is needed
        or patience is spent.
        """
        until, pause = self._clock.now() + PATIENCE, SHORTEST_PAUSE
        while (record := self._look()) is not None and self._left_alone(record):
            if self._clock.now() >= until:
                return self._give_up(f"not done within {PATIENCE} s")
            try:
                self._recover(record)
            except Locked as error:
                self._wait_on(record, error)
                self._clock.sleep(SHORTEST_PAUSE)
            except Exception as error:  # noqa: BLE001 - nobody else is left: a full disk or a bug may pass as well
                if isinstance(error, Busy):
                    self._wait_on(record, error)
                elif self._leads_nowhere(error):
                    return self._give_up(str(error))
                else:
                    self.say(f"not yet: {type(error).__name__}: {said_of(error)}")
                self._clock.sleep(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        return True

    def _leads_nowhere(self, error: Exception) -> bool:
        """Whether only a person can decide, or it has been refused, in the same words, for long."""
        if may_pass(error) or not isinstance(error, NeedsPerson | Refused):
            return False
        if str(error) != self._refused:
            self._refused, self._refused_at = str(error), self._clock.now()
        return isinstance(error, NeedsPerson) or self._clock.now() - self._refused_at >= REFUSED_FOR

    def _recover(self, record: Record) -> None:
        """Another run may have taken the window over while the lock was waited for."""
        path, apps = self._journal.path, record.order.apps
        self._journal.make_room()
        with locked(path, apps, KEEP, self._clock, lambda _: None, BUSY_POLL):
            self._at_work = True
            try:
                self._close_window()
            finally:
                self._at_work = False

    def _close_window(self) -> None:
        record = self._look()
        if record is None or not self._left_alone(record):
            return
        clock = record.clock(self._clock)
        try:
            self.say(recover(changeover_in(record, self._heroku.by(clock), self.say, clock, self._journal)))
        finally:
            self._look()  # what it has written down itself is no sign of anybody else
        if not self._journal.record_path.exists():
            self._known = None  # closed, even if there was no room to say so

    def _wait_on(self, record: Record, error: Busy) -> None:
        if str(error) != self._waits_on:
            self._waits_on = str(error)
            self.say(f"waits on: {error}")
        limit = SHORT_SILENCE if self._is_overrun(record) else SILENCE
        if self._silence() > limit:
            self._end_who_hangs(record)

    def _end_who_hangs(self, record: Record) -> None:
        """By number and start, so that nothing else is ended; what it held goes with it."""
        holders = {holder_of(self._journal.path, app) for app in record.order.apps} - {None}
        for holder in holders:
            if holder is not None and holder.process is not None and holder.process.end():
                self.say(f"{holder} hangs, and was ended")

    def _give_up(self, reason: str) -> bool:
        self.say(f"gives up: {reason}")
        with suppress(OSError):
            if self._known is not None:
                self._journal.write(self._known._replace(gave_up=reason))
        return False

    def say(self, line: str) -> None:
        self._journal.log(KEEPER, line)
