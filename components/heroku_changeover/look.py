"""
The look at Heroku: read-only, concurrent, and the only place that turns Heroku's answers into facts.

Shapes of the answers: the Platform API reference (devcenter.heroku.com/articles/platform-api-reference) and, for the
Data API, what the Heroku CLI reads (github.com/heroku/cli, commands under pg:).
"""

import os
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import datetime
from functools import partial
from typing import Any
from urllib.parse import urlsplit

from heroku_changeover.errors import Forbidden, HerokuError, NotFound, Refused
from heroku_changeover.facts import (
    GONE,
    SERVICE,
    App,
    Attachment,
    Database,
    Dyno,
    Facts,
    ProcessType,
    plan_without_service,
)
from heroku_changeover.heroku import Heroku, address_from, is_loopback, reads

Json = Any
WORKERS = 16
REMEMBERED_RELEASES = 1000
"""The most that the Platform API gives in one page."""
SIZES = {"bytes": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


def look(
    apps: Sequence[str],
    environ: Mapping[str, str] = os.environ,
    likely: Sequence[str] = (),
    plan: str = "",
    ids: Collection[str] = (),
) -> Facts:
    """
    All facts that a decision about the databases of these apps needs; the first app pays for them.

    `likely` are names of add-ons that it probably has: what a database needs is asked for at once then, and not only
    when Heroku has listed the add-ons. A name that is wrong costs three requests. `plan` is the one that is wanted:
    what Heroku is about to do to a database is asked for only if it is on another one. `ids` are UUIDs of databases
    that are looked for whoever pays for them; one that is gone is left out.

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
                _with_copied_vars(app, read.result()) for (app, _), read in zip(found, variables, strict=True) if app
            ),
            databases=tuple(pool.map(partial(_with_maintenance, heroku, plan), databases)),
            plans=plans.result(),
            past_addons=past.result(),
            unreadable=tuple((name, reason) for name, (_, reason) in zip(apps, found, strict=True) if reason),
        )


def app_from(heroku: Heroku, name: str) -> App:
    """An app with its formation, dynos, attachments, features and add-on services."""
    with ThreadPoolExecutor(6) as pool:
        read = {path: pool.submit(heroku.get, f"/apps/{name}{path}") for path in _APP_PATHS}
        return _app(name, {path: future.result() for path, future in read.items()})


_APP_PATHS = ("", "/formation", "/dynos", "/addon-attachments", "/features", "/addons")


@reads("an app")
def _app(name: str, read: Mapping[str, Json]) -> App:
    """Whatever is changed is addressed by this name, so an answer about another app is refused."""
    if read[""]["name"] != name:
        raise ValueError(f"it is not about {name}")
    row, space = read[""], read[""].get("space") or {}
    generation = row.get("generation") or "cedar"
    return App(
        id=_text(row["id"]),
        name=name,
        maintenance=bool(row["maintenance"]),
        formation=formation_from(read["/formation"]),
        dynos=dynos_from(read["/dynos"]),
        attachments=attachments_from(read["/addon-attachments"]),
        generation=generation if isinstance(generation, str) else generation["name"],
        space=space.get("name"),
        shield=bool(space.get("shield")),
        features=frozenset(f["name"] for f in read["/features"] if f["enabled"]),
        services=frozenset(a["addon_service"]["name"] for a in read["/addons"]),
    )


@reads("a formation")
def formation_from(rows: Iterable[Json]) -> tuple[ProcessType, ...]:
    return tuple(
        ProcessType(_text(r["type"]), int(r["quantity"]), _text(r["size"]))
        for r in sorted(rows, key=lambda r: str(r["type"]))
    )


@reads("dynos")
def dynos_from(rows: Iterable[Json]) -> tuple[Dyno, ...]:
    return tuple(Dyno(_text(r["name"]), _text(r["type"]), _text(r["state"]), _boot_seconds(r)) for r in rows)


def _text(value: Json) -> str:
    """A name or an id: what is compared and put into addresses has to be one."""
    if not isinstance(value, str):
        raise TypeError(f"{value} is not a text")
    return value


def _boot_seconds(row: Json) -> float | None:
    """
    From its creation to the last change of its state, in whole seconds, which for a dyno that is up is its boot
    (devcenter: platform-api-reference, dyno); a hint, so what cannot be read is no error.
    """
    if row["state"] != "up":
        return None
    try:
        created, up = (datetime.fromisoformat(row[key]) for key in ("created_at", "updated_at"))
        return (up - created).total_seconds()
    except (KeyError, TypeError, ValueError):
        return None


@reads("attachments")
def attachments_from(rows: Iterable[Json]) -> tuple[Attachment, ...]:
    return tuple(
        Attachment(
            _text(r["id"]),
            _text(r["name"]),
            None if r.get("namespace") is None else _text(r["namespace"]),
            _text(r["addon"]["id"]),
            _text(r["addon"]["name"]),
            _text(r["app"]["name"]),
        )
        for r in sorted(rows, key=lambda r: str(r["name"]))
    )


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
    return addon["state"] not in GONE


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
        return _text(Heroku(address_from(environ)).get(f"/apps/{app_id}")["name"])
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
        return _database(row, *(part.result() for part in parts))


def database_from(heroku: Heroku, addon: Json, asked: "list[Future[Json]] | None" = None) -> Database:
    """
    A database from its add-on row, its attachments in all apps and what the Data API says of it; `asked` are those
    answers, where they are under way already.
    """
    with ThreadPoolExecutor(3) as pool:
        parts = asked or _parts(heroku, pool, str(addon["id"]))
        return _database(addon, *(part.result() for part in parts))


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


@reads("a database")
def _database(addon: Json, attachments: list[Json], info: Json, schedules: list[Json]) -> Database:
    rows = info_rows(info)
    return Database(
        id=_text(addon["id"]),
        name=_text(addon["name"]),
        plan=plan_without_service(addon["plan"]["name"]),
        app=_text(addon["app"]["name"]),
        state=_text(addon["state"]),
        attachments=attachments_from(attachments),
        is_known=bool(info),
        is_follower=bool(info.get("following")),
        following=_leader_name(info),
        waiting=bool(info.get("waiting?")),
        behind_by=behind_by(rows),
        fork_follow=str(first(rows, "Fork/Follow")),
        maintenance=str(first(rows, "Maintenance")),
        data_bytes=_data_bytes(info, rows),
        followers=tuple(str(v) for v in rows.get("Followers", ())),
        schedules=tuple(sorted(str(s["name"]) for s in schedules)),
    )


def _leader_name(info: Json) -> str | None:
    name = (info.get("leader") or {}).get("name") if info.get("following") else None
    return None if name is None else _text(name)


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


def info_rows(info: Json) -> dict[str, list[Json]]:
    """The rows that `heroku pg:info` prints, by their names."""
    return {row["name"]: row.get("values") or [] for row in info.get("info") or []}


def first(rows: Mapping[str, list[Json]], name: str) -> Json:
    return next(iter(rows.get(name) or ()), "")


def behind_by(rows: Mapping[str, list[Json]]) -> int | None:
    """Commits that a follower is behind; a missing row means unknown, not zero."""
    match = re.match(r"\d+", str(first(rows, "Behind By")))
    return int(match[0]) if match else None


def _data_bytes(info: Json, rows: Mapping[str, list[Json]]) -> int | None:
    """From `39.9 MB / 64 GB (0.06%)`, or the `16.3 GB` that older plans show."""
    match = re.match(r"([\d.]+)\s*(bytes|KB|MB|GB|TB)", str(first(rows, "Data Size")))
    if match:
        return int(float(match[1]) * SIZES[match[2]])
    return int(info["num_bytes"]) if info.get("num_bytes") is not None else None


def _variables(heroku: Heroku, app: str) -> Mapping[str, str]:
    """Config vars, with the passwords in them; none for a token that may not read them, which is enough for a look."""
    try:
        values: Mapping[str, str] = heroku.get(f"/apps/{app}/config-vars")
    except (NotFound, Forbidden):
        return {}
    return values


@reads("config vars")
def _with_copied_vars(app: App, values: Mapping[str, str]) -> App:
    """
    Config vars that hold the primary's address although no attachment owns them; only their names leave this function.
    """
    if app.primary is None:
        return app
    address = place(values.get(app.primary.config_var, ""))
    return app._replace(copied_config_vars=copies_of(address, values, app.attachments))


@reads("config vars")
def copies_of(address: str, values: Mapping[str, str], attachments: Iterable[Attachment]) -> tuple[str, ...]:
    """The names of an app's config vars that hold an address although none of its attachments owns them."""
    owned = {f"{a.name}{suffix}" for a in attachments for suffix in ("_URL", "_BASTIONS", "_BASTION_KEY")}
    return tuple(sorted(n for n, v in values.items() if address and n not in owned and address in str(v)))


def place(url: str) -> str:
    """The host of a database URL, which is a database's own; on this machine, where all share it, with the port."""
    return urlsplit(url).netloc.rpartition("@")[2] if is_loopback(url) else urlsplit(url).hostname or ""
