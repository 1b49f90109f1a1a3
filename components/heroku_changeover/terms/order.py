"""What one changeover is about, and the five words for its steps."""

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from heroku_changeover.terms.given import app_named, text, whole

STEPS: Final = ("await-database", "maintenance-on", "scale-down", "promote", "restore")
"""
The five steps, in the order of the runbook: the same for every way and for all time. A generation of years ago is
declared with them again, and a word that is new to its state would run.
"""

ONE_OFF_POLICIES: Final = ("wait", "stop")
VERIFY_MODES: Final = ("sql", "api")
DISCARD: Final = "discard"
UNLOGGED_POLICIES: Final = ("refuse", DISCARD)


class Order(NamedTuple):
    """
    What one changeover is about; the same for all five steps.

    `apps`: every app whose DATABASE moves, the one that pays for the database first. `leader`, `target`: the names of
    the add-on that is left and of the one that takes its place. `way`: how the data gets over. `budget`: seconds from
    maintenance mode to the point of no return. `ready_limit`: seconds that the target may take to be ready.
    `one_off_dynos`: `wait` for them to end, or `stop` them. `verify`: `sql` for the fence, `api` where SQL cannot
    reach. `unlogged_rows`: `refuse` to move a database with such that do not come along, or `discard` them. `urn`:
    that of the generation in the stack, for advice that names it; empty where it is not known.
    """

    generation: str
    apps: tuple[str, ...]
    leader: str
    target: str
    way: str = "follow"
    budget: int = 300
    ready_limit: int = 86_400
    one_off_dynos: str = "wait"
    verify: str = "sql"
    unlogged_rows: str = "refuse"
    urn: str = ""

    def is_same_changeover(self, other: "Order") -> bool:
        """Whether both move the same apps between the same databases, whatever they and their limits are called."""
        mine = (number_in(self.generation), self.apps, self.leader, self.target)
        return mine == (number_in(other.generation), other.apps, other.leader, other.target)


def order_of(row: Mapping[str, Any]) -> Order:
    """
    The order from decoded JSON.

    Raises:
        ValueError, TypeError, KeyError: it is none.
    """
    if not isinstance(row["apps"], list) or not row["apps"]:
        raise ValueError("it names no apps")
    read = {name: _READ.get(name, text)(value) for name, value in row.items() if name not in {"apps", "urn"}}
    return Order(apps=tuple(app_named(app) for app in row["apps"]), urn=str(row.get("urn", "")), **read)


def _seconds(value: object) -> int:
    return whole(value, least=1)


_READ: Final[Mapping[str, Callable[[object], Any]]] = {"budget": _seconds, "ready_limit": _seconds}


def number_in(generation: str) -> str:
    """The number of a generation, which it keeps when the component is renamed, as in `db-2` and `data-2`."""
    return generation.rpartition("-")[2]
