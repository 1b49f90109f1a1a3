"""The keeper, `recover` and the journal when something around them goes wrong; in one process, without a Heroku."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from heroku_changeover.__main__ import main
from heroku_changeover.apps.keeping import is_kept
from heroku_changeover.reach.address import Address
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.home import folder
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.processes import Process, process_named
from heroku_changeover.reach.wait import Clock, steady_now
from heroku_changeover.rescue import by_hand, keeper
from heroku_changeover.rescue.by_hand import Request
from heroku_changeover.rescue.keeper import Keeper
from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.facts import App, ProcessType
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.window import AppAsFound, Window
from heroku_changeover.ways.way import Changeover

ORDER = Order("db-2", ("shop",), "old", "new")
WEB, WORKER = ProcessType("web", 1, "Standard-1X"), ProcessType("worker", 1, "Standard-1X")
FOUND = AppAsFound(maintenance=False, formation=(WEB, WORKER))
GONE = (Process(2**30, 0.0, "gone"),)
NO_HEROKU = Heroku(Address("http://127.0.0.1:9", "http://127.0.0.1:9", "a-token"))


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(tmp_path, "shop")
    journal.write(Record(ORDER, Window("db-2", {"shop": FOUND}, {Moment.ENTERING_MAINTENANCE: 1.0}), GONE))
    return journal


def living() -> tuple[Process, ...]:
    this = process_named(os.getpid())
    assert this is not None
    return (this,)


def clock(sleep: Callable[[float], Any] = lambda _: None) -> Clock:
    now = iter(range(10**6))
    return Clock(lambda: float(next(now)), sleep, sleep)


def situation(*formation: ProcessType, stage: Stage = Stage.BEFORE) -> Situation:
    return Situation({"shop": App("id", "shop", maintenance=False, formation=formation)}, None, None, stage)


def full(*_: object, **__: object) -> None:
    raise OSError(errno.ENOSPC, "No space left on device")


def test_a_full_disk_does_not_stop_whoever_puts_an_app_back(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing can be written any more: no log, no record, no word in a lock file."""
    recovered: list[str] = []

    def recover(c: Changeover) -> str:
        recovered.append(c.order.generation)
        c.document.did(Moment.SERVING)
        c.document.close()
        return "done"

    monkeypatch.setattr(keeper, "recover", recover)
    monkeypatch.setattr(os, "write", full)
    monkeypatch.setattr(Journal, "write", full)
    monkeypatch.setattr(Path, "replace", full)
    monkeypatch.setattr(Journal, "log_path", journal.path / "no" / "folder")
    Keeper(journal, NO_HEROKU, clock()).watch()

    assert recovered == ["db-2"]
    assert journal.read() is None


def test_a_keeper_that_meets_a_bug_tries_again(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[str] = []

    def recover(c: Changeover) -> str:
        tries.append(c.order.generation)
        if len(tries) < 3:
            raise RuntimeError("a bug")
        c.document.close()
        return "done"

    monkeypatch.setattr(keeper, "recover", recover)
    Keeper(journal, NO_HEROKU, clock()).watch()

    assert tries == ["db-2"] * 3
    assert "RuntimeError: a bug" in journal.log_path.read_text()


def test_a_keeper_leaves_a_window_alone_that_another_run_has_taken_over(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    recovered: list[str] = []

    @contextmanager
    def locked_after_another_run(*_: object) -> Iterator[None]:
        record = journal.read()
        assert record is not None
        journal.write(record._replace(engine=living(), window=Window("db-2")))
        yield

    monkeypatch.setattr(keeper, "locked", locked_after_another_run)
    monkeypatch.setattr(keeper, "recover", lambda c: recovered.append(c.order.generation))
    Keeper(journal, NO_HEROKU, clock(lambda _: journal.close())).watch()

    assert not recovered
    assert "the window was closed" in journal.log_path.read_text()


def test_a_look_for_a_keeper_is_not_taken_for_one(journal: Journal) -> None:
    with (journal.path / "shop.keeper").open("a+") as looking:
        fcntl.flock(looking, fcntl.LOCK_SH)

        assert not is_kept(journal)
        assert (journal.path / "shop.keeper").read_text() == ""


def test_a_keeper_waits_for_somebody_who_only_looks_whether_there_is_one(journal: Journal) -> None:
    path = journal.path / "shop.keeper"
    with path.open("a+") as looking, path.open("a+") as own:
        fcntl.flock(looking, fcntl.LOCK_SH)
        gone_in_a_moment = Clock(lambda: 0.0, lambda _: fcntl.flock(looking, fcntl.LOCK_UN))

        assert keeper._is_alone(own, gone_in_a_moment)


def test_a_second_keeper_yields(journal: Journal) -> None:
    path = journal.path / "shop.keeper"
    with path.open("a+") as first, path.open("a+") as own:
        fcntl.flock(first, fcntl.LOCK_EX)

        assert is_kept(journal)
        assert not keeper._is_alone(own, clock())


@pytest.mark.parametrize(("gives_up", "watched"), [(False, 2), (True, 2)], ids=["closed", "given up"])
def test_a_window_that_is_opened_while_the_keeper_of_the_one_before_is_about_to_end_is_watched_over(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, gives_up: bool, watched: int
) -> None:
    """The step that opens it writes its record, and sees that there is a keeper."""
    seen: list[bool] = []

    def watch(self: Keeper) -> None:
        seen.append(is_kept(journal))
        if gives_up:
            self._give_up("a person is needed")
        else:
            journal.close()
            self._known = None
        if len(seen) == 1:
            journal.write(Record(ORDER, Window("db-2", {"shop": FOUND}, {Moment.ENTERING_MAINTENANCE: 2.0}), living()))

    keeping(journal, monkeypatch, watch)

    assert seen == [True] * watched
    assert not is_kept(journal)


@pytest.mark.parametrize("room", [True, False])
def test_a_keeper_that_has_given_up_ends(journal: Journal, monkeypatch: pytest.MonkeyPatch, room: bool) -> None:
    watched: list[str] = []

    def watch(self: Keeper) -> None:
        watched.append("once")
        if not room:
            monkeypatch.setattr(Journal, "write", full)
        self._give_up("a person is needed")

    keeping(journal, monkeypatch, watch)

    assert watched == ["once"]


def keeping(journal: Journal, monkeypatch: pytest.MonkeyPatch, watch: Callable[[Keeper], None]) -> None:
    """The program of a keeper, but for what it does when it watches."""
    monkeypatch.setattr(keeper, "folder", lambda _: journal.path)
    monkeypatch.setattr(keeper, "_outlive", lambda: None)
    monkeypatch.setattr(keeper, "_load", lambda: None)
    monkeypatch.setattr(Keeper, "watch", watch)
    keeper.keep("shop", {"HEROKU_API_KEY": "a-token"})


def test_the_folder_of_the_journal_is_the_same_for_a_process_that_runs_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert folder({"HEROKU_CHANGEOVER_HOME": "records"}) == tmp_path / "records" / "api.heroku.com"


def recovering(journal: Journal, monkeypatch: pytest.MonkeyPatch, live: Situation, asked: Callable[[], Any]) -> str:
    """What `recover` says; `asked` happens while the person is asked."""
    said: list[str] = []
    monkeypatch.setattr(Changeover, "observe", lambda _: live)
    monkeypatch.setattr(by_hand, "_confirm", lambda *_: asked())
    monkeypatch.setattr(by_hand, "recover", lambda _: "recovered")
    by_hand.run(Request("shop"), NO_HEROKU, journal, said.append)
    return said[-1]


def test_recover_does_nothing_when_a_run_took_the_window_over_while_it_asked(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = journal.read()
    assert record is not None
    begun = record._replace(engine=living())

    with pytest.raises(Refused, match="is alive"):
        recovering(journal, monkeypatch, situation(WEB._replace(quantity=0)), lambda: journal.write(begun))


def test_recover_does_nothing_to_an_app_that_is_as_it_was_found(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = recovering(journal, monkeypatch, situation(WEB, WORKER), lambda: None)

    assert "nothing to do" in said
    assert journal.read() is None


def test_recover_brings_back_a_worker_although_the_app_serves(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    stopped = WORKER._replace(quantity=0)

    assert recovering(journal, monkeypatch, situation(WEB, stopped), lambda: None) == "recovered"


def test_recover_says_so_when_another_run_closed_the_window_while_it_asked(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    said = recovering(journal, monkeypatch, situation(WEB._replace(quantity=0)), journal.close)

    assert "was closed meanwhile" in said


@pytest.mark.parametrize("live", [WEB._replace(quantity=4), WEB._replace(size="Standard-2X")], ids=["more", "larger"])
def test_recover_names_a_formation_that_is_not_as_it_was_found_and_leaves_it(
    journal: Journal, monkeypatch: pytest.MonkeyPatch, live: ProcessType
) -> None:
    said = recovering(journal, monkeypatch, situation(live, WORKER), lambda: None)

    assert f"web {live.quantity} {live.size} instead of 1 Standard-1X" in said
    assert "is left so" in said


def test_an_app_that_was_found_in_maintenance_is_as_found_in_maintenance(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = {"shop": FOUND._replace(maintenance=True)}
    journal.write(Record(ORDER, Window("db-2", found, {Moment.ENTERING_MAINTENANCE: 1.0}), GONE))
    live = situation(WEB, WORKER)
    live.apps["shop"] = live.apps["shop"]._replace(maintenance=True)

    assert "nothing to do" in recovering(journal, monkeypatch, live, lambda: None)


@pytest.mark.parametrize("same_boot", [True, False])
def test_recover_does_not_wait_for_hours_because_the_clock_was_ahead_when_the_window_was_opened(
    journal: Journal, same_boot: bool
) -> None:
    """A write that was not answered is waited for, for half a minute after it was sent."""
    ahead = Clock(lambda: steady_now() + 7200)
    sent = Window("db-2", {"shop": FOUND}, {Moment.ENTERING_MAINTENANCE: ahead.now()})
    record = Record(ORDER, sent, GONE).counted_by(ahead)
    c = by_hand._changeover(record if same_boot else record._replace(boot="another"), NO_HEROKU, journal, print)

    assert c.window.unanswered is not None
    assert c.window.unanswered - c.world.clock.now() < 60


@pytest.mark.parametrize("pressed", [EOFError, KeyboardInterrupt])
def test_whoever_gives_no_answer_has_said_no(monkeypatch: pytest.MonkeyPatch, pressed: type[BaseException]) -> None:
    def ask(_: str) -> str:
        raise pressed

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", ask)

    with pytest.raises(Refused, match="nothing was done"):
        by_hand._confirm(Request("shop"), "This will do something.", lambda _: None)


@pytest.mark.parametrize("step", ["status", "recover", "keep"])
def test_what_is_not_the_name_of_an_app_is_refused(step: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([step, "--app", "a/b"]) == 30
    assert "a/b is not the name of an app" in capsys.readouterr().err
