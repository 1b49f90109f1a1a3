"""Time as an argument, and the one way to wait: with a deadline, an interval and a name for what is waited for."""

import math
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import NamedTuple

from heroku_changeover.reach.uptime import uptime
from heroku_changeover.terms.errors import Interrupted, TimedOut

INSIDE_WINDOW = 0.1
"""Seconds between two looks while the app is down: what is seen late is outage."""

AT_ITS_EDGE = 0.05
"""Seconds between two looks at what the next act in the window waits for, where looks need not wait for each other."""

LATENESS = 0.005
"""
Looks may be apart by this part of the time waited so far, if that is more, for every app that is waited for: five
minutes are 900 requests, over all apps, of the 4,500 that the whole account has in an hour.
"""

LOOKS_AT_ONCE = 5
"""How many of them may be under way: as many as fit into an answer of Heroku's that takes its time."""

OUTSIDE_WINDOW = 5.0
"""The longest pause between two looks while nobody waits; gentle on Heroku's rate limit, and reached by doubling."""

BREATH = 0.01
"""Seconds between two looks at the very least, when a look takes longer than the interval."""

HEARTBEAT = 30.0
"""Seconds after which a wait says again what it waits for."""

ENDING = threading.Event()
"""Set when the process was asked to end: every thread that waits stops, and the step decides what that means."""

Look = Future[str | None]

_STARTED = time.time() - uptime()
"""What the wall clock would have shown when this machine started, by what it shows as this process begins."""

_LIMIT: ContextVar[float] = ContextVar("limit", default=math.inf)


def steady_now() -> float:
    """
    Seconds since 1970 by the wall clock as it was when this process began; whatever that is set to since, this goes on
    evenly, also while the machine sleeps.
    """
    return _STARTED + uptime()


def limit() -> float:
    """When the wait ends whose look runs in this thread: no request of that look may take longer."""
    return _LIMIT.get()


@contextmanager
def no_longer_than(deadline: float) -> Iterator[None]:
    """No request in a block, or in threads that are begun in it, goes on beyond that reading of the clock."""
    before = _LIMIT.set(min(_LIMIT.get(), deadline))
    try:
        yield
    finally:
        _LIMIT.reset(before)


def no_end() -> float:
    """The end of work that nothing limits."""
    return math.inf


def never() -> bool:
    """Whether somebody has asked the process to end, for work that has to be done even then."""
    return False


def first_of(looks: set[Look], seconds: float) -> None:
    """Returns when one of them has ended, or after that time; `math.inf` is without a limit."""
    wait(looks, None if math.isinf(seconds) else seconds, FIRST_COMPLETED)


def interruptible_sleep(seconds: float) -> None:
    """
    Sleeps, unless the process is asked to end.

    Raises:
        Interrupted: it was.
    """
    if ENDING.wait(seconds):
        raise Interrupted("asked to end by SIGTERM or SIGINT")


class Clock(NamedTuple):
    """
    `now` is in seconds since 1970, so that its readings mean the same in every step's process, and never jumps.
    `sleep` ends when the process is asked to end, `sound_sleep` does not. `first_of` waits for looks under way.
    `is_ending` tells whether the process was asked to end, `ends` when the work has to be over. `awake` goes on only
    while the machine does not sleep: nobody can be late in saying something in that time.
    """

    now: Callable[[], float] = steady_now
    sleep: Callable[[float], None] = interruptible_sleep
    sound_sleep: Callable[[float], None] = time.sleep
    first_of: Callable[[set[Look], float], None] = first_of
    is_ending: Callable[[], bool] = ENDING.is_set
    ends: Callable[[], float] = no_end
    awake: Callable[[], float] = time.monotonic

    def within(self, ends: Callable[[], float]) -> "Clock":
        """The same clock for work that has to be over when it shows what `ends` says."""
        return self._replace(ends=ends)

    def undisturbed(self) -> "Clock":
        """The same clock for work that has to be done even when the process was asked to end, or time is up."""
        return self._replace(sleep=self.sound_sleep, is_ending=never, ends=no_end)

    def counted_from(self, epoch: float) -> "Clock":
        """A clock by which this machine started at that reading, as it did for another process of it."""
        return self._replace(now=lambda: epoch + uptime())

    @property
    def epoch(self) -> float:
        """The reading at which this machine started, by this clock: another process can count from there."""
        return self.now() - uptime()


class Wait:
    """
    Waits until a probe says that it is so.

    A probe returns None when the state is reached, else a few words on what it found instead.
    `report` gets those words when they change and at every heartbeat. A look begins `interval` seconds after the one
    before it began, or as soon as that one has ended; the interval grows to `longest`, and beyond that to the part
    `lateness` of the time waited so far.
    """

    def __init__(
        self,
        clock: Clock,
        report: Callable[[str], None],
        interval: float = INSIDE_WINDOW,
        longest: float = INSIDE_WINDOW,
        lateness: float = LATENESS,
    ) -> None:
        self.clock, self.report, self.lateness = clock, report, lateness
        self.interval, self.longest = interval, longest
        self._said, self._said_at = "", 0.0

    def until(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        """
        Returns as soon as the probe returns None; `deadline` is a reading of the clock.

        Raises:
            TimedOut: names `what`, the seconds spent and what was found last.
        """
        with no_longer_than(deadline):
            self._until(what, probe, deadline)

    def _until(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        started = looked = self.clock.now()
        interval = self.interval
        while (found := probe()) is not None:
            now = self.clock.now()
            if now >= deadline:
                raise TimedOut(f"{what}: not reached within {now - started:.0f} s; last seen: {found}")
            self._say(f"waiting for {what}: {found}", now)
            pause = max(interval, self._late(now - started))
            self.clock.sleep(max(min(pause - (now - looked), deadline - now), BREATH))
            looked, interval = self.clock.now(), min(interval * 2, self.longest)

    def closely(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        """
        Like `until`, but a look does not wait for the one before it: an answer of Heroku's takes longer than the
        interval, and what it says is as old. The first that says "reached" counts, even if it was not asked first.

        The probe is called from several threads, keeps nothing, and is about something that once reached stays so.

        Raises:
            TimedOut: as `until`, after the looks that are under way have ended.
        """
        with no_longer_than(deadline):
            self._closely(what, probe, deadline)

    def _closely(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        started, found = self.clock.now(), "nothing yet"
        looks: set[Look] = set()
        with _lookers() as pool:
            while True:
                began = self.clock.now()
                if len(looks) < LOOKS_AT_ONCE:
                    looks.add(pool.submit(copy_context().run, probe))
                ends = began + max(self.interval, self._late(began - started)) if began < deadline else math.inf
                for answer in self._answers(looks, ends):
                    if answer is None:
                        return
                    found = answer
                    self._say(f"waiting for {what}: {found}", self.clock.now())
                if began >= deadline:
                    raise TimedOut(f"{what}: not reached within {began - started:.0f} s; last seen: {found}")
                self.clock.sleep(max(min(ends, deadline) - self.clock.now(), 0.0))

    def _late(self, waited: float) -> float:
        """How late a state may be noticed that was waited for so long."""
        return min(waited * self.lateness, OUTSIDE_WINDOW)

    def _answers(self, looks: set[Look], ends: float) -> Iterator[str | None]:
        """What the looks find, as they end, until a moment; those still under way stay in the set."""
        while looks and (left := ends - self.clock.now()) > 0:
            self.clock.first_of(looks, left)
            for look in [look for look in looks if look.done()]:
                looks.remove(look)
                yield look.result()

    def _say(self, line: str, now: float) -> None:
        if line != self._said or now - self._said_at >= HEARTBEAT:
            self._said, self._said_at = line, now
            self.report(line)


@contextmanager
def _lookers() -> Iterator[ThreadPoolExecutor]:
    """Threads for looks; whoever has the answer does not wait for those that are still under way."""
    pool = ThreadPoolExecutor(LOOKS_AT_ONCE)
    try:
        yield pool
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
