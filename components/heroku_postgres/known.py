"""
What the stack knows of a database, from its own state: which add-on each generation is, by its UUID.

A name can be given to another add-on, an app can be renamed and a line of config be dropped; a UUID stays. So what the
state has is found on Heroku by its UUID, and only what it does not have is found by its name.
"""

import re
from collections.abc import Mapping
from typing import Any, NamedTuple

from heroku_changeover.terms.order import STEPS
from heroku_postgres.urns import COMMAND_IN_A_GENERATION, DATABASE_TYPE, GENERATION_IN_A_DATABASE

PROMOTE = STEPS[3]


class KnownGeneration(NamedTuple):
    """A generation in the state: its number, the UUIDs of its add-on and its app, and the steps that have ended."""

    number: int
    id: str
    app_id: str = ""
    steps: tuple[str, ...] = ()


class Known(NamedTuple):
    """
    What the state has of one Database; nothing for a stack that has yet to take it in.

    `primary_id` and `plan` are what was DATABASE when a run ended well last, empty before that. `others` are the UUIDs
    of the add-ons of every other Database in the stack, by its name.
    """

    generations: tuple[KnownGeneration, ...] = ()
    primary_id: str = ""
    plan: str = ""
    others: Mapping[str, frozenset[str]] = {}

    @property
    def ids(self) -> frozenset[str]:
        return frozenset(g.id for g in self.generations)

    @property
    def numbers(self) -> frozenset[int]:
        return frozenset(g.number for g in self.generations)

    def was_promoted(self, number: int) -> bool:
        """Whether the step that makes a generation DATABASE has ended; one that was adopted has no such step."""
        return PROMOTE in self.steps(number)

    def steps(self, number: int) -> tuple[str, ...]:
        """The steps of a generation that have ended, in their order."""
        return next((g.steps for g in self.generations if g.number == number), ())


def known_from(resources: Mapping[str, Any], names: tuple[str, ...]) -> Known:
    """What is known of the Database with one of these names, from the outputs of all resources by their URNs."""
    found = [(*_parts(urn), row.get("outputs") or {}) for urn, row in resources.items()]
    own = next((outputs for kind, name, outputs in found if kind.endswith(DATABASE_TYPE) and name in names), {})
    members = [(name, outputs) for kind, name, outputs in found if kind.endswith(GENERATION_IN_A_DATABASE)]
    generations = [(*_numbered(name), name, outputs) for name, outputs in members if outputs.get("database_id")]
    commands = {name for kind, name, _ in found if kind.endswith(COMMAND_IN_A_GENERATION)}
    mine = [_generation(n, name, outputs, commands) for owner, n, name, outputs in generations if owner in names]
    others = [(owner, str(outputs["database_id"])) for owner, _, _, outputs in generations if owner not in names]
    return Known(
        generations=tuple(sorted(mine)),
        primary_id=str(own.get("primary_id") or ""),
        plan=str(own.get("plan") or ""),
        others={owner: frozenset(i for o, i in others if o == owner) for owner, _ in others},
    )


def _parts(urn: str) -> tuple[str, str]:
    """The chain of types and the name of a resource."""
    _, _, types, name = urn.split("::", 3)
    return types, name


def _numbered(generation: str) -> tuple[str, int]:
    """The Database that a generation is of, and its number."""
    match = re.fullmatch(r"(.+)-([1-9][0-9]*)", generation)
    return (match[1], int(match[2])) if match else (generation, 0)


def _generation(number: int, name: str, outputs: Mapping[str, Any], commands: set[str]) -> KnownGeneration:
    steps = tuple(step for step in STEPS if f"{name}-{step}" in commands)
    return KnownGeneration(number, str(outputs["database_id"]), str(outputs.get("app_id") or ""), steps)
