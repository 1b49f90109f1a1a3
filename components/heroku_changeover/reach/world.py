"""The world as it is handed to a step: Heroku, SQL, time, and whom to tell."""

from collections.abc import Callable
from typing import NamedTuple

from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.postgres.port import Postgres
from heroku_changeover.reach.sql import Sql
from heroku_changeover.reach.wait import AT_ITS_EDGE, INSIDE_WINDOW, LATENESS, OUTSIDE_WINDOW, Clock, Wait


class World(NamedTuple):
    """
    Heroku, the databases over SQL, time, and `report`, which tells a person how it goes on. `apps` is how many of them
    may be looked at at the same time.
    """

    heroku: Heroku
    sql: Sql
    report: Callable[[str], None]
    clock: Clock = Clock()
    apps: int = 1

    def after(self, seconds: float) -> float:
        """A reading of the clock: that many seconds from now."""
        return self.clock.now() + seconds

    def urgent(self) -> Wait:
        """A wait while the app is down; a dozen apps that wait for minutes ask no more than one does."""
        return Wait(self.clock, self.report, lateness=LATENESS * self.apps)

    def wait_closely(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        """A wait in the window for what lets the next act begin; 40 looks a second at most, over all apps."""
        share = max(1.0, self.apps / 2)
        Wait(self.clock, self.report, AT_ITS_EDGE * share, lateness=LATENESS * share).closely(what, probe, deadline)

    def patient(self) -> Wait:
        """A wait while nobody waits for it."""
        return Wait(self.clock, self.report, INSIDE_WINDOW, OUTSIDE_WINDOW)

    def undisturbed(self) -> "World":
        """The same for work that has to be done even when the process was asked to end."""
        heroku, sql = self.heroku.undisturbed(), self.sql.undisturbed()
        return self._replace(heroku=heroku, sql=sql, clock=self.clock.undisturbed())


def world_of(heroku: Heroku, report: Callable[[str], None], clock: Clock, apps: int = 1) -> World:
    """The real one; its databases are PostgreSQL servers."""
    return World(heroku, Postgres(clock, report), report, clock, apps)
