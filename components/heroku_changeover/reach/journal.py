"""
What this machine remembers of a changeover: the record of its open window, its log, and who works on it.

The files lie in a folder of the user's own and hold no secret. A lock is a lock on an open file: it goes with the
process that has it, however that ends.
"""

import fcntl
import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any, NamedTuple

from heroku_changeover.reach.processes import Process, process_from
from heroku_changeover.reach.wait import Clock, Wait
from heroku_changeover.terms.errors import BadInput, Busy, TimedOut
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.window import Window, window_of

HOME_VARIABLE = "HEROKU_CHANGEOVER_HOME"
VERSION = 2

BUSY_LIMIT = 120
"""Seconds to wait for another step or keeper of the same app: longer than putting an app back takes."""

LOG_LIMIT = 1_000_000
"""Bytes after which a log is begun anew, keeping the one before it."""


class Record(NamedTuple):
    """
    An open window: the changeover's order and document, who started its step (plugin and Pulumi process), and why the
    keeper gave up, if it did.
    """

    order: Order
    window: Window
    engine: tuple[Process, ...] = ()
    gave_up: str = ""

    @property
    def overrun(self) -> float:
        """
        When the budget is spent, in seconds since 1970. It is infinite before maintenance mode and once the only way is
        forward.
        """
        began = None if self.window.is_past_return else self.window.budget_began
        return float("inf") if began is None else began + self.order.budget

    @property
    def has_engine(self) -> bool:
        """Whether the run that opened the window goes on."""
        return bool(self.engine) and all(process.is_alive() for process in self.engine)


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """
    The folder of all journals, made when it is missing.

    Raises:
        BadInput: it cannot be written to; names the variable that puts it elsewhere.
    """
    base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".local" / "state"
    path = Path(environ.get(HOME_VARIABLE) or Path(base) / "heroku-changeover").absolute()
    try:
        path.mkdir(parents=True, exist_ok=True)
        (path / ".writable").touch()
    except OSError as error:
        raise BadInput(
            f"{path} cannot be written to ({error.strerror}), and an open window has to be remembered somewhere: "
            f"set {HOME_VARIABLE} to a folder that can"
        ) from error
    return path


class Journal:
    """The files of one app's changeovers; `app` is the app that pays for the database."""

    def __init__(self, path: Path, app: str) -> None:
        self.path, self.app = path, app

    @property
    def record_path(self) -> Path:
        return self.path / f"{self.app}.window.json"

    @property
    def last_path(self) -> Path:
        return self.path / f"{self.app}.last.json"

    @property
    def log_path(self) -> Path:
        return self.path / f"{self.app}.log"

    def read(self) -> Record | None:
        """The open window; None when none is open."""
        return _record_in(self.record_path)

    def read_last(self) -> Record | None:
        """
        The window that was closed last; None when there was none. One that cannot be read, as an older program may
        have left it, is none: without a record steps leave more alone, and nothing is down because of it.
        """
        with suppress(BadInput):
            return _record_in(self.last_path)
        return None

    def write(self, record: Record) -> None:
        """Replaces the record in one go, so that no reader sees half of it."""
        _replace(self.record_path, record)

    def remember(self, record: Record) -> None:
        """What is known of the window that was closed last; a full disk is no reason to call it unfinished."""
        with suppress(OSError):
            _replace(self.last_path, record)

    def note(self, window: Window) -> None:
        """
        Brings the record up to date, if a window is open; a disk that is full by then is no reason to leave an app
        down.
        """
        with suppress(OSError):
            record = self.read()
            if record is not None and record.order.generation == window.generation:
                self.write(record._replace(window=window))

    def close(self) -> None:
        """The window is closed; its record stays as the last one, where there is room for it."""
        try:
            self.record_path.replace(self.last_path)
        except FileNotFoundError:
            return
        except OSError:
            self.record_path.unlink(missing_ok=True)

    def log(self, who: str, line: str) -> None:
        """For whoever comes later. What cannot be written down stops nobody."""
        with suppress(OSError):
            if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
            with self.log_path.open("a") as log:
                log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {who}: {line}\n")


def _replace(path: Path, record: Record) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(_text(record))
    draft.replace(path)


def _text(record: Record) -> str:
    engine = [process._asdict() for process in record.engine]
    row = {"version": VERSION, "order": record.order._asdict(), "window": record.window.row(), "engine": engine}
    return json.dumps({**row, "gave_up": record.gave_up}, indent=1)


def _record_in(path: Path) -> Record | None:
    """
    Raises:
        BadInput: the file is damaged, or from another version of this program.
    """
    try:
        row: dict[str, Any] = json.loads(path.read_text())
        if row["version"] != VERSION:
            raise BadInput(f"{path} is of version {row['version']}, this program reads {VERSION}")
        order = Order(**{**row["order"], "apps": tuple(row["order"]["apps"])})
        window = window_of(row["window"], order.generation)
        return Record(order, window, tuple(process_from(p) for p in row["engine"]), str(row["gave_up"]))
    except FileNotFoundError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadInput(
            f"{path} does not hold the record of a window ({type(error).__name__}): look at it, bring the app back by "
            "hand if it is down, and remove the file"
        ) from error


def record_of(path: Path, app: str, report: Callable[[str], None]) -> Record | None:
    """
    The open window that an app is part of, whoever pays for the database; a damaged record of another app is named and
    passed over.

    Raises:
        BadInput: the app's own record is damaged.
    """
    own = Journal(path, app)
    others = [_passing_over(file, report) for file in sorted(path.glob("*.window.json")) if file != own.record_path]
    records = [own.read(), *others]
    return next((record for record in records if record is not None and app in record.order.apps), None)


def _passing_over(path: Path, report: Callable[[str], None]) -> Record | None:
    try:
        return _record_in(path)
    except BadInput as error:
        report(f"warning: the record of another app is passed over: {error}")
        return None


@contextmanager
def locked(path: Path, apps: Sequence[str], who: str, clock: Clock, report: Callable[[str], None]) -> Iterator[None]:
    """
    Alone with these apps on this machine for the length of a block.

    Raises:
        Busy: another process is at work on one of them and did not end in time; names it.
    """
    with ExitStack() as held:
        for app in sorted(apps):
            file = held.enter_context((path / f"{app}.lock").open("a+"))
            _take(file, app, clock, report)
            sign(file, f"{os.getpid()} {who}")
        yield


def sign(file: IO[str], text: str) -> None:
    """Leaves a word in a locked file, for whoever looks. The lock holds without it, as when the disk is full."""
    with suppress(OSError):
        os.ftruncate(file.fileno(), 0)
        os.write(file.fileno(), text.encode())


def _take(file: IO[str], app: str, clock: Clock, report: Callable[[str], None]) -> None:
    def busy() -> str | None:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            pid, _, who = file.read().partition(" ")
            return f"{who or 'another process'} (process {pid or 'unknown'}) is at work on it"
        return None

    try:
        Wait(clock, report).until(f"app {app} to be free on this machine", busy, clock.now() + BUSY_LIMIT)
    except TimedOut as error:
        raise Busy(f"one changeover at a time for an app: {error}") from error


def holder_of(path: Path, app: str) -> str | None:
    """Who is at work on an app on this machine, as `process-id step`; None when nobody is."""
    file = path / f"{app}.lock"
    if not file.exists():
        return None
    with file.open("r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return lock.read()
    return None
