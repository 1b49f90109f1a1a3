"""The rules of Heroku Postgres: what may be made, followed, unfollowed, and what an attachment change means."""

import asyncio
import secrets
from typing import Any

from local_heroku import refusals, releases
from local_heroku.plans import SERVICE, Plan, plan_named
from local_heroku.postgres import Cluster
from local_heroku.world import Addon, App, Attachment, World

COLOURS = (
    "AMBER",
    "BLUE",
    "BRONZE",
    "COPPER",
    "CYAN",
    "GOLD",
    "GRAY",
    "GREEN",
    "JADE",
    "MAUVE",
    "NAVY",
    "OLIVE",
    "PINK",
    "RED",
)
WORDS = ("round", "curved", "polished", "shaped", "vertical", "graceful")


def new_name() -> str:
    return f"postgresql-{secrets.choice(WORDS)}-{10_000 + secrets.randbelow(90_000)}"


async def create(world: World, cluster: Cluster, app: App, body: dict[str, Any]) -> Addon:
    """POST /apps/A/addons: the add-on is there at once, its database later."""
    plan = _plan_of(body)
    name = body.get("name") or new_name()
    if any(a.name == name for a in world.addons.values()):
        raise refusals.invalid(f"Name {name} is already taken.")
    leader = _leader_of(world, app, body, plan)
    addon = Addon(name, app, SERVICE, plan, leader=leader)
    world.addons[addon.id] = addon
    attachment = Attachment((body.get("attachment") or {}).get("name") or free_name(world, app), addon, app)
    world.attachments[attachment.id] = attachment
    addon.config_vars = [f"{attachment.name}_URL"]
    releases.announce(world, app, f"Attach {attachment.name} (@ref:{addon.name})")
    world.in_background(provision(world, cluster, addon))
    return addon


def _plan_of(body: dict[str, Any]) -> Plan:
    given = body.get("plan")
    name = str(given.get("name") if isinstance(given, dict) else given)
    plan = plan_named(name)
    if plan is None:
        raise refusals.no_plan(name)
    return plan


def _leader_of(world: World, app: App, body: dict[str, Any], plan: Plan) -> Addon | None:
    """The database to follow, if following it is allowed (dev center: heroku-postgres-follower-databases)."""
    key = (body.get("config") or {}).get("follow")
    if not key:
        return None
    leader = find(world, app, str(key))
    if leader is None:
        raise refusals.by_provider(plan.full_name, f"could not find the database {key} to follow")
    reason = _why_not_followed(leader, plan)
    if reason:
        raise refusals.by_provider(plan.full_name, reason)
    return leader


def _why_not_followed(leader: Addon, plan: Plan) -> str | None:
    if not (leader.plan.can_follow and plan.can_follow):
        return f"followers are not supported between {leader.plan.name} and {plan.name}"
    if leader.leader is not None:
        return f"{leader.name} is itself a follower"
    if fork_follow(leader) != "Available":
        return f"{leader.name} can not be followed yet: {fork_follow(leader)}"
    return None


def fork_follow(addon: Addon) -> str:
    """The words of the row Fork/Follow."""
    if "Fork/Follow" in addon.rows:
        return str(addon.rows["Fork/Follow"][0])
    if not addon.plan.can_follow:
        return "Unsupported"
    if addon.leader is not None:
        return "Unavailable on followers"
    ready = addon.server is not None and asyncio.get_running_loop().time() >= addon.fork_follow_at
    return "Available" if ready else "Temporarily Unavailable"


def find(world: World, app: App, key: str) -> Addon | None:
    """A database by add-on name, attachment or config var name, `app::name`, or its URL."""
    scope, separator, name = key.rpartition("::")
    owner = world.app(scope) if separator else app
    attachment = world.attachment_named(owner, name)
    if attachment is not None:
        return attachment.addon
    return next(
        (a for a in world.addons.values() if name in {a.name, a.id} or (a.server and a.server.url == name)), None
    )


def free_name(world: World, app: App) -> str:
    """DATABASE for the first database of an app, then a colour."""
    taken = {a.name for a in world.attachments_of(app)}
    if "DATABASE" not in taken:
        return "DATABASE"
    free = [f"HEROKU_POSTGRESQL_{colour}" for colour in COLOURS]
    return next(name for name in free if name not in taken)


async def provision(world: World, cluster: Cluster, addon: Addon) -> None:
    """Makes the server; only then do the config vars appear, with a release of their own."""
    if addon.leader is not None and addon.leader.server is not None:
        addon.server = await addon.leader.server.follow(cluster.next_folder())
    else:
        addon.server = await cluster.new_server()
    addon.state = "provisioned"
    names = ", ".join(addon.config_vars)
    releases.announce(world, addon.app, f"@ref:{addon.name} completed provisioning, setting {names}.")
    world.event("provisioned", addon=addon.name)


async def unfollow(world: World, addon: Addon) -> None:
    """Asynchronous, as on Heroku: waiting for a while, then really promoted."""
    if addon.leader is None:
        raise refusals.Refusal(422, "unprocessable_entity", f"{addon.name} is not following another database")
    if addon.waiting:
        raise refusals.Refusal(422, "unprocessable_entity", f"{addon.name} is being unfollowed already")
    addon.waiting = True
    world.event("unfollow asked", addon=addon.name)
    world.in_background(_promote(world, addon))


async def _promote(world: World, addon: Addon) -> None:
    await asyncio.sleep(world.unfollow_pause)
    if addon.server is not None:
        await addon.server.promote()
    addon.forked_from, addon.leader = addon.leader, None
    addon.fork_follow_at = asyncio.get_running_loop().time() + world.fork_follow_pause
    world.event("promoted", addon=addon.name)
    await asyncio.sleep(world.unfollow_pause)
    addon.waiting = False


async def destroy(world: World, addon: Addon) -> None:
    """Every attachment goes, each with a release, then the server."""
    for attachment in world.attachments_to(addon):
        del world.attachments[attachment.id]
        releases.announce(world, attachment.app, f"Detach {attachment.name} (@ref:{addon.name})")
    del world.addons[addon.id]
    addon.state = "deprovisioned"
    world.event("destroyed", addon=addon.name)
    if addon.server is not None:
        world.in_background(addon.server.remove())


def attach(world: World, app: App, addon: Addon, body: dict[str, Any]) -> Attachment:
    """
    POST /addon-attachments: a name that is taken is replaced when the app's name is given as confirmation.

    A replacement makes two releases, Detach and then Attach; there is no release that does both.
    """
    name, namespace = body.get("name") or free_name(world, app), body.get("namespace")
    taken = next((a for a in world.attachments_of(app) if a.name == name), None)
    if taken is not None:
        _detach_for_replacement(world, app, taken, body.get("confirm"))
    attachment = Attachment(name, addon, app, namespace)
    world.attachments[attachment.id] = attachment
    if namespace is None and addon.app is app:
        addon.config_vars = sorted({*addon.config_vars, f"{name}_URL"})
    releases.announce(world, app, f"Attach {name} (@ref:{addon.name})")
    return attachment


def _detach_for_replacement(world: World, app: App, taken: Attachment, confirm: Any) -> None:
    if confirm != app.name:
        raise refusals.confirmation_required(app.name, f"{taken.name} is already attached to {taken.addon.name}.")
    refuse_last(world, taken)
    del world.attachments[taken.id]
    _forget_var(taken)
    releases.announce(world, app, f"Detach {taken.name} (@ref:{taken.addon.name})")


def _forget_var(gone: Attachment) -> None:
    if gone.addon.app is gone.app:
        gone.addon.config_vars = [v for v in gone.addon.config_vars if v != f"{gone.name}_URL"]


def refuse_last(world: World, attachment: Attachment) -> None:
    """The last attachment of an add-on on the app that pays for it cannot be taken away."""
    addon, app = attachment.addon, attachment.app
    if addon.app is app and [a for a in world.attachments_to(addon) if a.app is app] == [attachment]:
        raise refusals.last_billing_attachment(attachment.name, app.name, addon.name)


def detach(world: World, attachment: Attachment) -> None:
    refuse_last(world, attachment)
    del world.attachments[attachment.id]
    _forget_var(attachment)
    releases.announce(world, attachment.app, f"Detach {attachment.name} (@ref:{attachment.addon.name})")


async def info(world: World, addon: Addon) -> dict[str, Any]:
    """What the Data API says of a database; wording of the rows as `heroku pg:info` prints them."""
    if addon.server is None:
        raise refusals.not_found("database")
    server, leader, origin = addon.server, addon.leader, addon.forked_from
    ((size, version),) = await server.ask(
        "SELECT sum(pg_database_size(oid))::bigint, current_setting('server_version') FROM pg_database"
    )
    rows = {**await _rows(world, addon, int(size), str(version)), **addon.rows}
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
        "num_bytes": int(size),
        "num_connections": 0,
        "postgres_version": version,
        "available_for_ingress": not addon.waiting,
        "waiting?": addon.waiting,
        "is_in_recovery?": leader is not None,
        "hot_standby?": leader is not None,
        "following": _bare(leader) if leader else None,
        "leader": {"addon_id": leader.id, "name": leader.name} if leader else None,
        "forked_from": _bare(origin) if origin else None,
        "info": [{"name": name, "values": values} for name, values in rows.items()],
        "created_at": addon.created_at,
    }


async def _rows(world: World, addon: Addon, size: int, version: str) -> dict[str, list[Any]]:
    limit = addon.plan.limit
    rows: dict[str, list[Any]] = {
        "Plan": [addon.plan.name.replace("-", " ").title()],
        "Status": ["Unavailable" if addon.waiting else "Available"],
        "Data Size": [f"{size / 2**20:.1f} MB / {limit / 2**30:.0f} GB ({100 * size / limit:.2f}%)"],
        "PG Version": [version],
        "Connection Pooling": ["Available"],
        "Credentials": [1],
        "Fork/Follow": [fork_follow(addon)],
        "Maintenance": ["not required"],
    }
    followers = [_bare(f) for f in world.followers_of(addon) if f.server]
    if followers:
        rows["Followers"] = followers
    if addon.leader is not None and addon.leader.server is not None and addon.server is not None:
        rows["Following"] = [_bare(addon.leader)]
        rows["Behind By"] = [f"{await addon.server.commits_behind(addon.leader.server)} commits"]
    if addon.forked_from is not None:
        rows["Forked From"] = [_bare(addon.forked_from)]
    return rows


def _bare(addon: Addon) -> str:
    """A database's address without user and password, as the Data API names other databases."""
    server = addon.server
    return f"postgres://127.0.0.1:{server.port}/{server.database}" if server else ""
