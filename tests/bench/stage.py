"""One run of one contender: a local Heroku of its own, apps under traffic, a rogue writer, and what it measured."""

import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.timeline import Window, outage, silences, upgrade_timeline, window_of
from kit.orders import Customer, orders_on
from kit.project import project_in
from kit.rogue import Rogue, rogue_on
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

APP, OLD_PLAN, NEW_PLAN, ROWS = "shop", "standard-0", "standard-2", 1000
PAUSE = 0.05
"""Seconds between two orders of a client: the resolution of what is measured."""

LINGER = 1.0


class BenchFailed(Exception):
    """A contender did not do what it is timed for; the text has what it printed."""


@dataclass(slots=True)
class Stage:
    """What a contender finds: apps that serve from one database, and a stack for the one who needs it."""

    heroku: LocalHeroku
    stack: Stack
    apps: list[dict[str, Any]]
    customers: list[Customer] = field(default_factory=list)

    @property
    def addon(self) -> str:
        return str(self.apps[0]["addon"])

    def primary(self) -> str:
        return self.heroku.primary(APP)


@dataclass(frozen=True, slots=True)
class Measured:
    """
    Seconds, and counts of orders. `outage` is the time around the window in which a client got no order acknowledged,
    the worst of all apps; `unserved` the sum of all such times over half a second, restarts by Heroku included.
    """

    outage: float
    unserved: float
    total: float
    acknowledged: int
    missing: int
    rogue_acknowledged: int
    rogue_missing: int
    window: Window | None
    timeline: dict[str, Any]
    facts: dict[str, Any]

    @property
    def overhead(self) -> float:
        """What of the outage is above the floor of this very run."""
        return self.outage - (self.window.floor.seconds if self.window else 0.0)


@contextmanager
def stage(new_stack: Stack, apps: int = 1) -> Iterator[Stage]:
    """Everything is set up without waits; the realistic profile begins when the contender does."""
    with ExitStack() as open_, tempfile.TemporaryDirectory(prefix="heroku-postgres-bench-") as folder:
        heroku = open_.enter_context(LocalHeroku())
        made = [heroku.create_app(APP, web=1, worker=1, rows=ROWS, plan=OLD_PLAN)]
        for number in range(2, apps + 1):
            made.append(heroku.create_app(f"{APP}-{number}", web=1, worker=0, share=made[0]["addon"]))
        yield Stage(heroku, stack_like(new_stack, heroku, Path(folder)), made)


def stack_like(new_stack: Stack, heroku: LocalHeroku, home: Path) -> Stack:
    environment = {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(home / "changeover")}
    stack = Stack(new_stack.toolchain, project_in(home), home / "home", home / "state", environment)
    stack.create_like(new_stack)
    return stack


def measure(s: Stage, seed: int, contend: Callable[[Stage], dict[str, Any]], *, has_window: bool = True) -> Measured:
    """Lets a contender do its work under traffic, then counts on the new primary what was acknowledged."""
    s.heroku.patch("/_control/world", {"profile": "realistic", "seed": seed, "recording": True})
    s.customers = [Customer(app["web_url"], threads=1, pause=PAUSE).start() for app in s.apps]
    with rogue_on(s.apps[0]["database_url"], threads=1) as rogue:
        time.sleep(LINGER)
        began = time.time()
        facts = contend(s)
        ended = time.time()
        _wait_for_orders(s)
    until = time.time()
    for customer in s.customers:
        customer.stop()
    window = window_of(APP, s.heroku.events(), s.heroku.requests()) if has_window else None
    return _measured(s, rogue, (began, ended, until), window, facts)


def _wait_for_orders(s: Stage) -> None:
    """Until every app has acknowledged an order since the contender was done."""
    done = time.time()
    s.heroku.wait_until("orders", lambda: all(c.answered_at and c.answered_at[-1] > done for c in s.customers), 120)


def _measured(
    s: Stage, rogue: Rogue, moments: tuple[float, float, float], window: Window | None, facts: dict[str, Any]
) -> Measured:
    began, ended, until = moments
    url = s.heroku.database_url(s.primary())
    there = orders_on(url)
    ledgers = [pair for customer in s.customers for pair in customer.ledger.items()]
    silent = [silences(c.answered_at, began, until) for c in s.customers]
    return Measured(
        outage=max(outage(times, window) for times in silent),
        unserved=max(sum(b - a for a, b in times) for times in silent),
        total=ended - began,
        acknowledged=len(ledgers),
        missing=sum(there.get(number) != reference for number, reference in ledgers),
        rogue_acknowledged=len(rogue.acknowledged),
        rogue_missing=len(rogue.missing_on(url)),
        window=window,
        timeline=window.timeline if window else upgrade_timeline(APP, s.heroku.events()),
        facts=facts,
    )
