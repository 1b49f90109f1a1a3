"""What is told of a changeover the next morning: what was locked, proved and carried, and every alarm."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from heroku_changeover.terms.given import number, whole

MOST_NAMED = 12
"""How many names of one kind a report tells; the log of the machine has them all."""

LONGEST_TOLD = 120
"""Characters of one of them, as far as it is told."""


def few(names: Iterable[str]) -> tuple[str, ...]:
    """
    Names for a report, which is handed on in one line: the first ones, and how many more there are. What has been
    through it once stays as it is.
    """
    told = tuple(name if len(name) <= LONGEST_TOLD else f"{name[: LONGEST_TOLD - 1]}…" for name in names)
    kept = told[: MOST_NAMED - 1]
    return told if len(told) <= MOST_NAMED else (*kept, f"and {len(told) - len(kept)} more")


class Report(NamedTuple):
    """
    Nothing in it is secret. What is empty or None has not happened. Of many names the first ones are told.

    `tables_locked`: how many tables the fence held; `tables_not_locked`: those that it could not. `rows_discarded`:
    UNLOGGED tables and sequences whose rows did not come along, as the user said. `other_roles`: roles with sessions
    on the old database that ours may not end. `sessions_ended`, `sessions_back`: how many sessions were ended, and how
    many came back. `tripwire_before`, `tripwire_after`: the transaction id that the old database would have given out
    next, at the barrier and at the end; different ones mean that somebody wrote.
    `blocked_at_release`: roles whose writes waited when the fence was let go. `not_sealed`: apps that have the old
    database as DATABASE, so that it goes on taking writes. `not_moved`: names beside DATABASE that are the old one's
    still, each with the reason. `other_credential`: apps whose DATABASE is the default credential, because Heroku
    refused theirs. `no_proof`: why nothing was proved. `schedules_carried`:
    backup schedules. `primary`, `retired`: the new and the old database. `maintenance_seconds`: from the first app's
    going into maintenance mode until the last one's leaving it. `seconds`: how long each step took.
    """

    tables_locked: int | None = None
    tables_not_locked: tuple[str, ...] = ()
    rows_discarded: tuple[str, ...] = ()
    other_roles: tuple[str, ...] = ()
    sessions_ended: int = 0
    sessions_back: int = 0
    tripwire_before: int | None = None
    tripwire_after: int | None = None
    blocked_at_release: tuple[str, ...] = ()
    not_sealed: tuple[str, ...] = ()
    not_moved: tuple[str, ...] = ()
    other_credential: tuple[str, ...] = ()
    no_proof: str = ""
    schedules_carried: tuple[str, ...] = ()
    primary: str = ""
    retired: str = ""
    maintenance_seconds: float | None = None
    seconds: Mapping[str, float] = {}

    @property
    def alarms(self) -> tuple[str, ...]:
        """What may have been written to the old database and be missing on the new one, each in a few words."""
        return tuple(
            alarm
            for alarm, rings in (
                ("transactions were started on the old one behind the fence", self._tripwire_rings),
                (f"writes of {_listed(self.blocked_at_release)} waited behind the fence", self.blocked_at_release),
                (f"the old one is DATABASE of {_listed(self.not_sealed)} and takes writes", self.not_sealed),
            )
            if rings
        )

    @property
    def _tripwire_rings(self) -> bool:
        return self.tripwire_before != self.tripwire_after

    def sentence(self) -> str:
        """How long maintenance lasted and what was proved; empty as long as no changeover has ended."""
        if self.maintenance_seconds is None:
            return ""
        told = f"{self.retired} to {self.primary}: maintenance for {self.maintenance_seconds} s; {self._proof()}"
        return "; ALARM: ".join([told, *self.alarms]) + "".join(self._also())

    def _also(self) -> Iterator[str]:
        """What else has to be known, each after a semicolon."""
        for words, names in (
            ("not lockable", self.tables_not_locked),
            ("without the rows of", self.rows_discarded),
            ("may write to the old one until their sessions end", self.other_roles),
            ("still the old one's", self.not_moved),
            ("DATABASE is the default credential now", self.other_credential),
        ):
            if names:
                yield f"; {words}: {_listed(names)}"

    def _proof(self) -> str:
        fenced = f"{self.tables_locked or 0} tables fenced"
        if self.no_proof or self.alarms:
            return self.no_proof or fenced
        if self.tripwire_before is None:
            return f"{fenced}, and nobody looked at the end whether somebody had written to the old one: compare both"
        return f"every committed write proved on the new one, {fenced}"

    def row(self) -> dict[str, Any]:
        """Plain JSON values, by the names above, and few of them, whatever there was to name."""
        return {name: few(value) if isinstance(value, tuple) else value for name, value in self._asdict().items()}


def report_from(row: Mapping[str, Any]) -> Report:
    """
    The report from decoded JSON; what a later program added to it is left out.

    Raises:
        ValueError, TypeError, AttributeError: a value is not of its kind.
    """
    kinds = Report.__annotations__.items()
    return Report(**{name: _READ[kind](row[name]) for name, kind in kinds if row.get(name) is not None})


def _names(values: object) -> tuple[str, ...]:
    if not isinstance(values, list):
        raise TypeError("it is not a list")
    return few(str(value) for value in values)


def _whole(value: object) -> int:
    return whole(value, most=2**64)


def _seconds(row: Mapping[str, Any]) -> dict[str, float]:
    return {str(step): number(spent) for step, spent in row.items()}


_READ: Mapping[Any, Callable[[Any], Any]] = {
    int: _whole,
    int | None: _whole,
    float | None: number,
    str: str,
    tuple[str, ...]: _names,
    Mapping[str, float]: _seconds,
}
"""How a field of each type is read."""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(few(names))
