"""One changeover as a step process sees it: what was ordered, what is live, and how far it has come."""

import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace

from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.look import app_from, database_named
from heroku_changeover.reach.wait import AT_ITS_EDGE, INSIDE_WINDOW, OUTSIDE_WINDOW, Clock, Wait
from heroku_changeover.terms.acts import Act, audit
from heroku_changeover.terms.errors import NeedsPerson
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.situation import Situation, Stage, require_own, require_two, stage_of
from heroku_changeover.terms.window import Window, as_found


@dataclass(slots=True)
class Changeover:
    """
    What all steps share; `window` is replaced as acts are done.

    `keep` makes sure that a keeper watches over an open window; `journal` is None where nothing is remembered.
    `_variables` are config vars by app, from the look that asked for them; they hold passwords.
    """

    order: Order
    heroku: Heroku
    window: Window
    report: Callable[[str], None]
    clock: Clock = field(default_factory=Clock)
    journal: Journal | None = None
    keep: Callable[["Changeover"], None] = lambda _: None
    _writing: threading.Lock = field(default_factory=threading.Lock, init=False, repr=False)
    _variables: dict[str, Mapping[str, str]] = field(default_factory=dict, init=False, repr=False)

    def observe(self, *, addresses: bool = False) -> Situation:
        """
        Looks at the apps and both databases, all at once; with `addresses` at what `url_of` will need as well.

        Raises:
            Refused: what is live fits no changeover from this leader to this follower.
        """
        order = self.order
        require_two(order)
        with ThreadPoolExecutor(len(order.apps) + 3) as pool:
            if addresses:
                pool.submit(self._read_variables, order.apps[0])
            leader = pool.submit(database_named, self.heroku, order.leader)
            follower = pool.submit(database_named, self.heroku, order.follower)
            apps = {app.name: app for app in pool.map(lambda name: app_from(self.heroku, name), order.apps)}
            require_own(order, apps.values(), leader.result(), follower.result())
            stage = stage_of(order, apps.values(), follower.result())
            return Situation(apps, leader.result(), follower.result(), stage)

    def capture(self, situation: Situation) -> None:
        """Brings the record of how each app is to be left up to date with what is live."""
        open_ = self.has_begun and not situation.is_serving
        leader = situation.leader.id if situation.leader else ""
        known = self.window.found
        found = {n: as_found(known(app), app, open_=open_, leader=leader) for n, app in situation.apps.items()}
        lost = [name for name, app in found.items() if app.maintenance and not any(p.quantity for p in app.formation)]
        if lost and situation.stage is not Stage.MOVED:
            raise NeedsPerson(
                f"app {', '.join(lost)} is in maintenance and scaled to nothing, and no record says how it was before: "
                "scale it back and end maintenance mode, then run `pulumi up` again"
            )
        self.window = replace(self.window, apps=found)

    def did(self, act: str) -> None:
        """Writes down when something was reached; several apps may be at it at once."""
        with self._writing:
            self.window = self.window.did(act, self.clock.now())
            if self.journal is not None:
                self.journal.note(self.window)

    @contextmanager
    def doing(self, act: Act) -> Iterator[None]:
        """Brackets an outward act, so that whoever observes this step knows what it is at."""
        audit(act, "before")
        yield
        audit(act, "after")

    def close_window(self) -> None:
        """Nobody has to watch over these apps any more."""
        if self.journal is not None:
            self.journal.close()

    def finished(self) -> None:
        """The last thing is done; this machine remembers it, so that steps that run again leave all as it is."""
        self.did("restored")
        if self.journal is not None:
            self.journal.remember(Record(self.order, self.window))

    def urgent(self) -> Wait:
        """A wait while the app is down."""
        return Wait(self.clock, self.report)

    def wait_closely(self, what: str, probe: Callable[[], str | None], deadline: float) -> None:
        """A wait for what the next act in the window waits for; 40 looks a second at most, over all apps."""
        interval = AT_ITS_EDGE * max(1.0, len(self.order.apps) / 2)
        Wait(self.clock, self.report, interval).closely(what, probe, deadline)

    def patient(self) -> Wait:
        """A wait while nobody waits for it."""
        return Wait(self.clock, self.report, INSIDE_WINDOW, OUTSIDE_WINDOW)

    @property
    def has_begun(self) -> bool:
        """Whether the window has been opened, so that what is down may be so by our own doing."""
        return self.window.is_open

    @property
    def budget_ends(self) -> float:
        """When the window's budget is spent; before maintenance mode it has not begun."""
        began = self.window.budget_began
        return (self.clock.now() if began is None else began) + self.order.budget

    def url_of(self, database: Database) -> str:
        """
        The database's address, from the config var of an attachment of the default credential; it holds a password.
        """
        ours = [a for a in database.attachments if a.namespace is None and a.app in self.order.apps]
        for attachment in sorted(ours, key=lambda a: self.order.apps.index(a.app)):
            seen = self._variables.get(attachment.app) or {}
            values = seen if attachment.config_var in seen else self._read_variables(attachment.app)
            if url := values.get(attachment.config_var):
                return str(url)
        return ""

    def _read_variables(self, app: str) -> Mapping[str, str]:
        values: Mapping[str, str] = self.heroku.get(f"/apps/{app}/config-vars")
        self._variables[app] = values
        return values
