"""Waiting, with a clock that stands still unless it is slept on."""

import math
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, cast

import pytest

from heroku_changeover.reach.wait import HEARTBEAT, LOOKS_AT_ONCE, Clock, Look, Wait, first_of
from heroku_changeover.reach.world import World
from heroku_changeover.terms.errors import Interrupted, TimedOut
from kit.fake_time import FakeTime

if TYPE_CHECKING:
    from heroku_changeover.reach.heroku import Heroku
    from heroku_changeover.reach.sql import Sql


class NotedTime(FakeTime):
    """One that notes how long was slept, and waits for looks as long as they take."""

    def __init__(self) -> None:
        super().__init__()
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        super().sleep(seconds)

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep, self.sleep, lambda looks, _: first_of(looks, math.inf))

    @property
    def impatient_clock(self) -> Clock:
        """One for which every look takes longer than anybody waits for it."""
        return Clock(lambda: self.now, self.sleep, self.sleep, self.skip)

    def skip(self, looks: set[Look], seconds: float) -> None:
        self.now += seconds


def after(looks: int, found: str = "2 commits behind") -> "list[str | None]":
    return [*[found] * looks, None]


def wait_for(time: NotedTime, answers: list[str | None], deadline: float = 1e9, longest: float = 0.25) -> list[str]:
    said: list[str] = []
    remaining = iter(answers)
    Wait(time.clock, said.append, 0.25, longest).until("db-2 to catch up", lambda: next(remaining), deadline)
    return said


def test_a_state_that_is_already_reached_costs_no_time() -> None:
    time = NotedTime()

    assert wait_for(time, [None]) == []
    assert time.slept == []


def test_what_was_found_is_said_once_as_long_as_it_stays_the_same() -> None:
    said = wait_for(NotedTime(), after(10))

    assert said == ["waiting for db-2 to catch up: 2 commits behind"]


def test_a_long_wait_is_heard_of_at_every_heartbeat() -> None:
    time = NotedTime()

    said = wait_for(time, after(200))

    assert len(said) == 1 + int(200 * 0.25 // HEARTBEAT)


def test_pauses_grow_up_to_the_longest_one() -> None:
    time = NotedTime()

    wait_for(time, after(6), longest=2.0)

    assert time.slept == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]


def test_a_deadline_is_named_with_what_was_waited_for_and_what_was_seen_last() -> None:
    with pytest.raises(TimedOut, match=r"db-2 to catch up: not reached within 3 s; last seen: 2 commits behind"):
        wait_for(NotedTime(), after(1000), deadline=1003.0)


Probe = Callable[[], str | None]


def wait_closely(clock: Clock, probe: Probe, deadline: float = 1e9) -> list[str]:
    said: list[str] = []
    Wait(clock, said.append, 0.05).closely("web.1 to come up", probe, deadline)
    return said


def test_a_close_wait_ends_with_the_look_that_finds_it_reached() -> None:
    time, answers = NotedTime(), iter(after(3, "web.1 starting"))

    assert wait_closely(time.clock, lambda: next(answers)) == ["waiting for web.1 to come up: web.1 starting"]
    assert time.slept == pytest.approx([0.05, 0.05, 0.05])


def test_in_a_close_wait_a_look_that_hangs_holds_up_no_other() -> None:
    hangs, asked = threading.Event(), threading.Event()

    def probe() -> str | None:
        if not asked.is_set():
            asked.set()
            hangs.wait(10)
        return None

    try:
        wait_closely(NotedTime().impatient_clock, probe)
    finally:
        hangs.set()


def test_looks_that_all_hang_are_not_joined_by_ever_more() -> None:
    hang, time, under_way = threading.Event(), NotedTime(), set[int]()

    def skip(looks: set[Look], seconds: float) -> None:
        under_way.add(len(looks))
        time.now += seconds
        if time.now > 1010:
            hang.set()

    def probe() -> str | None:
        return None if hang.wait(10) else "it hung"

    wait_closely(Clock(lambda: time.now, time.sleep, time.sleep, skip), probe)

    assert max(under_way) == LOOKS_AT_ONCE


def test_a_close_wait_that_takes_long_looks_less_often() -> None:
    """An account has only so many requests in an hour."""
    time, looks = NotedTime(), 0

    def probe() -> str | None:
        nonlocal looks
        looks += 1
        return None if time.now >= 1300 else "web.1 starting"

    wait_closely(time.clock, probe)

    assert looks < 1000


@pytest.mark.parametrize("apps", [1, 4, 12])
def test_apps_that_wait_for_minutes_leave_requests_for_the_rest_of_the_account(apps: int) -> None:
    """Four apps that waited five minutes for their one-off dynos made 6,635 of the 4,500 that there are in an hour."""
    looks = 0
    for _ in range(apps):
        time = NotedTime()
        world = World(cast("Heroku", None), cast("Sql", None), lambda _: None, time.clock, apps)

        def probe() -> str | None:
            nonlocal looks
            looks += 1
            return "run.1 up"

        with pytest.raises(TimedOut):
            world.urgent().until("the one-off dynos to end", probe, time.now + 300)

    assert looks < 1600


def test_the_deadline_of_a_close_wait_comes_after_a_last_look() -> None:
    """What was reached in the last moment is not called late."""
    answers = iter(["web.1 starting", None])

    with pytest.raises(TimedOut, match=r"web.1 to come up: not reached within 0 s; last seen: web.1 starting"):
        wait_closely(NotedTime().clock, lambda: next(answers), deadline=1000.0)


def test_an_error_of_a_look_ends_a_close_wait() -> None:
    def probe() -> str | None:
        raise Interrupted("asked to end")

    with pytest.raises(Interrupted):
        wait_closely(NotedTime().clock, probe)


def test_a_close_wait_hears_that_the_process_is_asked_to_end_while_looks_hang() -> None:
    time, hang = NotedTime(), threading.Event()

    def sleep(_: float) -> None:
        raise Interrupted("asked to end")

    try:
        with pytest.raises(Interrupted):
            wait_closely(time.impatient_clock._replace(sleep=sleep), lambda: str(hang.wait(10)))
    finally:
        hang.set()
