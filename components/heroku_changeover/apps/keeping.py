"""Starting a keeper, and whether one watches over the window of an app."""

import fcntl
import os
import select
import subprocess
import sys
from pathlib import Path
from typing import IO

from heroku_changeover.reach.document import Document
from heroku_changeover.reach.journal import HOME_VARIABLE, Journal, Record
from heroku_changeover.reach.processes import starters
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.command import KEEP
from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order

START_LIMIT = 15
"""Seconds for a keeper to be ready."""

READY_VARIABLE = "HEROKU_CHANGEOVER_READY"
"""The environment variable with the descriptor on which a keeper says that it watches."""

RUNNER_VARIABLE = "RUNNER_TRACKING_ID"
"""By this variable a GitHub runner finds the processes that a job left behind, to end them."""


def ensure_kept(order: Order, document: Document) -> None:
    """
    Writes the record of the window and makes sure that a keeper watches over it.

    Raises:
        Refused: no keeper could be started, so the app is not taken down.
    """
    journal = document.journal
    if journal is None:
        return
    if _is_ours(journal.read(), order):
        journal.note(document.window)
    else:
        if document.window.is_open:  # by a run that is gone: the one that goes on has the whole budget
            document.did(Moment.RESUMED)
        journal.write(Record(order, document.window, starters()))
    with doing(Act.START_KEEPER):
        if not is_kept(journal):
            _start(journal)


def _is_ours(record: Record | None, order: Order) -> bool:
    """Whether a step of the same run has opened the window: both have the same starter."""
    if record is None or not record.order.is_same_changeover(order):
        return False
    return [process.pid for process in record.engine[:1]] == [os.getppid()]


def is_kept(journal: Journal) -> bool:
    """Whether a keeper watches over the window of this app."""
    with keeper_file(journal) as file:
        return not try_lock(file, fcntl.LOCK_SH)


def _start(journal: Journal) -> None:
    """
    Starts it in the folder of the step, so that a relative path in the environment means the same to both. Nothing is
    imported from that folder (`-P`), because modules of the user's own may have any name.
    """
    readable, writable = os.pipe()
    variables = {HOME_VARIABLE: str(journal.path), RUNNER_VARIABLE: "", READY_VARIABLE: str(writable)}
    try:
        subprocess.Popen(
            [str(Path(sys.executable).absolute()), "-P", "-m", "heroku_changeover", KEEP, "--app", journal.app],
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=(writable,),
            start_new_session=True,
        )
    finally:
        os.close(writable)
    if not _says_ready(readable):
        raise Refused(
            f"no keeper could be started for app {journal.app}, and without one a lost run would leave it down; "
            f"see {journal.log_path}"
        )


def _says_ready(descriptor: int) -> bool:
    with os.fdopen(descriptor, "rb") as ready:
        return bool(select.select([ready], [], [], START_LIMIT)[0] and ready.read(1))


def keeper_file(journal: Journal) -> IO[str]:
    return (journal.path / f"{journal.app}.keeper").open("a+")


def try_lock(file: IO[str], kind: int) -> bool:
    """Whether the lock was had; it goes with the file."""
    try:
        fcntl.flock(file, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
