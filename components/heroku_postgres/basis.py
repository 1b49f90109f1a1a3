"""What a decision rests on: what is wanted, what is live, and which of that is this component's own."""

from collections.abc import Mapping
from dataclasses import dataclass

from heroku_changeover.terms.facts import Database, Facts
from heroku_postgres.known import Known
from heroku_postgres.wish import Wish


@dataclass(frozen=True, slots=True)
class Basis:
    """
    All that a decision rests on, found out once and handed on together.

    `managed` are the live databases of this component by the numbers of their generations, in their order.
    """

    wish: Wish
    facts: Facts
    known: Known
    managed: Mapping[int, Database]

    @property
    def number(self) -> int:
        """The generation of DATABASE; 0 where there is none, or it is not this component's."""
        return next((n for n, d in self.managed.items() if d is self.facts.primary), 0)

    @property
    def is_serving(self) -> bool:
        return all(app.is_serving for app in self.facts.apps)

    @property
    def left_by_the_last_run(self) -> Database | None:
        """What was DATABASE when a run ended well last; None before that, or where it is gone."""
        return next((d for d in self.managed.values() if d.id == self.known.primary_id), None)

    @property
    def next_number(self) -> int:
        """
        A number that no generation has had.

        The state may remember the steps of one that was destroyed by hand, and would not run them again for another
        add-on.
        """
        names = {*self.facts.past_addons, *(d.name for d in self.facts.databases)}
        past = [number for name in names if (number := self.wish.number_of(name)) is not None]
        return 1 + max([*self.managed, *self.known.numbers, *past], default=0)


def basis_of(wish: Wish, facts: Facts, known: Known) -> Basis:
    """
    A database is this component's own if the stack has it, by its UUID; or has a name that this component gives, as
    after a loss of the state; or is the one that is to be adopted.
    """
    managed = {g.number: d for g in known.generations if (d := facts.database_with_id(g.id)) is not None}
    for database in facts.databases:
        number = wish.number_of(database.name) if database.app == wish.app else None
        if number is not None and number not in known.numbers and database not in managed.values():
            managed[number] = database
    adopted = facts.database(wish.adopt) if wish.adopt else None
    if adopted is not None and adopted not in managed.values() and _may_adopt(wish, facts, known, adopted):
        fresh = not known.generations and 1 not in managed
        managed[1 if fresh else Basis(wish, facts, known, managed).next_number] = adopted
    return Basis(wish, facts, known, dict(sorted(managed.items())))


def _may_adopt(wish: Wish, facts: Facts, known: Known, database: Database) -> bool:
    """A stack that has a database already takes in another one only if that is DATABASE now."""
    return database.app == wish.app and (not known.generations or database is facts.primary)
