"""What one changeover is about, and the five words for its steps, which are the same for every way and for all time."""

from dataclasses import dataclass
from typing import Final

STEPS: Final = ("await-follower", "maintenance-on", "scale-down", "promote", "restore")
"""The five steps, in the order of the runbook."""


ONE_OFF_POLICIES: Final = ("wait", "stop")


VERIFY_MODES: Final = ("sql", "api")


@dataclass(frozen=True, slots=True)
class Order:
    """
    What one changeover is about; the same for all five steps.

    `apps`: every app whose DATABASE moves, the one that pays for the database first. `leader`, `follower`: add-on
    names. `budget`: seconds from maintenance mode to unfollow. `follower_limit`: seconds the follower may take to
    catch up. `one_off_dynos`: `wait` for them to end, or `stop` them. `verify`: `sql` for the fence, `api` where SQL
    cannot reach. `urn`: that of the generation in the stack, for advice that names it; empty where it is not known.
    """

    generation: str
    apps: tuple[str, ...]
    leader: str
    follower: str
    budget: int = 300
    follower_limit: int = 86_400
    one_off_dynos: str = "wait"
    verify: str = "sql"
    urn: str = ""

    def is_same_changeover(self, other: "Order") -> bool:
        """Whether both move the same apps between the same databases, whatever they and their limits are called."""
        mine = (number_in(self.generation), self.apps, self.leader, self.follower)
        return mine == (number_in(other.generation), other.apps, other.leader, other.follower)


def number_in(generation: str) -> str:
    """The number of a generation, which it keeps when the component is renamed, as in `db-2` and `data-2`."""
    return generation.rpartition("-")[2]
