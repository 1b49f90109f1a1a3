"""
The program of the steps: `heroku-changeover STEP …` or `python -m heroku_changeover STEP …`.

One line of JSON on stdout (the window document), progress on stderr. Exit codes are in `--help`.
"""

import argparse
import os
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
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
)
from heroku_changeover.terms.errors import ChangeoverError
from heroku_changeover.terms.order import STEPS

if TYPE_CHECKING:
    from heroku_changeover.reach.document import Document
    from heroku_changeover.reach.journal import Journal
    from heroku_changeover.reach.wait import Clock
    from heroku_changeover.terms.order import Order
    from heroku_changeover.terms.window import Window
    from heroku_changeover.ways.way import Changeover

HELP = {
    "await-database": "wait until the new database is ready; write down how every app is found",
    "maintenance-on": "maintenance mode on in every app",
    "scale-down": "every process type to 0; wait for one-off dynos",
    "promote": "no dyno runs: fence the old database, prove that the new one has every write, make it DATABASE",
    "restore": "formation and maintenance mode as they were; old database read-only; report",
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
  {WINDOW_VARIABLE}    the window document that the step before printed
  {RETIRE_VARIABLE}    an add-on's name or UUID: this database is to go, although what runs is not aimed at it
  {CONFIRM_VARIABLE}   an add-on's name or UUID: this database goes, although it cannot be proved that another one
                          holds what it holds; one that is in use stays all the same
  HEROKU_CHANGEOVER_HOME      where the record and the log of an open window are; ~/.local/state/heroku-changeover

`pulumi up` runs the steps in this order. Each one looks first, does only what is missing, and can be run again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one step; returns the exit code."""
    name = ""
    try:
        options = parser().parse_args(arguments)
        name = f"{options.step}: "
        RUN.get(options.step, _step)(options)
    except ChangeoverError as error:
        say(f"{name}{error}")
        return error.exit_code
    return 0


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
    if not kind or not number.isdigit():
        raise argparse.ArgumentTypeError(f"{text} is not of the form web=2")
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
    with suppress(OSError):  # a reader that is gone is no reason to stop half-way
        print(line[:2000], file=sys.stderr, flush=True)  # noqa: T201 - a step speaks on stderr


def _step(options: argparse.Namespace) -> None:
    from heroku_changeover.reach.journal import Journal, folder, locked
    from heroku_changeover.reach.wait import Clock
    from heroku_changeover.ways.steps import RUN as RUN_STEP

    _on_signals()
    order, step = order_from(options, os.environ.get(URN_VARIABLE, "")), options.step
    journal, clock = Journal(folder(), order.apps[0]), Clock()
    changeover = _changeover(order, journal, clock, _saying(journal, step))
    started = clock.now()
    with locked(journal.path, order.apps, step, clock, say):
        RUN_STEP[step](changeover)
    window = changeover.window
    seconds = {**window.report.seconds, step: round(clock.now() - started, 3)}
    window = window._replace(report=window.report._replace(seconds=seconds))
    print(window.line())  # noqa: T201 - its result is this line


def _changeover(order: "Order", journal: "Journal", clock: "Clock", report: Callable[[str], None]) -> "Changeover":
    from heroku_changeover.reach.address import address_from
    from heroku_changeover.reach.document import Document
    from heroku_changeover.reach.heroku import Heroku
    from heroku_changeover.reach.world import world_of
    from heroku_changeover.ways.listed import changeover

    world = world_of(Heroku(address_from(os.environ)), report, clock, len(order.apps))
    return changeover(order, world, Document(_window(order, journal), clock, journal), _ensure_kept)


def _ensure_kept(order: "Order", document: "Document") -> None:
    """Not every step needs one, and what starts a process takes its time to load."""
    from heroku_changeover.apps.keeping import ensure_kept

    ensure_kept(order, document)


def _window(order: "Order", journal: "Journal") -> "Window":
    """
    The document of the step before this one; or, when a run broke and its keeper or another step went on, what this
    machine remembers of the same changeover, if that is newer: where both are as new, the document holds more.
    """
    from heroku_changeover.terms.window import Window, newest, window_from

    given = window_from(os.environ, order.generation) or Window(order.generation)
    records = (journal.read(), journal.read_last())
    known = (record.window for record in records if record and record.order.is_same_changeover(order))
    return newest(given, *known)._replace(generation=order.generation)


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
    from heroku_changeover.reach.journal import Journal, folder, record_of
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
    from heroku_changeover.reach.journal import Journal, folder
    from heroku_changeover.rescue.by_hand import Request, run

    request = Request(options.app, options.state, dict(options.was or ()), options.yes)
    run(request, Heroku(address_from(os.environ)), Journal(folder(), options.app), say)


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
