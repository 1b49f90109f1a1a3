"""Waiting, with a clock that stands still unless it is slept on."""

import pytest

from heroku_changeover.errors import TimedOut
from heroku_changeover.wait import HEARTBEAT, Clock, Wait


class FakeTime:
    """A clock whose hands move only when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep)


def after(looks: int, found: str = "2 commits behind") -> "list[str | None]":
    return [*[found] * looks, None]


def wait_for(time: FakeTime, answers: list[str | None], deadline: float = 1e9, longest: float = 0.25) -> list[str]:
    said: list[str] = []
    remaining = iter(answers)
    Wait(time.clock, said.append, 0.25, longest).until("db-2 to catch up", lambda: next(remaining), deadline)
    return said


def test_a_state_that_is_already_reached_costs_no_time() -> None:
    time = FakeTime()

    assert wait_for(time, [None]) == []
    assert time.slept == []


def test_what_was_found_is_said_once_as_long_as_it_stays_the_same() -> None:
    said = wait_for(FakeTime(), after(10))

    assert said == ["waiting for db-2 to catch up: 2 commits behind"]


def test_a_long_wait_is_heard_of_at_every_heartbeat() -> None:
    time = FakeTime()

    said = wait_for(time, after(200))

    assert len(said) == 1 + int(200 * 0.25 // HEARTBEAT)


def test_pauses_grow_up_to_the_longest_one() -> None:
    time = FakeTime()

    wait_for(time, after(6), longest=2.0)

    assert time.slept == [0.25, 0.5, 1.0, 2.0, 2.0, 2.0]


def test_a_deadline_is_named_with_what_was_waited_for_and_what_was_seen_last() -> None:
    with pytest.raises(TimedOut, match=r"db-2 to catch up: not reached within 3 s; last seen: 2 commits behind"):
        wait_for(FakeTime(), after(1000), deadline=1003.0)
