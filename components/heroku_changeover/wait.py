"""Time as an argument, and the one way to wait: with a deadline, an interval and a name for what is waited for."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from heroku_changeover.errors import Interrupted, TimedOut

INSIDE_WINDOW = 0.1
"""Seconds between two looks while the app is down: what is seen late is outage. A minute of it is some 300 requests."""

OUTSIDE_WINDOW = 5.0
"""The longest pause between two looks while nobody waits; gentle on Heroku's rate limit, and reached by doubling."""

BREATH = 0.01
"""Seconds between two looks at the very least, when a look takes longer than the interval."""

HEARTBEAT = 30.0
"""Seconds after which a wait says again what it waits for."""


ENDING = threading.Event()
"""Set when the process was asked to end: every thread that waits stops, and the step decides what that means."""


def interruptible_sleep(seconds: float) -> None:
    """
    Sleeps, unless the process is asked to end.

    Raises:
        Interrupted: it was.
    """
    if ENDING.wait(seconds):
        raise Interrupted("asked to end by SIGTERM or SIGINT")


@dataclass(frozen=True, slots=True)
class Clock:
    """
    `now` is the wall clock in seconds since 1970, so that its readings mean the same in every step's process.
    `sleep` ends when the process is asked to end, `sound_sleep` does not.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = interruptible_sleep
    sound_sleep: Callable[[float], None] = time.sleep

    def undisturbed(self) -> "Clock":
        """The same clock for work that has to be done even when the process was asked to end."""
        return Clock(self.now, self.sound_sleep, self.sound_sleep)


@dataclass(slots=True)
class Wait:
    """
    Waits until a probe says that it is so.

    A probe returns None when the state is reached, else a few words on what it found instead.
    `report` gets those words when they change and at every heartbeat. A look begins `interval` seconds after the one
    before it began, or as soon as that one has ended; the interval grows to `longest`.
    """

    clock: Clock
    report: Callable[[str], None]
    interval: float = INSIDE_WINDOW
    longest: float = INSIDE_WINDOW
    _said: str = field(default="", init=False)
    _said_at: float = field(default=0.0, init=False)

    def until(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        """
        Returns as soon as the probe returns None; `deadline` is a reading of the clock.

        Raises:
            TimedOut: names `what`, the seconds spent and what was found last.
        """
        started = looked = self.clock.now()
        interval = self.interval
        while (found := probe()) is not None:
            now = self.clock.now()
            if now >= deadline:
                raise TimedOut(f"{what}: not reached within {now - started:.0f} s; last seen: {found}")
            self._say(f"waiting for {what}: {found}", now)
            self.clock.sleep(max(min(interval - (now - looked), deadline - now), BREATH))
            looked, interval = self.clock.now(), min(interval * 2, self.longest)

    def _say(self, line: str, now: float) -> None:
        if line != self._said or now - self._said_at >= HEARTBEAT:
            self._said, self._said_at = line, now
            self.report(line)
