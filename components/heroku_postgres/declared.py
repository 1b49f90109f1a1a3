"""
What comes of a decision: what a run declares, and what it says.

A *generation* is one database in the life of an app: adopted, fresh, or made for a changeover. The *primary* is the
generation attached as DATABASE; the *target* the one that is to become it; a *retired* one was primary before. One that
is *cut off* takes writes but was never promoted, because a changeover broke between the two.
"""

from dataclasses import dataclass
from enum import Enum

from heroku_changeover.terms.finding import Finding, has_errors
from heroku_changeover.terms.order import Order


class Kind(Enum):
    """What a run is about."""

    FRESH = "fresh"
    SETTLED = "settled"
    PREPARED = "prepared"
    CHANGEOVER = "changeover"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Declared:
    """
    A generation to declare.

    `plan` is the live plan, so that no plan change is ever sent; `import_id` the live add-on's UUID; `follow` the
    leader's name for a database that has yet to be made as a follower; `role` is primary, target, retired or cut off;
    `way` is how the data gets onto it.
    """

    number: int
    addon: str
    plan: str
    role: str
    import_id: str | None = None
    follow: str | None = None
    protect: bool = False
    steps: tuple[str, ...] = ()
    leader: str | None = None
    way: str = Order._field_defaults["way"]


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What a run declares and says.

    `primary` and `plan` are as they will be when the run has ended well, `retired` the names of what is then kept
    without use. `until_then` is what holds as long as it has not, None where nothing moves.
    """

    kind: Kind
    generations: tuple[Declared, ...]
    findings: tuple[Finding, ...]
    summary: str
    primary: str
    plan: str
    retired: tuple[str, ...] = ()
    runbook: tuple[str, ...] = ()
    until_then: "Decision | None" = None

    @property
    def outcome(self) -> str:
        """Where the database is after the run: the same sentence in a changeover and in the settled run after it."""
        if not self.primary:
            return "there is no database yet"
        kept = f"; kept: {', '.join(self.retired)}" if self.retired else ""
        return f"{self.primary} is the primary on {self.plan}{kept}"

    @property
    def is_refused(self) -> bool:
        return has_errors(self.findings)
