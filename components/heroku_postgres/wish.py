"""One database as the user wants it, checked and in plain values."""

import re
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Wish:
    """
    One database as the user wants it. `apps` has the app that pays first; times are in seconds, and where there is no
    `window_budget`, the way has one.
    """

    name: str
    apps: tuple[str, ...]
    plan: str
    adopt: str | None = None
    hold: bool = False
    window_budget: int | None = None
    ready_limit: int = 86_400
    one_off_dynos: str = "wait"
    verify: str = "sql"
    unlogged_rows: str = "refuse"

    @property
    def app(self) -> str:
        return self.apps[0]

    def addon_name(self, number: int) -> str:
        """The name of the add-on of a generation that this component creates."""
        return f"{self.app}-{self.name}-{number}"

    @property
    def likely_addons(self) -> tuple[str, ...]:
        """What its databases are called before and after its first changeover."""
        return (self.adopt or self.addon_name(1), self.addon_name(2))

    def number_of(self, addon: str) -> int | None:
        """The generation that the name of an add-on tells; None for a name that this component did not give."""
        match = re.fullmatch(rf"{re.escape(self.app)}-{re.escape(self.name)}-([1-9][0-9]*)", addon)
        return int(match[1]) if match else None
