"""What the stack's own state says, asked of the engine."""

from collections.abc import Iterable, Iterator
from typing import Any

import pulumi

from heroku_postgres.known import Known, known_from


def read_known(names: tuple[str, ...]) -> Known:
    """
    What the state of this very stack has of the Database that has one of these names, or had it before.

    Raises:
        pulumi.RunError: the state could not be read; without it nobody knows which databases are this stack's own.
    """
    try:
        read = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": _own_reference()})
    except Exception as error:
        raise pulumi.RunError(f"the state of this stack could not be read: {error}; run this again") from error
    return known_from((read.value or {}).get("outputs") or {}, names)


def _own_reference() -> str:
    """A backend of one's own takes the plain name in each layout of its state; the service needs the organization."""
    organization, stack = pulumi.get_organization(), pulumi.get_stack()
    return stack if organization == "organization" else f"{organization}/{pulumi.get_project()}/{stack}"


def names_before(opts: pulumi.ResourceOptions | None) -> tuple[str, ...]:
    """What a resource was called before, by its aliases."""
    return tuple(_names((opts.aliases if opts else None) or ()))


def _names(aliases: Iterable[Any]) -> Iterator[str]:
    """
    An alias is a whole URN, or says what was different before, the name among other things. One that is an output tells
    no name yet.
    """
    for alias in aliases:
        name = alias.rpartition("::")[2] if isinstance(alias, str) else getattr(alias, "name", None)
        if isinstance(name, str):
            yield name
