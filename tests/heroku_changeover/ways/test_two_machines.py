"""Two runs from two machines on real servers: no acknowledged order is missing, and only one of them goes on."""

import os
import re
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from heroku_changeover.reach.home import folder
from heroku_changeover.reach.journal import Journal
from heroku_changeover.reach.postgres.server import open_server
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
        if promote.returncode is None:
            promote.communicate(timeout=60)


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


def kill_behind_its_seal(operator: Operator, folder: Path) -> None:
    """Its promote has made the old database read-only, and has moved no app."""
    injection = Injection(folder, at(Act.SEAL, "after"))
    operator.variables = injection.environment
    promote = operator.start("promote")
    os.kill(int(injection.wait_for("act")["pid"]), signal.SIGKILL)
    promote.communicate(timeout=30)
    operator.variables = {}


def ended_well(heroku: LocalHeroku, operator: Operator, customer: Customer) -> None:
    code, said = operator.run("restore")
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

    assert code == 30, said
    assert re.search("another run has (fenced it, in session [0-9]+ of |moved)", said), said
    assert written == [], said
    assert heroku.get(f"/client/v11/databases/{other.follower}")["following"]


def test_one_that_stood_still_before_its_fence_finds_the_apps_moved_on(
    operator: Operator, other: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    injection = Injection(tmp_path / "injected", at(Act.LOCK, "before"))
    with ordering(heroku, operator) as customer:
        window_opened(operator, other)
        other.variables = injection.environment
        late = other.start("promote")
        injection.wait_for("act")
        code, said = operator.run("promote")
        assert code == 0, said
        seen = heroku.counted("requests")
        injection.go("act")
        code, said = other.finish(late)
        written = [r for r in heroku.requests(seen) if r["method"] != "GET"]
        ended_well(heroku, operator, customer)

    assert code == 30, said
    assert f"is {operator.follower} by now" in said
    assert written == []
    assert heroku.get(f"/client/v11/databases/{other.follower}")["following"]


@pytest.mark.parametrize(("act", "phase"), EVERY_MOMENT[::2], ids=lambda one: getattr(one, "value", one))
def test_the_same_changeover_from_another_machine_waits_or_is_refused_and_finishes_later(
    operator: Operator, same: Operator, heroku: LocalHeroku, tmp_path: Path, act: Act, phase: str
) -> None:
    with ordering(heroku, operator) as customer:
        window_opened(operator, same)
        same.extra = ("--budget", "8")
        with stopped_in(operator, act, phase, tmp_path / "injected"):
            seen = heroku.counted("requests")
            code, said = same.run("promote")
            written = [r for r in heroku.requests(seen) if r["method"] != "GET"]
        assert code in {10, 20, 30, 40} or "is already done" in said, said
        assert written == [], said
        assert same.run("promote")[0] == 0
        ended_well(heroku, operator, customer)


def test_a_keeper_elsewhere_does_not_bring_up_the_apps_of_a_run_that_has_fenced_the_leader(
    operator: Operator, other: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    """It waits, and when the other run is done, what is left to do is done."""
    with ordering(heroku, operator) as customer:
        window_opened(operator, other)
        journal = Journal(folder(other.environment), operator.apps[0])
        with stopped_in(operator, Act.UNFOLLOW, "after", tmp_path / "injected"):
            seen = heroku.counted("requests")
            record = journal.read()
            assert record is not None
            journal.write(record._replace(engine=()))  # as when its run was killed
            heroku.wait_until("the keeper", lambda: "another run has fenced it" in journal.log_path.read_text())
            written = [r for r in heroku.requests(seen) if r["method"] != "GET"]
        ended_well(heroku, operator, customer)
        heroku.wait_until("the keeper to end", lambda: journal.read() is None)

    assert written == []
    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]


def test_a_leader_that_another_changeover_has_sealed_is_no_leader(
    operator: Operator, other: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    """The first run is gone, between its seal and its move; the second one leaves all to who finishes it."""
    window_opened(operator, other)
    kill_behind_its_seal(operator, tmp_path / "injected")
    seen = heroku.counted("requests")
    code, said = other.run("promote")
    written = [r for r in heroku.requests(seen) if r["method"] != "GET" and other.follower in str(r)]
    code_of_first, said_of_first = operator.run("promote")

    assert code == 30, said
    assert f"{operator.leader} is read-only by its own setting" in said
    assert written == []
    assert code_of_first == 0, said_of_first
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_database_that_a_person_moves_right_before_the_cut_is_left_where_it_is(
    operator: Operator, other: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    name = operator.apps[0]
    injection = Injection(tmp_path / "injected", at(Act.LOCK, "before"))
    operator.run_until("scale-down")
    operator.variables = injection.environment
    promote = operator.start("promote")
    injection.wait_for("act")
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    heroku.put(f"/client/v11/databases/{other.follower}/unfollow")
    info = f"/client/v11/databases/{other.follower}"
    heroku.wait_until("the unfollow", lambda: not heroku.get(info)["following"])
    heroku.post("/addon-attachments", {"addon": other.follower, "app": name, "name": "DATABASE", "confirm": name})
    injection.go("act")
    code, said = operator.finish(promote)

    assert code == 30, said
    assert f"DATABASE of {name} is {other.follower} by now" in said
    assert heroku.primary(name) == other.follower
    assert heroku.get(f"/client/v11/databases/{operator.follower}")["following"]


END_OUR_SESSIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'heroku-changeover'"


@pytest.mark.parametrize(("act", "phase"), [(Act.BARRIER, "after"), (Act.UNFOLLOW, "after")])
def test_a_run_whose_fence_was_lost_leaves_all_to_the_one_that_has_gone_by(
    operator: Operator, other: Operator, heroku: LocalHeroku, tmp_path: Path, act: Act, phase: str
) -> None:
    """As when its machine slept for a while."""
    injection = Injection(tmp_path / "injected", at(act, phase))
    with ordering(heroku, operator) as customer:
        window_opened(operator, other)
        operator.variables = injection.environment
        late = operator.start("promote")
        injection.wait_for("act")
        heroku.administer(operator.leader, END_OUR_SESSIONS)
        code, said = other.run("promote")
        assert code == 0, said
        seen = heroku.counted("requests")
        injection.go("act")
        code, said = operator.finish(late)
        attached = [r for r in heroku.requests(seen) if "attachments" in r["path"] and r["method"] != "GET"]
        ended_well(heroku, other, customer)

    assert code in {10, 20, 30, 40}, said
    assert attached == [], said
    with open_server(other.leader, heroku.database_url(other.leader)) as session:
        assert session.is_sealed()


def test_nor_does_a_keeper_bring_apps_up_on_it(
    operator: Operator, other: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    window_opened(operator, other)
    kill_behind_its_seal(operator, tmp_path / "injected")
    journal = Journal(folder(other.environment), operator.apps[0])
    record = journal.read()
    assert record is not None
    journal.write(record._replace(engine=()))
    told = f"{operator.leader} is read-only by its own setting"
    heroku.wait_until("the keeper", lambda: told in journal.log_path.read_text())

    assert operator.app()["maintenance"]
    assert operator.run("promote")[0] == 0
    assert operator.run("restore")[0] == 0
    heroku.wait_until("the keeper to end", lambda: journal.read() is None)
    assert heroku.primary(operator.apps[0]) == operator.follower
