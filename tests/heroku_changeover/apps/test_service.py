"""When maintenance mode ends: a moment before the first web dyno is due, never for one that may not come."""

import itertools
import math
from typing import Any, cast

import pytest

from heroku_changeover.apps.service import BOOT_LIMIT, LATE_LIMIT, ROUTER_LEAD, bring_back, wait_until_down
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.sql import Sql
from heroku_changeover.reach.wait import Clock, first_of
from heroku_changeover.reach.world import World
from heroku_changeover.terms.errors import NotFound, Refused, TimedOut
from heroku_changeover.terms.facts import App, Dyno, ProcessType
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.window import AppAsFound, Window

BOOT = 30.0
"""Seconds that the app's dynos took to boot before."""

TICK = 0.5
WEB = ProcessType("web", 1, "Standard-1X")


class Leaving:
    """An app with a one-off dyno that ends by itself in the moment in which it is told to stop."""

    def __init__(self) -> None:
        self.running = True

    def get(self, _: str) -> Any:
        return [{"name": "run.1", "type": "run", "state": "up"}] if self.running else []

    def post(self, path: str) -> None:
        self.running = False
        raise NotFound(f"POST {path}", 404, "not_found", "Couldn't find that dyno.")


class Booting:
    """An app whose web dyno is in one state after the other; `at` are seconds since it was started."""

    def __init__(self, *states: tuple[float, str]) -> None:
        self.states, self.time, self.maintenance = states, 0.0, [(0.0, True)]

    def get(self, path: str) -> Any:
        assert path == "/apps/shop/dynos"
        state = [state for at, state in self.states if at <= self.time][-1]
        return [{"name": "web.1", "type": "web", "state": state}]

    def patch(self, path: str, body: Any) -> None:
        assert path == "/apps/shop"
        self.maintenance.append((self.time, body["maintenance"]))

    def sleep(self, seconds: float) -> None:
        self.time += max(seconds, TICK)

    @property
    def switched(self) -> list[bool]:
        return [on for _, on in self.maintenance]

    @property
    def ended(self) -> float:
        """When maintenance mode went off for the first time."""
        return next(at for at, on in self.maintenance if not on)


def restored(heroku: Booting, boot_seconds: float | None = BOOT, maintenance: bool = False) -> None:
    clock = Clock(lambda: heroku.time, heroku.sleep, heroku.sleep, lambda looks, _: first_of(looks, math.inf))
    found = AppAsFound(maintenance=maintenance, formation=(WEB,), boot_seconds=boot_seconds)
    window = Window("db-2", {"shop": found}, {Moment.ENTERING_MAINTENANCE: 0.0, Moment.SCALED_UP: 0.0})
    live = App("id", "shop", maintenance=True, formation=(WEB,))
    bring_back(world(heroku, clock), Document(window, clock), [live])


def world(heroku: object, clock: Clock) -> World:
    return World(cast("Heroku", heroku), cast("Sql", None), lambda _: None, clock)


def test_maintenance_mode_ends_a_moment_before_the_web_dyno_is_due() -> None:
    heroku = Booting((0, "starting"), (BOOT, "up"))
    restored(heroku)

    assert BOOT - ROUTER_LEAD <= heroku.ended <= BOOT - ROUTER_LEAD + TICK
    assert heroku.switched == [True, False]


def test_maintenance_mode_ends_as_soon_as_a_web_dyno_is_up_early() -> None:
    heroku = Booting((0, "starting"), (5, "up"))
    restored(heroku)

    assert 5 <= heroku.ended <= 5 + TICK


def test_nothing_is_expected_of_a_dyno_whose_boot_was_never_seen() -> None:
    heroku = Booting((0, "starting"), (BOOT, "up"))
    restored(heroku, boot_seconds=None)

    assert heroku.ended >= BOOT


def test_a_dyno_that_crashes_is_not_waited_for_in_the_open() -> None:
    heroku = Booting((0, "starting"), (5, "crashed"), (BOOT + 10, "starting"), (BOOT + 10 + TICK, "up"))
    restored(heroku)

    assert heroku.ended >= BOOT + 10


def test_users_get_the_maintenance_page_again_when_a_dyno_that_was_due_does_not_come() -> None:
    heroku = Booting((0, "starting"), (BOOT - 1, "crashed"), (BOOT + LATE_LIMIT + 20, "up"))
    restored(heroku)

    assert heroku.switched == [True, False, True, False]
    assert heroku.maintenance[-1][0] >= BOOT + LATE_LIMIT + 20


def test_an_app_whose_dyno_never_comes_is_left_with_the_maintenance_page() -> None:
    heroku = Booting((0, "starting"))

    with pytest.raises(TimedOut, match="a web dyno of shop to come up"):
        restored(heroku)

    assert heroku.switched == [True, False, True]
    assert heroku.time >= BOOT_LIMIT


@pytest.mark.parametrize("states", [((0, "starting"), (BOOT, "up")), ((0, "starting"), (2 * BOOT, "up"))], ids=str)
def test_an_app_that_was_in_maintenance_before_stays_in_it(states: tuple[tuple[float, str], ...]) -> None:
    heroku = Booting(*states)
    restored(heroku, maintenance=True)

    assert heroku.switched == [True]


def test_a_one_off_dyno_that_ends_before_it_is_told_to_is_no_error() -> None:
    heroku = Leaving()
    order = Order("db-2", ("shop",), "old", "new", one_off_dynos="stop")
    now = itertools.count()
    clock = Clock(lambda: next(now), lambda _: None, lambda _: None, lambda looks, _: first_of(looks, math.inf))
    app = App("id", "shop", maintenance=True, formation=(WEB,), dynos=(Dyno("run.1", "run", "up"),))
    wait_until_down(world(heroku, clock), order, [app], clock.now() + 300)

    assert not heroku.running


class Lasting:
    """An app with a one-off dyno that does not end."""

    def get(self, _: str) -> Any:
        return [{"name": "run.1", "type": "run", "state": "up"}]


@pytest.mark.parametrize("state", ["starting", "up"])
def test_nobody_waits_for_a_one_off_dyno_once_it_is_known_that_the_apps_are_put_back(state: str) -> None:
    clock = Clock()
    app = App("id", "shop", maintenance=True, formation=(WEB,), dynos=(Dyno("run.1", "run", state),))
    began, order = clock.now(), Order("db-2", ("shop",), "old", "new")

    def find_a_stranger() -> None:
        raise Refused("old is DATABASE of another app too")

    with pytest.raises(Refused, match="another app"):
        wait_until_down(world(Lasting(), clock), order, [app], began + 60, find_a_stranger)
    assert clock.now() - began < 30
