"""
Heroku's answers turned into facts, without asking anything.

Shapes of the answers: the Platform API reference (devcenter.heroku.com/articles/platform-api-reference) and, for the
Data API, what the Heroku CLI reads (github.com/heroku/cli, commands under pg:).
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from heroku_changeover.reach.answers import reads
from heroku_changeover.reach.loopback import is_loopback
from heroku_changeover.terms.facts import App, Attachment, Database, Dyno, ProcessType, plan_without_service

Json = Any
SIZES = {"bytes": 1, "KB": 2**10, "MB": 2**20, "GB": 2**30, "TB": 2**40}


@reads("an app")
def app_in(name: str, read: Mapping[str, Json]) -> App:
    """Whatever is changed is addressed by this name, so an answer about another app is refused."""
    if read[""]["name"] != name:
        raise ValueError(f"it is not about {name}")
    row, space = read[""], read[""].get("space") or {}
    generation = row.get("generation") or "cedar"
    return App(
        id=text(row["id"]),
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
        ProcessType(text(r["type"]), int(r["quantity"]), text(r["size"]))
        for r in sorted(rows, key=lambda r: str(r["type"]))
    )


@reads("dynos")
def dynos_from(rows: Iterable[Json]) -> tuple[Dyno, ...]:
    return tuple(Dyno(text(r["name"]), text(r["type"]), text(r["state"]), _boot_seconds(r)) for r in rows)


def text(value: Json) -> str:
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
            text(r["id"]),
            text(r["name"]),
            None if r.get("namespace") is None else text(r["namespace"]),
            text(r["addon"]["id"]),
            text(r["addon"]["name"]),
            text(r["app"]["name"]),
        )
        for r in sorted(rows, key=lambda r: str(r["name"]))
    )


@reads("a database")
def database_in(addon: Json, attachments: list[Json], info: Json, schedules: list[Json]) -> Database:
    rows = info_rows(info)
    return Database(
        id=text(addon["id"]),
        name=text(addon["name"]),
        plan=plan_without_service(addon["plan"]["name"]),
        app=text(addon["app"]["name"]),
        state=text(addon["state"]),
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
    return None if name is None else text(name)


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


@reads("config vars")
def with_copied_vars(app: App, values: Mapping[str, str]) -> App:
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
