"""
The program of the steps: `heroku-changeover STEP …` or `python -m heroku_changeover STEP …`.

One line of JSON on stdout (the window document), progress on stderr. Exit codes are in `--help`.
"""

import argparse
import io
import os
import re
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING

from heroku_changeover.terms.command import (
    CONFIRM_VARIABLE,
    KEEP,
    RECOVER,
    RETIRE_GUARD,
    RETIRE_VARIABLE,
    STATUS,
    URN_VARIABLE,
    WINDOW_VARIABLE,
    Arguments,
    add_guard_options,
    add_order_options,
    app_name,
    order_from,
    shown,
)
from heroku_changeover.terms.errors import ChangeoverError, NeedsPerson
from heroku_changeover.terms.order import STEPS

if TYPE_CHECKING:
    from heroku_changeover.reach.document import Document
    from heroku_changeover.reach.heroku import Heroku
    from heroku_changeover.reach.journal import Journal
    from heroku_changeover.reach.wait import Clock
    from heroku_changeover.terms.order import Order
    from heroku_changeover.ways.way import Changeover

HELP = {
    "await-database": "wait until the new database is ready; write down how every app is found",
    "maintenance-on": "maintenance mode on in every app",
    "scale-down": "every process type to 0; wait for one-off dynos",
    "promote": "no dyno runs: fence the old database, prove that the new one has every write, make it DATABASE",
    "restore": "formation and maintenance mode as they were; old database read-only; names beside DATABASE; report",
    RETIRE_GUARD: "delete a database after proof that it is to go, is used by nobody, and that another has its data",
    STATUS: "show where an app's changeover is, who is at work on it, and what would happen next",
    RECOVER: "bring an app back, or finish its changeover, when no run is left to do it",
    KEEP: "watch over an open window; a step starts it",
}

EPILOG = f"""\
exit codes:
   0  reached, also when it already was
  10  nothing changed: service is as it was before
  20  past the point of no return and not complete: run `pulumi up` again
  30  refused: the message says what was found
  40  needs a person: the message says what to do

environment:
  HEROKU_API_KEY          the token; without it, what `heroku login` left in ~/.netrc
  HEROKU_API_URL          another Platform API than https://api.heroku.com
  HEROKU_DATA_API_URL     another Data API; by default it is where the Platform API is
  HTTPS_PROXY, NO_PROXY   the proxy on the way there, and the hosts that are asked without it
  {WINDOW_VARIABLE}    the window document that the step before printed
  {RETIRE_VARIABLE}    an add-on's name or UUID: this database is to go, although what runs is not aimed at it
  {CONFIRM_VARIABLE}   an add-on's name or UUID: this database goes, although it cannot be proved that another one
                          holds what it holds; one that is in use stays all the same
  HEROKU_CHANGEOVER_HOME      where records and logs of windows are, by Heroku; ~/.local/state/heroku-changeover

`pulumi up` runs the steps in this order. Each one looks first, does only what is missing, and can be run again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one step; returns the exit code."""
    name = ""
    _speak_plainly()
    options: argparse.Namespace | None = None
    try:
        options = parser().parse_args(arguments)
        name = f"{options.step}: "
        RUN.get(options.step, _step)(options)
        _finish_speaking()
    except ChangeoverError as error:
        say(f"{name}{error}")
        return error.exit_code
    except (Exception, KeyboardInterrupt) as error:  # noqa: BLE001 - the last resort, for what nobody has thought of
        from heroku_changeover.rescue.last_resort import told

        say(f"{name}{told(error, options)}")
        return NeedsPerson.exit_code
    return 0


def _speak_plainly() -> None:
    """A locale or a reader that cannot show a character gets it spelled out."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def _finish_speaking() -> None:
    """What could not be written is found out now, and not by the interpreter as it ends."""
    sys.stdout.flush()


def parser() -> argparse.ArgumentParser:
    """The command line, with a help that an operator can use."""
    top = Arguments(
        "heroku-changeover", description=__doc__, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = top.add_subparsers(dest="step", required=True, metavar="STEP")
    for name in STEPS:
        add_order_options(_command(commands, name))
    add_guard_options(_command(commands, RETIRE_GUARD))
    for name in (STATUS, RECOVER, KEEP):
        command = _command(commands, name)
        command.add_argument(
            "--app", required=True, type=app_name, metavar="APP", help="the app that pays for the database"
        )
        for option in OPTIONS.get(name, ()):
            option(command)
    return top


def _command(commands: "argparse._SubParsersAction[Arguments]", name: str) -> Arguments:
    form = argparse.RawDescriptionHelpFormatter
    return commands.add_parser(name, help=HELP[name], description=HELP[name], epilog=EPILOG, formatter_class=form)


def _quantity(text: str) -> tuple[str, int]:
    """A process type with its number of dynos, as in `web=2`."""
    kind, _, number = text.partition("=")
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,100}", kind) or not re.fullmatch(r"[0-9]{1,6}", number):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not of the form web=2")
    return kind, int(number)


def _add_state(command: argparse.ArgumentParser) -> None:
    command.add_argument("--state", metavar="FILE", help="the output of `pulumi stack export`; - for stdin")


OPTIONS: Mapping[str, tuple[Callable[[argparse.ArgumentParser], object], ...]] = {
    STATUS: (lambda p: p.add_argument("--json", action="store_true", help="for scripts"), _add_state),
    RECOVER: (
        lambda p: p.add_argument("--yes", action="store_true", help="do not ask"),
        _add_state,
        lambda p: p.add_argument(
            "--was", type=_quantity, action="append", metavar="TYPE=N", help="dynos that the app had; repeat it"
        ),
    ),
}


def say(line: str) -> None:
    """A line of progress; never long, because the engine stops reading at 64 KiB."""
    with suppress(OSError, ValueError):  # a reader that is gone is no reason to stop half-way
        print(line[:2000], file=sys.stderr, flush=True)  # noqa: T201 - a step speaks on stderr


def _step(options: argparse.Namespace) -> None:
    from heroku_changeover.reach.address import address_from
    from heroku_changeover.reach.document import clock_of
    from heroku_changeover.reach.heroku import Heroku
    from heroku_changeover.reach.home import folder
    from heroku_changeover.reach.journal import Journal
    from heroku_changeover.reach.locks import locked
    from heroku_changeover.reach.wait import Clock
    from heroku_changeover.ways.steps import RUN as RUN_STEP

    _on_signals()
    order, step = order_from(options, os.environ.get(URN_VARIABLE, "")), options.step
    journal = Journal(folder(), order.apps[0])
    heroku = Heroku(address_from(os.environ))
    with locked(journal.path, order.apps, step, Clock(), say):
        # only now: whoever had the lock may have changed what this machine remembers, and by which clock
        clock = clock_of(order, journal, Clock())
        started = clock.now()
        changeover = _changeover(order, journal, heroku, clock, _saying(journal, step))
        RUN_STEP[step](changeover)
    window = changeover.window
    seconds = {**window.report.seconds, step: round(clock.now() - started, 3)}
    window = window._replace(report=window.report._replace(seconds=seconds))
    print(window.line())  # noqa: T201 - its result is this line


def _changeover(
    order: "Order", journal: "Journal", heroku: "Heroku", clock: "Clock", report: Callable[[str], None]
) -> "Changeover":
    from heroku_changeover.reach.document import Document, end_of_budget, window_at_start
    from heroku_changeover.reach.world import world_of
    from heroku_changeover.ways.listed import changeover

    document = Document(window_at_start(order, journal, clock, os.environ), clock, journal, order)
    limited = clock.within(end_of_budget(order, document))
    world = world_of(heroku.by(limited), report, limited, len(order.apps))
    return changeover(order, world, document, partial(_ensure_kept, report))


def _ensure_kept(report: Callable[[str], None], order: "Order", document: "Document") -> None:
    """Not every step needs one, and what starts a process takes its time to load."""
    from heroku_changeover.apps.keeping import ensure_kept, why_short_lived_here

    if not document.window.is_open and (reason := why_short_lived_here()):
        report(f"warning: {reason}")
    ensure_kept(order, document)


def _saying(journal: "Journal", step: str) -> Callable[[str], None]:
    """Progress, for whoever watches the run, and in the log, for who comes later."""

    def tell(line: str) -> None:
        say(line)
        journal.log(step, line)

    return tell


def _guard(options: argparse.Namespace) -> None:
    from heroku_changeover.reach.address import address_from
    from heroku_changeover.reach.heroku import Heroku
    from heroku_changeover.reach.processes import engine_words
    from heroku_changeover.reach.wait import Clock
    from heroku_changeover.retire.guard import guard
    from heroku_changeover.retire.verdict import Retirement

    retirement = Retirement(
        options.app_id, options.database_id, options.database, os.environ, engine_words(), options.only_prove
    )
    guard(Heroku(address_from(os.environ)), retirement, Clock(), say)


def _keep(options: argparse.Namespace) -> None:
    from heroku_changeover.rescue.keeper import keep

    keep(options.app, os.environ)


def _status(options: argparse.Namespace) -> None:
    from heroku_changeover.reach.address import address_from
    from heroku_changeover.reach.heroku import Heroku
    from heroku_changeover.reach.home import folder
    from heroku_changeover.reach.journal import Journal, record_of
    from heroku_changeover.rescue.by_hand import record_in_state, text_of
    from heroku_changeover.rescue.status import print_status, status_of

    known = record_of(folder(), options.app, say)
    state = options.state if known is None else None
    record = record_in_state(text_of(state), options.app) if state else known
    journal = Journal(folder(), record.order.apps[0] if record else options.app)
    status = status_of(Heroku(address_from(os.environ)), journal, (options.app,), record, state)
    print_status(status, as_json=options.json)


def _recover(options: argparse.Namespace) -> None:
    from heroku_changeover.reach.address import address_from
    from heroku_changeover.reach.heroku import Heroku
    from heroku_changeover.reach.home import folder
    from heroku_changeover.reach.journal import Journal
    from heroku_changeover.rescue.by_hand import Request, run

    request = Request(options.app, options.state, dict(options.was or ()), options.yes)
    journal = Journal(folder(), options.app)
    run(request, Heroku(address_from(os.environ)), journal, _saying(journal, RECOVER))


RUN: Mapping[str, Callable[[argparse.Namespace], None]] = {
    RETIRE_GUARD: _guard,
    STATUS: _status,
    RECOVER: _recover,
    KEEP: _keep,
}


def _on_signals() -> None:
    """Waits end when the process is asked to, so that what was changed is put back before it goes."""
    from heroku_changeover.reach.wait import ENDING

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ENDING.set())


if __name__ == "__main__":
    sys.exit(main())
