"""What a look at a wanted changeover is given."""

from collections.abc import Callable
from dataclasses import dataclass

from heroku_changeover.terms.facts import App, Database, Facts
from heroku_changeover.terms.prospect import Prospect
from heroku_changeover.ways.way import Way
from heroku_postgres.wish import Wish


@dataclass(frozen=True, slots=True)
class Outlook:
    """A changeover that is wanted: by whose wish, from which database to which, and on which way."""

    wish: Wish
    prospect: Prospect
    way: Way

    @property
    def facts(self) -> Facts:
        return self.prospect.facts

    @property
    def primary(self) -> Database:
        return self.prospect.primary

    def apps(self, wanted: Callable[[App], bool]) -> list[App]:
        """The apps that move, as far as they are of the wanted kind."""
        return [app for app in self.facts.apps if wanted(app)]
