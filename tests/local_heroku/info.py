"""What the Data API tells of a database, in the wording in which `heroku pg:info` prints it."""

import asyncio
from typing import Any

from local_heroku import refusals
from local_heroku.plans import ESSENTIAL, tier_of
from local_heroku.world import Addon, World

WITHOUT_STANDBY = {"standard", *ESSENTIAL}
MOST_CONNECTIONS = 120
"""As a database on Standard 0 shows it; the limits of other plans are not published with the row."""

RESOLVED = ("Followers", "Following", "Forks", "Forked From")
"""Rows whose values are addresses of databases, which a client shows as names of config vars."""


def fork_follow(addon: Addon) -> str:
    """The words of the row Fork/Follow."""
    if "Fork/Follow" in addon.rows:
        return str(addon.rows["Fork/Follow"][0])
    if not addon.plan.can_follow:
        return "Unsupported"
    if addon.leader is not None:
        return "Unavailable on followers"
    at_rest = addon.server is not None and not addon.waiting
    ready = at_rest and asyncio.get_running_loop().time() >= addon.fork_follow_at
    return "Available" if ready else "Temporarily Unavailable"


async def info_of(world: World, addon: Addon) -> dict[str, Any]:
    """The object of GET /client/v11/databases/X."""
    if addon.server is None:
        raise refusals.not_found("database")
    server, leader, origin = addon.server, addon.leader, addon.forked_from
    facts = await _facts(addon)
    rows = {**await _rows(world, addon, facts), **addon.rows}
    return {
        "addon_id": addon.id,
        "name": addon.name,
        "heroku_resource_id": addon.id,
        "plan": addon.plan.name,
        "port": server.port,
        "database_name": server.database,
        "database_user": server.role,
        "database_password": server.password,
        "resource_url": server.url,
        "formation": {"id": addon.id, "primary": None},
        "metaas_source": f"source-{addon.id[:8]}",
        "metaas_server_source": f"server-{addon.id[:8]}",
        "credentials": 1 + len(addon.credentials),
        **facts,
        "available_for_ingress": not addon.waiting,
        "waiting?": bool(addon.waiting),
        "standalone?": leader is None,
        "is_in_recovery?": leader is not None,
        "hot_standby?": leader is not None,
        "following": _bare(leader) if leader else None,
        "leader": {"addon_id": leader.id, "name": leader.name} if leader else None,
        "forked_from": _bare(origin) if origin else None,
        "info": [_row(name, values) for name, values in rows.items()],
        "created_at": addon.created_at,
    }


def _row(name: str, values: list[Any]) -> dict[str, Any]:
    resolved = {"resolve_db_name": True} if name in RESOLVED else {}
    return {"name": name, "values": values, **resolved}


async def _facts(addon: Addon) -> dict[str, Any]:
    """What the server itself knows."""
    if addon.server is None:
        return {}
    ((size, version, sessions, waiting),) = await addon.server.ask(
        "SELECT (SELECT sum(pg_database_size(oid))::bigint FROM pg_database), current_setting('server_version'),"
        " count(*) FILTER (WHERE usename <> 'postgres'), count(*) FILTER (WHERE wait_event_type = 'Lock')"
        " FROM pg_stat_activity WHERE backend_type = 'client backend'"
    )
    return {
        "num_bytes": int(size),
        "num_tables": await addon.server.tables(),
        "num_connections": int(sessions),
        "num_connections_waiting": int(waiting),
        "postgres_version": str(version).split()[0],
        "current_transaction": None,
        "target_transaction": None,
    }


async def _rows(world: World, addon: Addon, facts: dict[str, Any]) -> dict[str, list[Any]]:
    size, limit, created = facts["num_bytes"], addon.plan.limit, addon.created_at[:16].replace("T", " ") + " UTC"
    rows: dict[str, list[Any]] = {
        "Plan": [addon.plan.name.replace("-", " ").title()],
        "Status": ["Available" if not addon.waiting else addon.waiting.capitalize()],
        "HA Status": [] if tier_of(addon.plan) in WITHOUT_STANDBY else ["Available"],
        "Data Size": [f"{size / 2**20:.1f} MB / {limit / 2**30:.0f} GB ({100 * size / limit:.2f}%)"],
        "Tables": [facts["num_tables"]],
        "PG Version": [facts["postgres_version"]],
        "Connections": [f"{facts['num_connections']}/{MOST_CONNECTIONS}"],
        "Connection Pooling": ["Available"],
        "Credentials": [1 + len(addon.credentials)],
        "Fork/Follow": [fork_follow(addon)],
        "Rollback": [f"earliest from {created}"] if addon.plan.can_follow else [],
        "Created": [created],
        "Region": ["us"],
        "Data Encryption": ["In Use"],
        "Continuous Protection": ["On" if addon.leader is None else "On (on leader)"],
    }
    due = addon.maintenance.get("required_by")
    maintenance = f"required by {due}" if due else "not required"
    return {
        **rows,
        **await _relations(world, addon),
        "Maintenance": [maintenance],
        "Maintenance window": [addon.window],
    }


async def _relations(world: World, addon: Addon) -> dict[str, list[Any]]:
    """Who follows whom and how far behind, and who was cut off from whom, in the order of `heroku pg:info`."""
    forks = [other for other in world.addons.values() if other.forked_from is addon]
    rows = {"Followers": _addresses(world.followers_of(addon)), **await _following(addon), "Forks": _addresses(forks)}
    rows["Forked From"] = _addresses([addon.forked_from] if addon.forked_from else [])
    return {name: values for name, values in rows.items() if values}


async def _following(addon: Addon) -> dict[str, list[Any]]:
    """How far behind is not told while a follower is not available; that is unknown then, and not zero."""
    leader, server = addon.leader, addon.server
    if leader is None or leader.server is None or server is None:
        return {}
    if addon.waiting:
        return {"Following": [_bare(leader)]}
    return {"Following": [_bare(leader)], "Behind By": [f"{await server.commits_behind(leader.server)} commits"]}


def _addresses(addons: list[Addon]) -> list[str]:
    return [_bare(addon) for addon in addons if addon.server is not None]


def _bare(addon: Addon) -> str:
    """A database's address without user and password, as the Data API names other databases."""
    server = addon.server
    return f"postgres://{server.host}:{server.port}/{server.database}" if server else ""
