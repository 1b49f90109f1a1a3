"""What this machine remembers: of this user alone, of one Heroku each, and as good as it was when a file is lost."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from heroku_changeover.apps import keeping
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.home import HOME_VARIABLE, folder
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.locks import holder_of, locked
from heroku_changeover.reach.private import open_private
from heroku_changeover.reach.processes import Process, process_named, this_process
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import BadInput, Busy
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.window import Window

ORDER = Order("db-2", ("shop",), "old", "new")
OPEN = Record(ORDER, Window("db-2", {}, {Moment.ENTERING_MAINTENANCE: 1000.0}))


@pytest.fixture(autouse=True)
def umask() -> object:
    """What a machine usually has, by which others may read."""
    before = os.umask(0o022)
    yield
    os.umask(before)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    journal = Journal(folder({HOME_VARIABLE: str(tmp_path / "home")}), "shop")
    journal.write(OPEN)
    return journal


def mode(path: Path) -> int:
    return stat.S_IMODE(path.lstat().st_mode)


def test_nobody_else_can_read_what_is_remembered(journal: Journal) -> None:
    journal.log("promote", "a line")
    journal.remember(OPEN)
    with locked(journal.path, ORDER.apps, "promote", Clock(), print):
        files = list(journal.path.iterdir())

    assert {mode(path) for path in (journal.path, journal.path.parent)} == {0o700}
    assert {mode(path) for path in files} == {0o600}
    assert len(files) >= 4


def test_a_folder_that_others_could_read_is_closed(tmp_path: Path) -> None:
    (tmp_path / "home" / "api.heroku.com").mkdir(parents=True)

    assert mode(folder({HOME_VARIABLE: str(tmp_path / "home")})) == 0o700


def a_link(path: Path) -> None:
    elsewhere = path.parent / "elsewhere"
    elsewhere.mkdir()
    path.symlink_to(elsewhere, target_is_directory=True)


@pytest.mark.parametrize("put", [a_link, Path.touch], ids=["a link", "a file"])
def test_what_is_in_the_place_of_the_folder_is_not_used(tmp_path: Path, put: Callable[[Path], None]) -> None:
    home = tmp_path / "home"
    home.mkdir()
    put(home / "api.heroku.com")

    with pytest.raises(BadInput, match=HOME_VARIABLE):
        folder({HOME_VARIABLE: str(home)})


def test_a_folder_in_which_others_may_write_is_refused_with_the_way_out(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o777)

    with pytest.raises(BadInput, match=f"chmod go-w {home}"):
        folder({HOME_VARIABLE: str(home)})


def test_a_folder_of_somebody_else_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: home.stat().st_uid + 4711)
    if home.stat().st_uid == 0:  # what is root's is nobody's to take away
        os.chown(home, 4712, -1)

    with pytest.raises(BadInput, match="belongs to user"):
        folder({HOME_VARIABLE: str(home)})


@pytest.mark.parametrize("name", ["shop.log", "shop.lock", "shop.keeper", "shop.window.json", "shop.window.draft"])
def test_no_link_is_followed_and_no_pipe_is_waited_for(journal: Journal, name: str) -> None:
    target = journal.path.parent / "precious"
    target.write_text("precious")
    for put in (lambda path: path.symlink_to(target), lambda path: os.mkfifo(path)):
        (journal.path / name).unlink(missing_ok=True)
        put(journal.path / name)
        for how in ("r", "w", "a", "a+"):
            with pytest.raises(OSError, match=r"plain file|symbolic links|No such device"):
                open_private(journal.path / name, how)

    assert target.read_text() == "precious"


def test_an_app_of_the_same_name_on_another_heroku_is_another_app(tmp_path: Path) -> None:
    home = {HOME_VARIABLE: str(tmp_path)}
    origins = ["", "http://127.0.0.1:5000", "http://127.0.0.1:5001", "https://example.com/a", "https://example.com/b"]

    assert len({folder({**home, "HEROKU_API_URL": origin}) for origin in origins}) == len(origins)


@pytest.mark.parametrize("same", ["https://api.heroku.com", "https://API.Heroku.com/", "https://api.heroku.com:443"])
def test_one_heroku_has_one_folder_however_its_address_is_spelled(tmp_path: Path, same: str) -> None:
    home = {HOME_VARIABLE: str(tmp_path)}

    assert folder({**home, "HEROKU_API_URL": same}) == folder(home)


def test_nothing_says_where_a_users_files_are(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(_: Path) -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "expanduser", nowhere)

    with pytest.raises(BadInput, match=HOME_VARIABLE):
        folder({})


DAMAGES: dict[str, Callable[[Path], object]] = {
    "removed": Path.unlink,
    "emptied": lambda path: path.write_text(""),
    "cut": lambda path: path.write_text(path.read_text()[:100]),
    "replaced": lambda path: path.write_bytes(b"\xff\x00garbage"),
    "of another app": lambda path: path.write_text(path.read_text().replace('"shop"', '"other"')),
}


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_record_that_is_lost_says_nothing(journal: Journal, damage: Callable[[Path], object]) -> None:
    damage(journal.record_path)

    assert journal.still_open(OPEN) == OPEN


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_window_that_was_closed_is_closed_whatever_became_of_its_record(
    journal: Journal, damage: Callable[[Path], object]
) -> None:
    damage(journal.record_path)
    journal.close()

    assert Journal(journal.path, "shop").still_open(OPEN) is None


@pytest.mark.parametrize("damage", DAMAGES.values(), ids=DAMAGES)
def test_a_moment_that_is_noted_brings_a_lost_record_back(journal: Journal, damage: Callable[[Path], object]) -> None:
    damage(journal.record_path)
    journal.note(OPEN.window.did(Moment.PASSING_RETURN, 1001.0), ORDER)

    found = Journal(journal.path, "shop").read()
    assert found is not None
    assert found.window.is_past_return


@pytest.mark.parametrize("other", [ORDER._replace(target="newer"), ORDER._replace(apps=("shop", "admin"))])
def test_what_another_changeover_of_the_app_notes_and_closes_is_not_this_one(journal: Journal, other: Order) -> None:
    """Two stacks number their generations alike."""
    theirs = Document(OPEN.window, Clock(), Journal(journal.path, "shop"), other)
    theirs.did(Moment.PASSING_RETURN)
    theirs.close()

    assert journal.read() == OPEN


def test_a_record_of_another_run_that_goes_on_is_not_overwritten(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    this = process_named(os.getpid())
    assert this is not None
    theirs = OPEN._replace(engine=(this,))
    journal.write(theirs)
    monkeypatch.setattr(keeping, "is_kept", lambda _: True)
    ours = ORDER._replace(target="newer")

    with pytest.raises(Busy, match=rf"process {this.pid} .* from old to new: .* newer .* status --app shop"):
        keeping.ensure_kept(ours, Document(Window("db-2"), Clock(), journal, ours))
    assert journal.read() == theirs

    journal.write(OPEN._replace(engine=(Process(2**30, 0.0, "gone"),)))
    keeping.ensure_kept(ours, Document(Window("db-2"), Clock(), journal, ours))
    found = journal.read()
    assert found is not None
    assert found.order == ours


def test_a_window_of_an_earlier_attempt_that_was_closed_does_not_close_the_next_one(journal: Journal) -> None:
    journal.close()
    later = OPEN._replace(window=Window("db-2", {}, {Moment.ENTERING_MAINTENANCE: 2000.0}))
    journal.write(later)
    journal.record_path.unlink()

    assert journal.still_open(later) == later


def test_whoever_is_at_work_leaves_who_it_is(journal: Journal) -> None:
    with locked(journal.path, ORDER.apps, "promote", Clock(), print):
        holder = holder_of(journal.path, "shop")

    assert holder is not None
    assert holder.step == "promote"
    assert holder.process == this_process()._replace(name="")
    assert holder_of(journal.path, "shop") is None


@pytest.mark.parametrize("left", ["", "x", "1", "-1 2.0 promote", "1 nan promote", "9" * 5000 + " 1 promote"])
def test_what_is_left_in_a_lock_file_ends_nobody(journal: Journal, left: str) -> None:
    with locked(journal.path, ORDER.apps, "promote", Clock(), print):
        (journal.path / "shop.lock").write_text(left)
        holder = holder_of(journal.path, "shop")

    assert holder is not None
    assert holder.process is None


def test_a_process_with_the_same_number_that_was_started_later_is_another_one() -> None:
    this = this_process()
    later = Process(this.pid, this.started + 0.01)

    assert this.is_alive()
    assert not later.is_alive()
    assert not later.end()
