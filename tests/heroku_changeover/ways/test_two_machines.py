"""Two runs from two machines on real servers: no acknowledged order is missing, and only one of them goes on."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from heroku_changeover.terms.acts import Act
from kit.injection import Injection, at
from kit.operator import Operator
from kit.orders import Customer, orders_on
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
EVERY_MOMENT = [
    (Act.LOCK, "after"),
    (Act.BARRIER, "after"),
    (Act.AWAIT_REPLAY, "after"),
    (Act.UNFOLLOW, "before"),
    (Act.UNFOLLOW, "after"),
    (Act.AWAIT_WRITABLE, "after"),
    (Act.SEAL, "before"),
    (Act.SEAL, "after"),
    (Act.ATTACH, "before"),
    (Act.ATTACH, "after"),
    (Act.LET_GO, "before"),
]


@pytest.fixture
def other(operator: Operator, heroku: LocalHeroku, tmp_path: Path) -> Operator:
    """Another stack on another machine, which wants to move the app to a follower of its own."""
    follower = heroku.follow(operator.apps[0], operator.leader, "standard-2", f"{operator.apps[0]}-data-2")
    return replace(operator, follower=follower, home=tmp_path / "elsewhere", said=[])


@pytest.fixture
def same(operator: Operator, tmp_path: Path) -> Operator:
    """The same stack from another machine, as after `pulumi cancel`."""
    return replace(operator, home=tmp_path / "elsewhere", said=[])


@contextmanager
def stopped_in(operator: Operator, act: Act, phase: str, folder: Path) -> Iterator[Injection]:
    """Inside the block its promote stands at an act; after it it has gone on to its end."""
    injection = Injection(folder, at(act, phase))
    operator.variables = injection.environment
    promote = operator.start("promote")
    try:
        injection.wait_for("act")
        yield injection
        injection.go("act")
        operator.variables = {}
        code, said = operator.finish(promote)
        assert code == 0, said
    finally:
        injection.go("act")
        promote.wait(60)


@contextmanager
def ordering(heroku: LocalHeroku, operator: Operator) -> Iterator[Customer]:
    customer = Customer(heroku.get(f"/apps/{operator.apps[0]}")["web_url"]).start()
    try:
        yield customer
    finally:
        customer.stop()


def window_opened(*runs: Operator) -> None:
    """Each of them has seen the app serve, and takes it down."""
    for step in ("await-database", "maintenance-on", "scale-down"):
        for run in runs:
            code, said = run.run(step)
            assert code == 0, said


def ended_well(heroku: LocalHeroku, operator: Operator, customer: Customer) -> None:
    for step in ("restore",):
        code, said = operator.run(step)
        assert code == 0, said
    name = operator.apps[0]
    assert heroku.primary(name) == operator.follower
    heroku.wait_until("an order", lambda: len(customer.ledger) > 0)
    assert set(customer.ledger) <= set(orders_on(heroku.database_url(operator.follower)))


@pytest.mark.parametrize(("act", "phase"), EVERY_MOMENT, ids=lambda one: getattr(one, "value", one))
def test_a_second_run_is_refused_at_every_moment_of_the_first_ones_fence(
    operator: Operator, other: Operator, heroku: LocalHeroku, tmp_path: Path, act: Act, phase: str
) -> None:
    with ordering(heroku, operator) as customer:
        heroku.wait_until("orders", lambda: len(customer.ledger) > 5)
        window_opened(operator, other)
        other.extra = ("--budget", "8")
        with stopped_in(operator, act, phase, tmp_path / "injected"):
            seen = heroku.counted("requests")
            code, said = other.run("promote")
            written = [r for r in heroku.requests(seen) if r["method"] != "GET"]
        ended_well(heroku, operator, customer)

    assert code in {10, 30, 40}, said
    assert written == [], said
    assert heroku.get(f"/client/v11/databases/{other.follower}")["following"]
