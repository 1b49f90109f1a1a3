"""A keeper for which something goes wrong that it cannot help; in one process, without a Heroku."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from heroku_changeover.apps.keeping import MACHINES, needed_of, why_short_lived
from heroku_changeover.reach import uptime as machine
from heroku_changeover.reach.address import Address
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.processes import Process, process_named
from heroku_changeover.reach.wait import Clock
from heroku_changeover.rescue import keeper
from heroku_changeover.rescue.keeper import OVERRUN, PATIENCE, REFUSED_FOR, SILENCE, Keeper
from heroku_changeover.terms.errors import (
    Busy,
    Forbidden,
    HerokuError,
    HerokuUnreachable,
    NeedsPerson,
    Refused,
    SqlUnreachable,
)
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.window import Window
from heroku_changeover.ways.way import Changeover
from kit.fake_time import FakeTime

ORDER = Order("db-2", ("shop",), "old", "new")
GONE = (Process(2**30, 0.0, "gone"),)
NO_HEROKU = Heroku(Address("http://127.0.0.1:9", "http://127.0.0.1:9", "a-token"))
BEGAN = 1000.0
OPEN = Window("db-2", {}, {Moment.ENTERING_MAINTENANCE: BEGAN})
PAST = OPEN.did(Moment.PASSING_RETURN, BEGAN + 10)


class KeeperTime(FakeTime):
    """One that has an end; `then` is called at each sleep with what it shows."""

    def __init__(self, then: Callable[[float], Any] = lambda _: None) -> None:
        super().__init__(BEGAN)
        self._then = then

    def sleep(self, seconds: float) -> None:
        super().sleep(max(seconds, 0.1))
        assert self.now < BEGAN + PATIENCE + 100, "the keeper never ends"
        self._then(self.now)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    (tmp_path / "journals").mkdir()
    journal = Journal(tmp_path / "journals", "shop")
    journal.write(Record(ORDER, OPEN, GONE))
    return journal


@pytest.fixture
def recovered(monkeypatch: pytest.MonkeyPatch) -> list[Window]:
    """The windows that the keeper closed."""
    closed: list[Window] = []

    def recover(c: Changeover) -> str:
        closed.append(c.window)
        c.document.close()
        return "done"

    monkeypatch.setattr(keeper, "recover", recover)
    return closed


def living() -> tuple[Process, ...]:
    this = process_named(os.getpid())
    assert this is not None
    return (this,)


def failing(times: int, error: Exception, cause: Exception | None = None) -> Callable[[Changeover], str]:
    tries = iter(range(times))

    def recover(c: Changeover) -> str:
        if next(tries, None) is not None:
            raise error from cause
        c.document.close()
        return "done"

    return recover


TOKEN_REFUSED = Forbidden("GET /apps/shop", 401, "unauthorized", "no")
PASSING = [
    TOKEN_REFUSED,
    Forbidden("GET /apps/shop", 403, "forbidden", "no"),
    HerokuError("GET /apps/shop", 503, "unavailable", "no"),
    HerokuUnreachable("GET /apps/shop", "no"),
    SqlUnreachable("no"),
    OSError("no"),
    RecursionError("a bug"),
]


@pytest.mark.parametrize("error", PASSING, ids=lambda e: f"{type(e).__name__} {getattr(e, 'status', '')}")
def test_a_keeper_goes_on_trying_for_an_hour_and_more_whatever_is_answered(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(keeper, "recover", failing(300, error))
    time = KeeperTime()
    Keeper(journal, NO_HEROKU, time.clock).watch()

    assert time.now > BEGAN + 3600
    assert "the window was closed" in journal.log_path.read_text()


@pytest.mark.parametrize("error", [NeedsPerson("apps could not be put back"), Refused("no")])
def test_what_came_of_a_passing_failure_is_no_reason_to_give_up(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    monkeypatch.setattr(keeper, "recover", failing(10, error, TOKEN_REFUSED))
    Keeper(journal, NO_HEROKU, KeeperTime().clock).watch()

    assert "the window was closed" in journal.log_path.read_text()


def test_the_log_of_a_keeper_that_meets_a_bug_quotes_no_part_of_an_address(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    error = ValueError("Port could not be cast to integer value as 's3cret'")
    monkeypatch.setattr(keeper, "recover", failing(2, error))
    Keeper(journal, NO_HEROKU, KeeperTime().clock).watch()

    log = journal.log_path.read_text()
    assert "not yet: ValueError: Port could not be cast" in log
    assert "s3cret" not in log


def test_what_is_refused_for_a_while_is_no_reason_to_give_up(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody renames add-ons, or the Data API is behind: by its own words it passes."""
    monkeypatch.setattr(keeper, "recover", failing(8, Refused("somebody renames add-ons")))
    time = KeeperTime()
    Keeper(journal, NO_HEROKU, time.clock).watch()

    assert BEGAN + 60 < time.now < BEGAN + REFUSED_FOR
    assert "the window was closed" in journal.log_path.read_text()


def test_what_is_refused_in_the_same_words_for_long_is_left_to_a_person(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "recover", failing(1000, Refused("DATABASE of these apps is also another one")))
    time = KeeperTime()
    Keeper(journal, NO_HEROKU, time.clock).watch()

    found = journal.read()
    assert found is not None
    assert found.gave_up == "DATABASE of these apps is also another one"
    assert time.now == pytest.approx(BEGAN + REFUSED_FOR, abs=90)


@pytest.mark.parametrize("error", [Busy("another run moves them"), HerokuError("GET /apps/shop", 503, "no", "no")])
def test_a_keeper_that_waits_for_hours_leaves_the_account_its_requests(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    """Each try asks Heroku some 14 times, of 4,500 in an hour."""
    tried: list[float] = []
    time = KeeperTime()

    def recover(c: Changeover) -> str:
        tried.append(time.now)
        if time.now < BEGAN + 3600:
            raise error
        c.document.close()
        return "done"

    monkeypatch.setattr(keeper, "recover", recover)
    Keeper(journal, NO_HEROKU, time.clock).watch()

    assert tried[1] - tried[0] < 1
    assert 60 <= len(tried) <= 80


def test_a_keeper_that_waits_for_somebody_on_this_machine_sees_soon_that_they_are_gone(
    journal: Journal, recovered: list[Window], stopped: "subprocess.Popen[str]"
) -> None:
    ended: list[float] = []

    def let_go(now: float) -> None:
        if now > BEGAN + 60 and not ended:
            ended.append(now)
            stopped.kill()
            stopped.wait(10)

    time = KeeperTime(let_go)
    Keeper(journal, NO_HEROKU, time.clock).watch()

    assert recovered == [OPEN]
    assert time.now - ended[0] < 3


def test_what_only_a_person_can_decide_is_left_to_one(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "recover", failing(10, NeedsPerson("compare both databases")))
    Keeper(journal, NO_HEROKU, KeeperTime().clock).watch()

    found = journal.read()
    assert found is not None
    assert found.gave_up == "compare both databases"


DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "emptied": lambda path: path.write_text(""),
    "cut": lambda path: path.write_text(path.read_text()[:100]),
    "replaced": lambda path: path.write_bytes(b"\xff\x00garbage"),
    "removed with all that is remembered": lambda path: shutil.rmtree(path.parent),
    "replaced by a folder": lambda path: path.rename(path.with_suffix(".gone")).with_suffix(".json").mkdir(),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_keeper_whose_record_is_lost_goes_on_with_what_it_knows(
    journal: Journal, recovered: list[Window], damage: Callable[[Path], object]
) -> None:
    watching = Keeper(journal, NO_HEROKU, KeeperTime().clock)
    damage(journal.record_path)
    watching.watch()

    assert recovered == [OPEN]
    assert "the window was closed" in journal.log_path.read_text()
    assert journal.read_last() is not None


def test_a_keeper_whose_record_is_lost_ends_when_a_step_closes_the_window(
    journal: Journal, recovered: list[Window]
) -> None:
    journal.write(Record(ORDER, OPEN, living()))
    steps = Journal(journal.path, "shop")
    steps.read()

    def close(now: float) -> None:
        if now > BEGAN + 20:
            steps.close()

    watching = Keeper(journal, NO_HEROKU, KeeperTime(close).clock)
    journal.record_path.unlink()
    watching.watch()

    assert recovered == []


def test_a_run_that_is_silent_after_the_point_of_no_return_is_taken_over(
    journal: Journal, recovered: list[Window]
) -> None:
    journal.write(Record(ORDER, PAST, living()))
    time = KeeperTime()
    Keeper(journal, NO_HEROKU, time.clock).watch()

    assert recovered == [PAST]
    assert time.now == pytest.approx(BEGAN + SILENCE, abs=2)


def test_a_run_that_is_heard_of_after_the_point_of_no_return_is_left_alone(
    journal: Journal, recovered: list[Window]
) -> None:
    journal.write(Record(ORDER, PAST, living()))
    steps = Journal(journal.path, "shop")
    steps.read()
    (journal.path / "shop.lock").touch()

    def go_on(now: float) -> None:
        os.utime(journal.path / "shop.lock", (now, now))
        if now > BEGAN + 10 * SILENCE:
            steps.close()

    Keeper(journal, NO_HEROKU, KeeperTime(go_on).clock).watch()

    assert recovered == []


@pytest.mark.parametrize("window", [PAST, OPEN], ids=["after the point of no return", "before it"])
def test_a_step_that_was_at_work_when_the_machine_fell_asleep_is_not_ended_when_that_wakes_up(
    journal: Journal, recovered: list[Window], working: "subprocess.Popen[str]", window: Window
) -> None:
    """It says something within its heartbeat after that; the keeper may well look before it does."""
    journal.write(Record(ORDER, window, living()))
    steps = Journal(journal.path, "shop")
    steps.read()
    asleep: list[float] = []

    def go_on(now: float) -> None:
        if now > BEGAN + 20 and not asleep:
            asleep.append(now)
            time.close_the_lid(8 * 3600)
        elif asleep and now > asleep[0] + 8 * 3600 + 20:
            steps.log("promote", "goes on")
            steps.close()

    time = KeeperTime(go_on)
    Keeper(journal, NO_HEROKU, time.clock).watch()

    assert working.poll() is None
    assert recovered == []
    assert "was ended" not in journal.log_path.read_text()


HOLDER = """
import sys
from pathlib import Path
from heroku_changeover.reach.locks import locked
from heroku_changeover.reach.wait import Clock

with locked(Path(sys.argv[1]), ("shop",), "promote", Clock(), print):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def stopped(working: "subprocess.Popen[str]") -> "subprocess.Popen[str]":
    """The same, and it is stopped."""
    working.send_signal(signal.SIGSTOP)
    return working


@pytest.fixture
def working(journal: Journal) -> Iterator["subprocess.Popen[str]"]:
    """A step that has the lock of the app."""
    words = [sys.executable, "-c", HOLDER, str(journal.path)]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


@pytest.mark.parametrize(
    ("record", "after"),
    [
        (Record(ORDER, OPEN, ()), ORDER.budget + OVERRUN),
        (Record(ORDER, OPEN, GONE), SILENCE),
        (Record(ORDER, PAST, ()), SILENCE),
    ],
    ids=["the budget is overrun", "its run is gone", "after the point of no return"],
)
def test_a_step_that_is_stopped_is_ended_and_its_window_closed(
    journal: Journal, recovered: list[Window], stopped: "subprocess.Popen[str]", record: Record, after: float
) -> None:
    journal.write(record._replace(engine=record.engine or living()))
    time = KeeperTime()
    Keeper(journal, NO_HEROKU, time.clock).watch()

    assert recovered == [record.window]
    assert stopped.wait(10) == -signal.SIGKILL
    assert BEGAN + after <= time.now <= BEGAN + after + OVERRUN + 10
    assert "hangs, and was ended" in journal.log_path.read_text()


def test_nothing_is_ended_that_only_has_the_number_of_a_step_that_hung(
    journal: Journal, recovered: list[Window], stopped: "subprocess.Popen[str]"
) -> None:
    """The file names a process that is gone, and whose number another one has by now."""
    (journal.path / "shop.lock").write_text(f"{os.getpid()} 0.5 promote")

    def let_go(now: float) -> None:
        if now > BEGAN + 2 * SILENCE:
            stopped.kill()
            stopped.wait(10)

    Keeper(journal, NO_HEROKU, KeeperTime(let_go).clock).watch()

    assert recovered == [OPEN]
    assert "was ended" not in journal.log_path.read_text()


@pytest.mark.parametrize("step", [2.0, -2.0, 7200.0, -7200.0])
def test_a_step_of_the_wall_clock_neither_ends_a_window_nor_makes_it_endless(
    journal: Journal, recovered: list[Window], monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    """Both count from when the machine started, whatever the wall clock shows as each of them begins."""
    up = KeeperTime()
    monkeypatch.setattr("heroku_changeover.reach.wait.uptime", lambda: up.now)
    noted = Clock(lambda: 1e9 + up.now)
    window = Window("db-2", {}, {Moment.ENTERING_MAINTENANCE: noted.now()})
    journal.write(Record(ORDER, window, living()).counted_by(noted))
    began = up.now

    Keeper(journal, NO_HEROKU, Clock(lambda: 1e9 + up.now + step, up.sleep, up.sleep)).watch()

    assert recovered == [window]
    assert up.now - began == pytest.approx(ORDER.budget + OVERRUN, abs=2)


def test_a_record_of_an_earlier_run_of_the_machine_is_counted_by_the_wall_clock() -> None:
    record = Record(ORDER, OPEN, boot="another", epoch=5.0)
    own = Clock(lambda: 77.0)

    assert record.clock(own).now() == 77.0
    assert record._replace(boot=machine.boot()).clock(own).now() == pytest.approx(5.0 + machine.uptime(), abs=5)


def test_a_keeper_has_nothing_by_which_a_ci_system_could_find_it() -> None:
    """What a job left behind is found by variables; of some their names are known, of others not."""
    found_by = (
        "RUNNER_TRACKING_ID",
        "BUILD_ID",
        "JENKINS_NODE_COOKIE",
        "JENKINS_SERVER_COOKIE",
        "HUDSON_COOKIE",
        "VSTS_PROCESS_LOOKUP_ID",
        "BUILDKITE_JOB_ID",
        "TEAMCITY_PROCESS_FLOW_ID",
        "CI_JOB_ID",
        "CIRCLE_JOB",
        "SOMETHING_NEW",
    )
    needed = {"HEROKU_API_KEY": "a", "HTTPS_PROXY": "b", "https_proxy": "b", "HOME": "c", "LC_ALL": "d"}

    assert needed_of({**dict.fromkeys(found_by, "x"), **needed}) == needed


@pytest.mark.parametrize("name", ["node", "sh", "pulumi", "tini", "docker-init", "catatonit"])
def test_it_is_said_where_a_keeper_ends_with_its_container(name: str) -> None:
    assert f"whose first process is {name}" in why_short_lived(name)


@pytest.mark.parametrize("name", [None, *sorted(MACHINES)])
def test_nothing_is_said_on_a_whole_machine(name: str | None) -> None:
    assert why_short_lived(name) == ""
