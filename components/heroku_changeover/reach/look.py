"""The look at Heroku: read-only and concurrent."""

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextvars import copy_context
from functools import partial

from heroku_changeover.reach.address import address_from
from heroku_changeover.reach.answers import reads
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.reading import Json, app_in, database_in, text, with_copied_vars
from heroku_changeover.terms.errors import Forbidden, HerokuError, NotFound, Refused
from heroku_changeover.terms.facts import (
    LEAVING,
    SERVICE,
    App,
    Database,
    Facts,
    plan_without_service,
)

WORKERS = 16

REMEMBERED_RELEASES = 1000
"""The most that the Platform API gives in one page."""


def look(
    apps: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    likely: Sequence[str] = (),
    plan: str = "",
    ids: Collection[str] = (),
) -> Facts:
    """
    All facts that a decision about the databases of these apps needs; the first app pays for them.

    `likely` are names of add-ons that the first app probably has: they are asked about at once, and not only when
    Heroku has listed the add-ons. A name that is wrong costs three requests. `plan` is the wanted one: of a database on
    another plan it is also asked what Heroku is about to do to it. `ids` are UUIDs of databases that are looked for
    whoever pays for them; one that is gone is left out.

    Raises:
        Refused: the first app does not exist, or the token does not open it.
        HerokuError: Heroku could not be asked.
    """
    heroku = Heroku(address_from(environ))
    with ThreadPoolExecutor(WORKERS) as pool:
        plans = pool.submit(_plans, heroku)
        own = pool.submit(_addons_paid_by, heroku, apps[0])
        asked = {name: _parts(heroku, pool, name) for name in likely}
        past = pool.submit(_past_addons, heroku, apps[0])
        variables = [pool.submit(_variables, heroku, name) for name in apps]
        found = list(pool.map(lambda name: _app_or_reason(heroku, name), apps))
        readable = tuple(app for app, _ in found if app)
        if found[0][0] is None:
            raise Refused(f"app {apps[0]}: {found[0][1]}")
        rows = _with_others(heroku, own.result(), readable, ids)
        databases = pool.map(lambda row: database_from(heroku, row, asked.get(str(row.get("name")))), rows)
        return Facts(
            apps=tuple(
                with_copied_vars(app, read.result()) for (app, _), read in zip(found, variables, strict=True) if app
            ),
            databases=tuple(pool.map(partial(_with_maintenance, heroku, plan), databases)),
            plans=plans.result(),
            past_addons=past.result(),
            unreadable=tuple((name, reason) for name, (_, reason) in zip(apps, found, strict=True) if reason),
        )


def app_from(heroku: Heroku, name: str) -> App:
    """An app with its formation, dynos, attachments, features and add-on services."""
    with ThreadPoolExecutor(6) as pool:
        read = {path: pool.submit(copy_context().run, heroku.get, f"/apps/{name}{path}") for path in _APP_PATHS}
        return app_in(name, {path: future.result() for path, future in read.items()})


_APP_PATHS = ("", "/formation", "/dynos", "/addon-attachments", "/features", "/addons")


def _app_or_reason(heroku: Heroku, name: str) -> tuple[App | None, str]:
    try:
        return app_from(heroku, name), ""
    except NotFound:
        return None, "there is no such app, or this token does not open it"
    except Forbidden as error:
        return None, f"this token lacks rights on it ({error.message})"


@reads("add-ons")
def _addons_paid_by(heroku: Heroku, app: str) -> list[Json]:
    try:
        rows = heroku.get(f"/apps/{app}/addons")
    except (NotFound, Forbidden):
        return []  # the app itself is reported with its reason
    return [a for a in rows if _is_live(a) and a["addon_service"]["name"] == SERVICE and a["app"]["name"] == app]


def _is_live(addon: Json) -> bool:
    """One that Heroku could not provision, or that is being removed, may still be listed, but never becomes any use."""
    return addon["state"] not in LEAVING


@reads("an add-on")
def _with_others(heroku: Heroku, own: list[Json], apps: Iterable[App], ids: Collection[str]) -> list[Json]:
    """The app's own databases, the primary of each app that another app pays for, and those that have these UUIDs."""
    primaries = {a.primary.addon_id for a in apps if a.primary}
    rows = [_addon(heroku, addon_id) for addon_id in sorted({*primaries, *ids} - {a["id"] for a in own})]
    return own + [r for r in rows if r is not None and _is_live(r) and r["addon_service"]["name"] == SERVICE]


def _addon(heroku: Heroku, addon_id: str) -> Json | None:
    try:
        return heroku.get(f"/addons/{addon_id}")
    except NotFound:
        return None


@reads("an app")
def name_of_app(app_id: str, environ: Mapping[str, str] = os.environ) -> str:
    """
    What an app is called today, by its UUID; empty where it is gone.

    Raises:
        HerokuError: Heroku could not be asked.
    """
    try:
        return text(Heroku(address_from(environ)).get(f"/apps/{app_id}")["name"])
    except NotFound:
        return ""


@reads("releases")
def _past_addons(heroku: Heroku, app: str) -> frozenset[str]:
    """Every release that an attachment made names its add-on, as in `Attach DATABASE (@ref:postgresql-round-12345)`."""
    try:
        releases = heroku.newest(f"/apps/{app}/releases", REMEMBERED_RELEASES)
    except (NotFound, Forbidden):
        return frozenset()
    return frozenset(name for r in releases for name in re.findall(r"@ref:([\w-]+)", str(r["description"])))


@reads("plans")
def _plans(heroku: Heroku) -> tuple[str, ...]:
    rows = heroku.get(f"/addon-services/{SERVICE}/plans")
    return tuple(sorted(plan_without_service(r["name"]) for r in rows))


def database_named(heroku: Heroku, name: str) -> Database | None:
    """A database by its add-on name, everything about it asked for at once; None when there is none."""
    with ThreadPoolExecutor(4) as pool:
        addon, parts = pool.submit(heroku.get, f"/addons/{name}"), _parts(heroku, pool, name)
        try:
            row = addon.result()
        except NotFound:
            return None
        return database_in(row, *(part.result() for part in parts))


def database_from(heroku: Heroku, addon: Json, asked: "list[Future[Json]] | None" = None) -> Database:
    """
    A database from its add-on row, its attachments in all apps and what the Data API says of it; `asked` are those
    answers, where they are under way already.
    """
    with ThreadPoolExecutor(3) as pool:
        parts = asked or _parts(heroku, pool, str(addon["id"]))
        return database_in(addon, *(part.result() for part in parts))


def _parts(heroku: Heroku, pool: ThreadPoolExecutor, key: str) -> "list[Future[Json]]":
    """Attachments, info and backup schedules; both APIs take an add-on's id or its name."""
    data = f"/client/v11/databases/{key}"
    return [
        pool.submit(heroku.get, f"/addons/{key}/addon-attachments"),
        pool.submit(_data, heroku, data, {}),
        pool.submit(_data, heroku, f"{data}/transfer-schedules", []),
    ]


def _data(heroku: Heroku, path: str, otherwise: Json) -> Json:
    """The Data API does not know an add-on that is still being made, nor one of the newest tier."""
    try:
        return heroku.data(path) or otherwise
    except HerokuError as error:
        if error.status in {400, 404, 422}:
            return otherwise
        raise


@reads("Heroku's maintenance")
def _with_maintenance(heroku: Heroku, wanted: str, database: Database) -> Database:
    """
    What Heroku itself is about to do to a database, which may replace its server, in a few words, such as `running` or
    `pending, required by 2026-12-01`; without them, those of the info row.
    """
    if database.plan == wanted:
        return database
    told = _data(heroku, f"/data/maintenances/v1/{database.id}", {})
    words = [str(told.get("status") or ""), *(f"{k.replace('_', ' ')} {told[k]}" for k in _DUE if told.get(k))]
    due = ", ".join(w for w in words if w not in _NO_MAINTENANCE)
    return database._replace(maintenance=due or database.maintenance)


_DUE = ("scheduled_for", "required_by")
_NO_MAINTENANCE = frozenset({"", "none", "completed", "unknown"})


def _variables(heroku: Heroku, app: str) -> Mapping[str, str]:
    """Config vars, with the passwords in them; none for a token that may not read them, which is enough for a look."""
    try:
        values: Mapping[str, str] = heroku.get(f"/apps/{app}/config-vars")
    except (NotFound, Forbidden):
        return {}
    return values
