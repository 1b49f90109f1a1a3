"""What every database and every name is, looked up live and over SQL, and what of it has changed that must not."""

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import psycopg

from faults.identity.stage import Stage
from local_heroku.launcher import LocalHeroku, visit

GONE = {"deprovisioning", "deprovisioned"}


@dataclass(frozen=True, slots=True)
class Database:
    """One that is there: its rows, and whether its own setting makes it read-only; `follows` is a pure copy."""

    name: str
    rows: int
    sealed: bool
    follows: bool

    @property
    def held_data(self) -> bool:
        return self.rows > 0 and not self.follows


@dataclass(frozen=True, slots=True)
class Seen:
    """All databases of a case by their UUIDs, and the database of each name by the UUID of its app and itself."""

    databases: Mapping[str, Database]
    attachments: Mapping[tuple[str, str], str]

    @property
    def in_use(self) -> set[str]:
        """What is DATABASE of an app."""
        return {database for (_, name), database in self.attachments.items() if name == "DATABASE"}


@dataclass(frozen=True, slots=True)
class Leave:
    """What a command may do: remove what is aimed at, and finish the changeover from these leaders."""

    aimed: frozenset[str] = frozenset()
    leaders: frozenset[str] = frozenset()


@dataclass(slots=True)
class Verdict:
    """What was done that nobody asked for, and what else is not as promised; empty lists are good news."""

    deleted: list[str] = field(default_factory=list)
    sealed: list[str] = field(default_factory=list)
    moved: list[str] = field(default_factory=list)
    stuck: list[str] = field(default_factory=list)

    @property
    def trouble(self) -> list[str]:
        return [*self.deleted, *self.sealed, *self.moved, *self.stuck]

    def add(self, told: str, before: Seen, after: Seen, leave: Leave) -> None:
        """What a command, or a person who followed an advice, has changed."""
        self.deleted += [f"{told}: {what}" for what in deleted(before, after, leave)]
        self.sealed += [f"{told}: {what}" for what in sealed(before, after, leave)]
        self.moved += [f"{told}: {what}" for what in moved(before, after, leave)]


def look(stage: Stage) -> Seen:
    """What is there now."""
    apps, heroku = {app["id"] for app in stage.apps}, stage.heroku
    addons = [a for a in heroku.get("/addons") if a["app"]["id"] in apps and a["state"] not in GONE]
    with ThreadPoolExecutor(4) as pool:
        databases = list(pool.map(lambda addon: _database(heroku, addon), addons))
    rows = [a for a in heroku.get("/addon-attachments") if a["app"]["id"] in apps]
    names = {(a["app"]["id"], a["name"]): str(a["addon"]["id"]) for a in rows}
    return Seen({str(a["id"]): d for a, d in zip(addons, databases, strict=True)}, names)


def _database(heroku: LocalHeroku, addon: Mapping[str, Any]) -> Database:
    with psycopg.connect(heroku.database_url(addon["id"]), autocommit=True) as connection:
        looked = connection.execute(
            "SELECT to_regclass('orders') IS NOT NULL, current_setting('default_transaction_read_only') = 'on',"
            " pg_is_in_recovery()"
        ).fetchone() or (False, False, False)
        counted = connection.execute("SELECT count(*) FROM orders").fetchone() if looked[0] else None
    return Database(str(addon["name"]), int(counted[0]) if counted else 0, bool(looked[1]), bool(looked[2]))


def deleted(before: Seen, after: Seen, leave: Leave) -> Iterator[str]:
    """What is DATABASE of an app cannot be aimed at."""
    for id_, database in before.databases.items():
        aimed = id_ in leave.aimed and id_ not in before.in_use
        now = after.databases.get(id_)
        if not database.held_data or aimed:
            continue
        if now is None:
            yield f"{database.name} is gone, with {database.rows} rows"
        elif now.rows < database.rows:
            yield f"{database.name} has {now.rows} of {database.rows} rows"


def sealed(before: Seen, after: Seen, leave: Leave) -> Iterator[str]:
    """Only what a finished changeover has left is sealed, and never what is in use; a copy has its leader's setting."""
    for id_, database in after.databases.items():
        was = before.databases.get(id_)
        if (
            database.follows
            or not database.sealed
            or (was and was.sealed and not (id_ in after.in_use and id_ not in before.in_use))
        ):
            continue
        if id_ in after.in_use or id_ not in leave.leaders:
            yield f"{database.name} is read-only by its own setting{' and in use' * (id_ in after.in_use)}"


def moved(before: Seen, after: Seen, leave: Leave) -> Iterator[str]:
    for (app, name), old in before.attachments.items():
        new = after.attachments.get((app, name))
        if new == old or old not in after.databases:  # a database that is gone is judged as such
            continue
        if old in leave.leaders and new in after.in_use:
            continue
        yield f"{name} was {before.databases[old].name} and is {_called(after, new)}"


def _called(seen: Seen, database: str | None) -> str:
    found = seen.databases.get(database or "")
    return found.name if found else "nothing"


def at_the_end(stage: Stage, all_seen: Iterable[Seen]) -> Iterator[str]:
    """Whatever was seen with data, and was not aimed at, is there; every app serves on a database that takes writes."""
    last = look(stage)
    lost = {
        database.name
        for seen in all_seen
        for id_, database in seen.databases.items()
        if database.held_data and id_ not in {*stage.aimed, *last.databases}
    }
    yield from (f"{name} is gone at the end" for name in sorted(lost))
    yield from (f"{last.databases[i].name} is DATABASE and read-only" for i in last.in_use if last.databases[i].sealed)
    yield from down(stage)


def down(stage: Stage) -> list[str]:
    """What users of the apps see that is no answer of the app."""
    seen = [(app["name"], visit(app["web_url"])[0]) for app in stage.apps]
    return [f"the app {name} answers {status}" for name, status in seen if status != 200]
