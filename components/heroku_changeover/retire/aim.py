"""
What the engine was started to do, read from its command line: whether it was aimed at one generation, to remove it.

A plain `pulumi destroy` means the stack and not this database; an up from whose program a generation has vanished may
be a slip. Whatever cannot be read here is no aim: the database stays, and the variable says the same by hand.
"""

from collections.abc import Iterator, Sequence

from heroku_changeover.terms.command import RETIRE_GUARD
from heroku_changeover.terms.order import STEPS

DESTROY = frozenset({"destroy", "down", "dn"})
UPDATE = frozenset({"up", "update"})
TARGET = frozenset({"--target", "-t"})

PARTS = ("database", RETIRE_GUARD, *STEPS)
"""What the names of a generation's resources end with, behind its own name."""

SWITCHES = frozenset(
    {
        "--disable-integrity-checking",
        "--emoji",
        "-e",
        "--fully-qualify-stack-names",
        "--logflow",
        "--logtostderr",
        "--non-interactive",
    }
)
"""Options of every subcommand that take no word; any other one in front of the subcommand takes the next word."""


def subcommand(engine: Sequence[str]) -> str:
    """The first word that is neither an option nor what belongs to one; empty without any."""
    words = iter(engine[1:])
    for word in words:
        if not word.startswith("-"):
            return word
        if word not in SWITCHES and "=" not in word:
            next(words, None)
    return ""


def is_update(engine: Sequence[str]) -> bool:
    return subcommand(engine) in UPDATE


def is_aimed(engine: Sequence[str], urn: str) -> bool:
    """Whether it was started to destroy, with a target that names the generation of this URN or one of its parts."""
    return bool(urn) and subcommand(engine) in DESTROY and any(_names(target, urn) for target in _targets(engine))


def _targets(engine: Sequence[str]) -> Iterator[str]:
    """`--target X`, `--target=X`, `-t X`, `-t=X` and `-tX`; what a message says is none of them."""
    words = iter(engine[1:])
    for word in words:
        if word == "--":
            return
        if word in TARGET:
            yield next(words, "")
        elif word in {"--message", "-m"}:
            next(words, None)
        elif word.startswith("--target="):
            yield word.partition("=")[2]
        elif word.startswith("-t"):
            yield word.removeprefix("-t").removeprefix("=")


def _names(target: str, urn: str) -> bool:
    """
    Names are compared whole, without the stars at their ends: `db-1` is in `db-10` and in `my-db-1`. A target that
    spells the types in front has to have those of this generation.
    """
    *_, types, generation = urn.split("::")
    *before, last = target.split("::")
    if len(before) == 3 and "*" not in before[-1] and not f"{before[-1]}$".startswith(f"{types}$"):
        return False
    name = last.strip("*")
    return bool(name) and name in {generation, *(f"{generation}-{part}" for part in PARTS)}
