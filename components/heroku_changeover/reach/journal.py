"""
What this machine remembers of a changeover: the record of its open window, and its log.

The files hold no secret.
"""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

from heroku_changeover.reach.locks import show_life
from heroku_changeover.reach.private import open_private, read_private
from heroku_changeover.reach.processes import Process, process_from
from heroku_changeover.reach.uptime import boot
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.given import number
from heroku_changeover.terms.order import Order, order_of
from heroku_changeover.terms.window import Window, window_of

VERSION = 3
KEEPER = "keeper"
"""Who a keeper is in the log."""

LOG_LIMIT = 1_000_000
"""Bytes after which a log is begun anew, keeping the one before it."""


class Record(NamedTuple):
    """
    An open window: the changeover's order and document, who started its step (plugin and Pulumi process), and why the
    keeper gave up, if it did. `boot` and `epoch` tell by which clock its moments are noted: in this run of the machine,
    which started at that reading.
    """

    order: Order
    window: Window
    engine: tuple[Process, ...] = ()
    gave_up: str = ""
    boot: str = ""
    epoch: float = 0.0

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

    def clock(self, other: Clock) -> Clock:
        """The clock by which its moments were noted, if that was since this machine started; else the other one."""
        return other.counted_from(self.epoch) if self.boot and self.boot == boot() else other

    def counted_by(self, clock: Clock) -> "Record":
        """The same, with the clock by which its next moments are noted."""
        return self._replace(boot=boot(), epoch=round(clock.epoch, 3))


class Journal:
    """The files of one app's changeovers; `app` is the app that pays for the database."""

    def __init__(self, path: Path, app: str) -> None:
        self.path, self.app = path, app
        self._known: Record | None = None

    @property
    def record_path(self) -> Path:
        return self.path / f"{self.app}.window.json"

    @property
    def last_path(self) -> Path:
        return self.path / f"{self.app}.last.json"

    @property
    def log_path(self) -> Path:
        return self.path / f"{self.app}.log"

    def make_room(self) -> None:
        """Its folder, where that was removed: locks are in it as well."""
        with suppress(OSError):
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)

    def read(self) -> Record | None:
        """
        The open window; None when none is open.

        Raises:
            BadInput: the file is damaged, or from another version of this program.
        """
        found = record_in(self.record_path)
        self._known = found or self._known
        return found

    def read_last(self) -> Record | None:
        """
        The window that was closed last; None when there was none. One that cannot be read, as an older program may
        have left it, is none: without a record steps leave more alone, and nothing is down because of it.
        """
        with suppress(BadInput):
            return record_in(self.last_path)
        return None

    def still_open(self, known: Record) -> Record | None:
        """
        A window that was open when it was last looked at, as it is now; None when it was closed, of which the last
        record tells. A file that is gone or damaged says nothing, and what is known is as good as it was.
        """
        self._known = self._own() or (None if self._was_closed(known) else known)
        return self._known

    def _own(self) -> Record | None:
        """What the file has of this app; None where it has nothing that can be used."""
        with suppress(BadInput):
            found = record_in(self.record_path)
            return found if found is not None and found.order.apps[0] == self.app else None
        return None

    def _was_closed(self, known: Record) -> bool:
        last = self.read_last()
        if last is None or not last.order.is_same_changeover(known.order):
            return False
        return last.window.latest >= known.window.latest

    def write(self, record: Record) -> None:
        """Replaces the record in one go, so that no reader sees half of it."""
        self._known = record
        _replace(self.record_path, record)

    def remember(self, record: Record) -> None:
        """What is known of the window that was closed last; a full disk is no reason to call it unfinished."""
        with suppress(OSError):
            _replace(self.last_path, record)

    def note(self, window: Window, order: Order) -> None:
        """
        Brings the record up to date, if a window of this changeover is open, also where its file was lost; a disk that
        is full by then is no reason to leave an app down.
        """
        with suppress(OSError):
            record = self._now()
            if record is not None and record.order.is_same_changeover(order):
                self.write(record._replace(window=window))

    def _now(self) -> Record | None:
        if self._known is not None:
            return self.still_open(self._known)
        with suppress(BadInput):
            return self.read()
        return None

    def close(self, order: Order | None = None) -> None:
        """
        The window is closed; its record stays as the last one, where there is room for it: a keeper sees by that one
        that it was closed, and not lost. A window of another changeover than that of `order` stays open.
        """
        own, known, self._known = self._own(), self._known, None
        if order is not None and own is not None and not own.order.is_same_changeover(order):
            return
        if own is not None:
            with suppress(OSError):
                self.record_path.replace(self.last_path)
        elif known is not None and not self._was_closed(known):
            self.remember(known)
        with suppress(OSError):
            self.record_path.unlink(missing_ok=True)

    def log(self, who: str, line: str) -> None:
        """For whoever comes later. What cannot be written down stops nobody."""
        if who != KEEPER:
            show_life(self.path, self.app)
        with suppress(OSError):
            if self.log_path.exists() and self.log_path.stat().st_size > LOG_LIMIT:
                self.log_path.replace(self.log_path.with_suffix(".log.1"))
            with open_private(self.log_path, "a") as log:
                log.write(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {who}: {line}\n")

    def last_lines(self, count: int) -> tuple[str, ...]:
        """The end of the log."""
        with suppress(OSError):
            return tuple(read_private(self.log_path).splitlines()[-count:])
        return ()


def _replace(path: Path, record: Record) -> None:
    draft = path.with_suffix(".draft")
    with open_private(draft, "w") as file:
        file.write(_text(record))
    draft.replace(path)


def _text(record: Record) -> str:
    engine = [process._asdict() for process in record.engine]
    row = {"version": VERSION, "order": record.order._asdict(), "window": record.window.row(), "engine": engine}
    clock = {"boot": record.boot, "epoch": record.epoch}
    return json.dumps({**row, **clock, "gave_up": record.gave_up}, indent=1)


def record_in(path: Path) -> Record | None:
    """
    What is recorded in a file; None where there is none.

    Raises:
        BadInput: the file is damaged, or from another version of this program.
    """
    try:
        return _record_of(json.loads(read_private(path)))
    except FileNotFoundError:
        return None
    except BadInput as error:
        raise BadInput(f"{path} cannot be used: {error}; {_REMOVE}") from error
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise BadInput(
            f"{path} does not hold the record of a window ({type(error).__name__}): look at it, {_REMOVE}"
        ) from error


def _record_of(row: dict[str, Any]) -> Record:
    if row["version"] != VERSION:
        raise BadInput(f"it is of version {row['version']!r}, this program reads {VERSION}")
    order = order_of(row["order"])
    window = window_of(row["window"], order.generation)
    engine = tuple(process_from(p) for p in row["engine"])
    return Record(order, window, engine, str(row["gave_up"]), str(row["boot"]), number(row["epoch"]))


_REMOVE = "bring the app back by hand if it is down, and remove the file"


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
        return record_in(path)
    except BadInput as error:
        report(f"warning: the record of another app is passed over: {error}")
        return None
