"""
The command line of a step: written into the stack by the component, read by the step process.

Both directions live here so that they cannot drift apart. The text holds no secret: it is stored in state, and a
`delete` runs as it was stored, years later, on whatever machine has the program.
"""

import argparse
import re
import shlex
from collections.abc import Iterable
from typing import Any, Final, NoReturn

from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.given import APP, LONGEST
from heroku_changeover.terms.order import ONE_OFF_POLICIES, UNLOGGED_POLICIES, VERIFY_MODES, Order

PROGRAM: Final = "heroku-changeover"
"""What runs a step; an installation of this package puts it beside the interpreter."""

MISSING: Final = f"{PROGRAM} is not on this machine: install the package heroku-postgres, with its programs on PATH"
RETIRE_GUARD: Final = "retire-guard"
KEEP: Final = "keep"
STATUS: Final = "status"
RECOVER: Final = "recover"

WINDOW_VARIABLE: Final = "HEROKU_CHANGEOVER_WINDOW"
"""The environment variable in which a step finds the window document that the step before it printed."""

RETIRE_VARIABLE: Final = "HEROKU_CHANGEOVER_RETIRE"
"""The environment variable that, set to an add-on's name or UUID, says that this very database is to go."""

CONFIRM_VARIABLE: Final = "HEROKU_CHANGEOVER_DESTROY"
"""The environment variable that, set to an add-on's name or UUID, waives what could not be proved of it."""

URN_VARIABLE: Final = "HEROKU_CHANGEOVER_URN"
"""The environment variable in which a step finds the URN of its generation, for advice that has to name it."""

SHOWN: Final = 100
"""Characters of a word that a message repeats."""


def readable(text: str) -> str:
    """A name that can be shown and sent: what a locale cannot read arrives as halves of characters."""
    if not text.isprintable() or not text:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a name")
    return text


class Arguments(argparse.ArgumentParser):
    """A parser whose errors are like every other bad input: one line, and the exit code of a refusal."""

    def error(self, message: str) -> NoReturn:
        """
        Raises:
            BadInput: always; the library would end the process with a code of its own.
        """
        told = message if message.isprintable() else ascii(message)
        raise BadInput(f"{told[:1000]}; see `{self.prog} --help`")


_DEFAULTS = Order._field_defaults


def step_arguments(step: str, order: Order) -> list[str]:
    """The arguments of a step; what is at its default is left out, so that the text in a preview stays short."""
    arguments = [step, "--generation", order.generation]
    for app in order.apps:
        arguments += ["--app", app]
    arguments += ["--from", order.leader, "--to", order.target]
    for name in _OPTIONS:
        if getattr(order, name) != _DEFAULTS[name]:
            arguments += [_flag(name), str(getattr(order, name))]
    return arguments


def guard_arguments(app_id: str, database_id: str, database: str, *, only_prove: bool = False) -> list[str]:
    """Ids, because names can be given to others by the time it runs; the name is for messages."""
    arguments = [RETIRE_GUARD, "--app-id", app_id, "--database-id", database_id, "--database", database]
    return [*arguments, "--only-prove"] if only_prove else arguments


def shell_text(arguments: list[str], search: str) -> str:
    """
    The shell line that runs a step.

    `search` is the folder of the program as the inside of double quotes has it; it goes in front of PATH rather than
    into the command, so that a machine without that folder still finds the program on PATH. `exec`, because the engine
    kills only its direct child. A guard runs on machines that never declared anything, so it says what is missing.
    """
    hint = f"command -v {PROGRAM} >/dev/null || echo '{MISSING}' >&2; " if arguments[0] == RETIRE_GUARD else ""
    return f'PATH="{search}:$PATH"; {hint}exec {PROGRAM} {shlex.join(arguments)}'


def open_urn(urn: str) -> str:
    """The URN with stack and project left open, because both can be renamed."""
    _, _, types, name = urn.split("::")
    return f"urn:pulumi:*::*::{types}::{name}"


def teardown_text(urn: str, steps: Iterable[str], addon: str) -> str:
    """
    The command that removes a generation and nothing else, from its URN, the steps that it may have and its add-on.

    Each resource is named with its whole type: a pattern over names could fit something of the user's own, and
    `--target-dependents` would take along whatever depends on one of them. The add-on is named for whoever reads it.
    """
    types, _, name = open_urn(urn).rpartition("::")
    commands = [f"$command:local:Command::{name}-{word}" for word in (RETIRE_GUARD, *steps)]
    ends = [f"::{name}", f"$heroku:addon/addon:Addon::{name}-database", *commands]
    targets = (f"--target '{types}{end}'" for end in ends)
    return " ".join(["pulumi destroy", *targets, f"--message 'remove {addon}'"])


def order_from(options: argparse.Namespace, urn: str = "") -> Order:
    """The order that a parsed command line spells."""
    return Order(
        generation=options.generation,
        apps=tuple(options.app),
        leader=options.leader,
        target=options.target,
        urn=urn,
        **{name: getattr(options, name) for name in _OPTIONS},
    )


def positive(text: str) -> int:
    """A whole number of seconds, at least 1."""
    if not re.fullmatch(r"[0-9]{1,9}", text) or not 1 <= int(text) <= LONGEST:
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a whole number of seconds from 1 to {LONGEST}")
    return int(text)


def shown(text: str) -> str:
    """What somebody has typed, for a message: short, and on one line."""
    return text if 0 < len(text) <= SHOWN and text.isprintable() else f"{text[:SHOWN]!r}"


def app_name(text: str) -> str:
    """The name of an app; files of this machine are called by it."""
    if not APP.fullmatch(text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not the name of an app")
    return text


def uuid(text: str) -> str:
    """The id of an app or add-on, which stays the same when it is renamed."""
    if not re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", text):
        raise argparse.ArgumentTypeError(f"{shown(text)} is not a UUID")
    return text


def add_guard_options(parser: argparse.ArgumentParser) -> None:
    """What `guard_arguments` spells."""
    add = parser.add_argument
    add("--app-id", required=True, type=uuid, metavar="UUID", help="the app that pays for the database")
    add("--database-id", required=True, type=uuid, metavar="UUID", help="the database that is to go")
    add("--database", required=True, type=readable, metavar="ADDON", help="what it was called, for messages")
    add("--only-prove", action="store_true", help="prove the same and delete nothing")


def add_order_options(parser: argparse.ArgumentParser) -> None:
    """The options that all five steps share."""
    add = parser.add_argument
    add(
        "--generation", required=True, type=readable, metavar="NAME", help="what the changeover is called, such as db-2"
    )
    add(
        "--app",
        required=True,
        type=app_name,
        action="append",
        metavar="APP",
        help="an app to move; repeat it; the paying one first",
    )
    add("--from", required=True, type=readable, dest="leader", metavar="ADDON", help="the database that is left")
    add(
        "--to",
        required=True,
        type=readable,
        dest="target",
        metavar="ADDON",
        help="the database that becomes the primary",
    )
    for name, option in _OPTIONS.items():
        add(_flag(name), default=_DEFAULTS[name], **option)


_OPTIONS: Final[dict[str, dict[str, Any]]] = {
    "way": {"type": readable, "metavar": "WAY", "help": "how the data gets over (%(default)s)"},
    "budget": {
        "type": positive,
        "metavar": "SECONDS",
        "help": "from maintenance to the point of no return (%(default)s)",
    },
    "ready_limit": {
        "type": positive,
        "metavar": "SECONDS",
        "help": "for the new database to be ready (%(default)s)",
    },
    "one_off_dynos": {"choices": ONE_OFF_POLICIES, "help": "what happens to them (%(default)s)"},
    "verify": {"choices": VERIFY_MODES, "help": "how the proof is made (%(default)s)"},
    "unlogged_rows": {
        "choices": UNLOGGED_POLICIES,
        "help": "what happens to rows of UNLOGGED tables that do not come along (%(default)s); api never looks for any",
    },
}
"""What of an order may be left out on a command line, by its name in the order: how the parser takes it."""


def _flag(name: str) -> str:
    return f"--{name.replace('_', '-')}"
