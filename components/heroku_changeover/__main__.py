"""
The program of the steps: `heroku-changeover STEP …` or `python -m heroku_changeover STEP …`.

One line of JSON on stdout (the window document), progress on stderr. Exit codes are in `--help`.
"""

import argparse
import os
import signal
import sys
from collections.abc import Sequence

from heroku_changeover.command import (
    CONFIRM_VARIABLE,
    RETIRE_GUARD,
    STEPS,
    WINDOW_VARIABLE,
    add_order_options,
    order_from,
)
from heroku_changeover.errors import ChangeoverError

HELP = {
    "await-follower": "wait until the follower has caught up; write down how every app is found",
    "maintenance-on": "maintenance mode on in every app",
    "scale-down": "every process type to 0; wait for the dynos, end the sessions",
    "promote": "fence the leader, prove that the follower has every write, unfollow it, make it DATABASE",
    "restore": "formation and maintenance mode as they were; old database read-only; report",
    RETIRE_GUARD: "prove that nothing uses a database before it is deleted",
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
  {CONFIRM_VARIABLE}   an add-on's name: its guard passes, even if it is a primary

`pulumi up` runs the steps in this order. Each one looks first, does only what is missing, and can be run again.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one step; returns the exit code."""
    options = parser().parse_args(arguments)
    try:
        _on_signals()
        run = _guard if options.step == RETIRE_GUARD else _step
        run(options)
    except ChangeoverError as error:
        say(f"{options.step}: {error}")
        return error.exit_code
    return 0


def parser() -> argparse.ArgumentParser:
    """The command line, with a help that an operator can use."""
    form = argparse.RawDescriptionHelpFormatter
    top = argparse.ArgumentParser("heroku-changeover", description=__doc__, epilog=EPILOG, formatter_class=form)
    steps = top.add_subparsers(dest="step", required=True, metavar="STEP")
    for name in STEPS:
        add_order_options(
            steps.add_parser(name, help=HELP[name], description=HELP[name], epilog=EPILOG, formatter_class=form)
        )
    add = steps.add_parser(
        RETIRE_GUARD, help=HELP[RETIRE_GUARD], description=HELP[RETIRE_GUARD], epilog=EPILOG, formatter_class=form
    ).add_argument
    add("--app", required=True, metavar="APP", help="the app that pays for the database")
    add("--database", required=True, metavar="ADDON", help="the database that is to go")
    return top


def say(line: str) -> None:
    """A line of progress; never long, because the engine stops reading at 64 KiB."""
    print(line[:2000], file=sys.stderr, flush=True)  # noqa: T201 - a step speaks on stderr


def _step(options: argparse.Namespace) -> None:
    from heroku_changeover.changeover import Changeover
    from heroku_changeover.heroku import Heroku, address_from
    from heroku_changeover.steps import STEPS as RUN
    from heroku_changeover.window import Window, window_from

    order = order_from(options)
    window = window_from(os.environ, order.generation) or Window(order.generation)
    changeover = Changeover(order, Heroku(address_from(os.environ)), window, say)
    started = changeover.clock.now()
    RUN[options.step](changeover)
    seconds = {**changeover.window.facts.get("seconds", {}), options.step: round(changeover.clock.now() - started, 3)}
    print(changeover.window.noting(seconds=seconds).line())  # noqa: T201 - its result is this line


def _guard(options: argparse.Namespace) -> None:
    from heroku_changeover.heroku import Heroku, address_from
    from heroku_changeover.retire import guard

    guard(Heroku(address_from(os.environ)), options.app, options.database, os.environ, say)


def _on_signals() -> None:
    """Waits end when the process is asked to, so that what was changed is put back before it goes."""
    from heroku_changeover.wait import ENDING

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ENDING.set())


if __name__ == "__main__":
    sys.exit(main())
