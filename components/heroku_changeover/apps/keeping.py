"""Starting a keeper, and whether one watches over the window of an app."""

import fcntl
import os
import select
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from heroku_changeover.reach.document import Document
from heroku_changeover.reach.home import HOME_VARIABLE
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.locks import try_lock
from heroku_changeover.reach.private import open_needed
from heroku_changeover.reach.processes import first_process, starters
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.command import KEEP
from heroku_changeover.terms.errors import BadInput, Busy, Refused
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order

START_LIMIT = 15
"""Seconds for a keeper to be ready."""

READY_VARIABLE = "HEROKU_CHANGEOVER_READY"
"""The environment variable with the descriptor on which a keeper says that it watches."""

NEEDED = frozenset(
    {
        "HEROKU_API_KEY",
        "HEROKU_API_URL",
        "HEROKU_DATA_API_URL",
        "HTTPS_PROXY",
        "NO_PROXY",
        "NETRC_PATH",
        "HOME",
        "XDG_STATE_HOME",
        "PATH",
        "LANG",
        "TZ",
        "TMPDIR",
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "OPENSSL_CONF",
        "LD_LIBRARY_PATH",
    }
)
NEEDED_PREFIXES = ("PYTHON", "LC_", "DYLD_")
"""
What a keeper has of its step's environment: where Heroku is, and what the interpreter starts with. All else is left
out, because many a CI system finds by a variable what a job left behind, to end it: RUNNER_TRACKING_ID (GitHub, Gitea),
JENKINS_NODE_COOKIE and BUILD_ID (Jenkins), VSTS_PROCESS_LOOKUP_ID (Azure Pipelines), and others by their own.
"""

MACHINES = frozenset({"systemd", "init", "launchd", "runit", "openrc-init", "s6-svscan", "dinit", "procd"})
"""What the first process of a whole machine is called; that of a container ends with what it was started for."""


def ensure_kept(order: Order, document: Document) -> None:
    """
    Writes the record of the window and makes sure that a keeper watches over it.

    Raises:
        Busy: another run, which goes on, has a window of its own open; its record stays as it is.
        Refused: no keeper could be started, so the app is not taken down.
    """
    journal = document.journal
    if journal is None:
        return
    record = journal.read()
    _require_nobodys(record, order)
    if _is_ours(record, order):
        journal.note(document.window, order)
    else:
        if document.window.is_open:  # by a run that is gone: the one that goes on has the whole budget
            document.did(Moment.RESUMED)
        journal.write(Record(order, document.window, starters()).counted_by(document.clock))
    with doing(Act.START_KEEPER):
        if not is_kept(journal):
            _start(journal)


def _require_nobodys(record: Record | None, order: Order) -> None:
    """What another run has taken down is brought back by what its record says: two of them have no room in one."""
    if record is not None and record.has_engine and not record.order.is_same_changeover(order):
        app, other = order.apps[0], record.order
        raise Busy(
            f"another run ({', '.join(f'process {p.pid} {p.name}' for p in record.engine)}) has app {app} down to move "
            f"it from {other.leader} to {other.target}: nothing is taken down for {order.target} until that has ended; "
            f"`heroku-changeover status --app {app}` shows where it is, then run `pulumi up` again"
        )


def _is_ours(record: Record | None, order: Order) -> bool:
    """Whether a step of the same run has opened the window: both have the same starter."""
    if record is None or not record.order.is_same_changeover(order):
        return False
    return record.engine[:1] == starters(1)


def why_short_lived(name: str | None) -> str:
    """
    Why a keeper on this machine may not outlive the run, by the name of the first process; empty where it does, as far
    as that can be told.
    """
    if name is None or name in MACHINES:
        return ""
    return (
        f"this is a container, whose first process is {name}: a keeper ends when the container does, and an app that "
        "is down by then stays down until the next `pulumi up`, or `heroku-changeover recover`, from anywhere"
    )


def why_short_lived_here() -> str:
    """The same, of this machine as it is."""
    return why_short_lived(first_process())


def is_kept(journal: Journal) -> bool:
    """Whether a keeper watches over the window of this app."""
    try:
        with keeper_file(journal) as file:
            return not try_lock(file, fcntl.LOCK_SH)
    except BadInput:
        return False  # nor could one watch


def _start(journal: Journal) -> None:
    """
    Starts it in the folder of the step, so that a relative path in the environment means the same to both. Nothing is
    imported from that folder (`-P`), because modules of the user's own may have any name.
    """
    readable, writable = os.pipe()
    variables = {HOME_VARIABLE: str(journal.path.parent), READY_VARIABLE: str(writable)}
    try:
        subprocess.Popen(
            [str(Path(sys.executable).absolute()), "-P", "-m", "heroku_changeover", KEEP, "--app", journal.app],
            env={**needed_of(os.environ), **variables},
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


def needed_of(environ: Mapping[str, str]) -> dict[str, str]:
    """What a keeper has of an environment."""
    return {
        name: value for name, value in environ.items() if name.upper() in NEEDED or name.startswith(NEEDED_PREFIXES)
    }


def _says_ready(descriptor: int) -> bool:
    with os.fdopen(descriptor, "rb") as ready:
        return bool(select.select([ready], [], [], START_LIMIT)[0] and ready.read(1))


def keeper_file(journal: Journal) -> IO[str]:
    """
    Raises:
        BadInput: something else is in its place.
    """
    return open_needed(journal.path / f"{journal.app}.keeper", "a+")
