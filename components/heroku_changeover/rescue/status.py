"""
Where an app's changeover is, for a person at three in the morning: what is live, what was found before, who is at
work, and what would happen next.
"""

import json
import sys
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from heroku_changeover.apps.keeping import is_kept
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.locks import holder_of
from heroku_changeover.reach.look import look
from heroku_changeover.reach.wait import Clock
from heroku_changeover.rescue.recovery import changeover_in, is_as_found, plan_of_recovery
from heroku_changeover.terms.errors import ChangeoverError
from heroku_changeover.terms.facts import App, Database, Facts
from heroku_changeover.terms.situation import Situation
from heroku_changeover.terms.window import AppAsFound, Window

LAST_LINES = 8

PLAIN_WIDTH = 200
"""Columns where there is no terminal to ask: names must not be cut."""


@dataclass(frozen=True, slots=True)
class Status:
    """What `status` shows; `as_json` is its form for scripts."""

    facts: Facts
    record: Record | None
    at_work: dict[str, str]
    keeper: bool
    next: str
    log: tuple[str, ...]
    state: str | None = None
    """The exported stack that the record was looked for in, None when this machine was enough."""

    def as_json(self) -> str:
        return json.dumps(
            {
                "apps": [_app_row(app, self._found(app.name)) for app in self.facts.apps],
                "databases": [_database_row(d, self.facts) for d in self.facts.databases],
                "window": _window_row(self.record) if self.record else None,
                "keeper": self.keeper,
                "at_work": self.at_work,
                "next": self.next,
            },
            indent=2,
        )

    def _found(self, app: str) -> AppAsFound | None:
        return self.record.window.apps.get(app) if self.record else None

    def show(self, console: Console) -> None:
        console.print(self._apps())
        console.print(self._databases())
        console.print(Text("window:   ", "bold") + _coloured(self._window(), "yellow" if self.record else "green"))
        console.print(Text("at work:  ", "bold") + Text(self._workers()))
        console.print(Text("next:     ", "bold") + Text(self.next))
        for line in self.log:
            console.print(Text(f"  {line}", "dim"))

    def _apps(self) -> Table:
        table = Table("app", "DATABASE", "maintenance", "formation", "as found", box=SIMPLE_HEAD)
        for app in self.facts.apps:
            found = self._found(app.name)
            table.add_row(
                app.name,
                app.primary.addon_name if app.primary else _coloured("none", "red"),
                _coloured("on", "red") if app.maintenance else "off",
                _quantities((p.type, p.quantity) for p in app.formation),
                _as_found(found) if found else "",
            )
        return table

    def _databases(self) -> Table:
        table = Table("database", "plan", "role", "follows", "commits behind", "state", box=SIMPLE_HEAD)
        for d in self.facts.databases:
            row = _database_row(d, self.facts)
            behind = "" if d.behind_by is None else str(d.behind_by)
            table.add_row(d.name, d.plan, row["role"], d.following or "", behind, d.state)
        return table

    def _window(self) -> str:
        if self.record is None:
            return "none is open on this machine" + (", nor by the stack's state" if self.state else "")
        order, gave_up = self.record.order, self.record.gave_up
        source = " by the stack's state" if self.state else ""
        told = f"{order.generation} is open{source}: {order.leader} to {order.target}"
        return f"{told}; its keeper gave up: {gave_up}" if gave_up else told

    def _workers(self) -> str:
        engine = "a run of Pulumi" if self.record and self.record.has_engine else ""
        steps = [f"{who} on {app}" for app, who in self.at_work.items()]
        return ", ".join(filter(None, [engine, "a keeper" if self.keeper else "", *steps])) or "nobody on this machine"


def status_of(
    heroku: Heroku, journal: Journal, apps: Iterable[str], record: Record | None, state: str | None = None
) -> Status:
    """Looks at Heroku and at this machine; changes nothing. `state` names the exported stack that `record` is from."""
    names = record.order.apps if record else tuple(apps)
    at_work = {app: str(who) for app in names if (who := holder_of(journal.path, app))}
    log = journal.last_lines(LAST_LINES)
    facts, keeper = look(names), is_kept(journal)
    following = _next(heroku, record, state, keeper=keeper) if record else _next_without_record(facts)
    return Status(facts, record, at_work, keeper, following, log, state)


def _next_without_record(facts: Facts) -> str:
    down = [app.name for app in facts.apps if not app.is_serving]
    if down:
        return (
            f"{down[0]} is down, and this machine has no record of a window: if a changeover broke elsewhere, "
            f"`pulumi up` goes on with it; `heroku-changeover recover --app {down[0]}` brings the app back, with "
            "`--state` or `--was` (see its --help)"
        )
    return "nothing, unless `pulumi up` finds another plan in the stack's config"


def _next(heroku: Heroku, record: Record, state: str | None, *, keeper: bool) -> str:
    if record.has_engine:
        return "the run of Pulumi goes on; should it end, its keeper closes the window"
    if keeper:
        return "the keeper closes the window: its run is gone"
    try:
        c = changeover_in(record, heroku, lambda _: None, Clock())
        situation: Situation = c.observe()
    except ChangeoverError as error:
        return f"a person is needed: {error}"
    if is_as_found(c, situation):
        return "`pulumi up` goes on with it; no app is down"
    words = f"recover --app {record.order.apps[0]}" + (f" --state {state}" if state else "")
    return f"`pulumi up` goes on with it; `heroku-changeover {words}` would {plan_of_recovery(c, situation)}"


def print_status(status: Status, *, as_json: bool) -> None:
    """In colour on a terminal, plain elsewhere, or as JSON."""
    if as_json:
        sys.stdout.write(status.as_json() + "\n")
    else:
        console = Console(highlight=False)
        status.show(console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH))


def _app_row(app: App, found: AppAsFound | None) -> dict[str, Any]:
    return {
        "name": app.name,
        "primary": app.primary.addon_name if app.primary else None,
        "maintenance": app.maintenance,
        "formation": {p.type: p.quantity for p in app.formation},
        "serving": app.is_serving,
        "found": {"maintenance": found.maintenance, "formation": {p.type: p.quantity for p in found.formation}}
        if found
        else None,
    }


def _database_row(database: Database, facts: Facts) -> dict[str, Any]:
    primary = any(a.primary and a.primary.addon_id == database.id for a in facts.apps)
    role = "primary" if primary else "follower" if database.is_follower else "unused"
    return {
        "name": database.name,
        "plan": database.plan,
        "role": role,
        "following": database.following,
        "behind_by": database.behind_by,
        "state": database.state,
    }


def _window_row(record: Record) -> dict[str, Any]:
    window: Window = record.window
    return {
        "generation": record.order.generation,
        "from": record.order.leader,
        "to": record.order.target,
        "moments": {moment.value: at for moment, at in window.moments.items()},
        "engine": record.has_engine,
        "gave_up": record.gave_up,
    }


def _as_found(found: AppAsFound) -> str:
    return _quantities((p.type, p.quantity) for p in found.formation) + (", maintenance" if found.maintenance else "")


def _quantities(rows: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{kind} {quantity}" for kind, quantity in rows) or "none"


def _coloured(text: str, colour: str) -> Text:
    return Text(text, colour)
