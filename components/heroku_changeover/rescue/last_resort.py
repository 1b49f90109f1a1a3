"""What is said of an error that nobody has thought of: one sentence; where it came from is in the log."""

import argparse
import traceback
from contextlib import suppress

from heroku_changeover.reach.hiding import without_secrets
from heroku_changeover.reach.home import folder
from heroku_changeover.reach.journal import Journal
from heroku_changeover.terms.errors import ChangeoverError


def told(error: BaseException, options: argparse.Namespace | None) -> str:
    """What is said; the traceback goes into the log of the app, without what is secret."""
    app = _app(options)
    status = f"`heroku-changeover status --app {app}`" if app else "`heroku-changeover status --app <app>`"
    if isinstance(error, KeyboardInterrupt):
        return f"interrupted, and what it was at may be half done: {status} shows what is so"
    log = _logged(error, app)
    where = f"; where it comes from is in {log}" if log else ""
    return (
        f"an error that nobody has thought of ({type(error).__name__}){where}. "
        f"{status} shows what is so and what would happen next; please report it with that part of the log"
    )


def _app(options: argparse.Namespace | None) -> str:
    given = getattr(options, "app", "")
    return str(given[0] if isinstance(given, list) and given else given or "")


def _logged(error: BaseException, app: str) -> str:
    """The path of the log; empty where nothing could be written."""
    if not app:
        return ""
    with suppress(ChangeoverError, OSError, ValueError):
        journal = Journal(folder(), app)
        for line in without_secrets("".join(traceback.format_exception(error))).splitlines():
            journal.log("error", line)
        return str(journal.log_path)
    return ""
