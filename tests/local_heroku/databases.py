"""The rules of Heroku Postgres: what may be made, followed, unfollowed, and what an attachment change means."""

import asyncio
import secrets
from typing import Any

from local_heroku import attaching, refusals, releases, roles
from local_heroku.info import fork_follow
from local_heroku.plans import ESSENTIAL, SERVICE, Plan, plan_named, sizes_below, tier_of
from local_heroku.postgres import Cluster, Server
from local_heroku.world import Addon, App, World

WORDS = ("round", "curved", "polished", "shaped", "vertical", "graceful")


MOST_BELOW, FEWEST_BELOW = 4, 1
"""How many plan sizes a follower may be below its leader, and one on a `-0` plan (dev center: follower databases)."""


def new_name() -> str:
    return f"postgresql-{secrets.choice(WORDS)}-{10_000 + secrets.randbelow(90_000)}"


async def create(world: World, cluster: Cluster, app: App, body: dict[str, Any]) -> Addon:
    """POST /apps/A/addons: the add-on is there at once, its database later."""
    plan = _plan_of(body)
    name = body.get("name") or new_name()
    if any(a.name == name for a in world.addons.values()):
        raise refusals.invalid(f"Name {name} is already taken.")
    leader = await _leader_of(world, app, body, plan)
    addon = Addon(name, app, SERVICE, plan, leader=leader, known=False)
    wanted = {"name": (body.get("attachment") or {}).get("name"), "confirm": body.get("confirm")}
    attaching.refuse_unconfirmed(world, app, wanted)
    world.addons[addon.id] = addon
    attaching.attach(world, app, addon, wanted)
    world.in_background(_provision_or_fail(world, cluster, addon))
    return addon


def _plan_of(body: dict[str, Any]) -> Plan:
    given = body.get("plan")
    name = str(given.get("name") if isinstance(given, dict) else given)
    plan = plan_named(name)
    if plan is None:
        raise refusals.no_plan(name)
    return plan


async def _leader_of(world: World, app: App, body: dict[str, Any], plan: Plan) -> Addon | None:
    """The database to follow, if following it is allowed (dev center: heroku-postgres-follower-databases)."""
    key = (body.get("config") or {}).get("follow")
    if not key:
        return None
    leader = find(world, app, str(key))
    if leader is None:
        raise refusals.by_provider(plan.full_name, f"could not find the database {key} to follow")
    reason = await _why_not_followed(leader, plan)
    if reason:
        raise refusals.by_provider(plan.full_name, reason)
    return leader


async def _why_not_followed(leader: Addon, plan: Plan) -> str | None:
    if not (leader.plan.can_follow and plan.can_follow):
        return f"followers are not supported between {leader.plan.name} and {plan.name}"
    if leader.leader is not None:
        return f"{leader.name} is itself a follower"
    if fork_follow(leader) != "Available":
        return f"{leader.name} can not be followed yet: {fork_follow(leader)}"
    tiers = tier_of(leader.plan), tier_of(plan)
    if tiers[0] != tiers[1] and ("shield" in tiers or tiers[0] == "private"):
        return f"a {tiers[1]} database cannot follow a {tiers[0]} one"
    below = sizes_below(leader.plan, plan)
    if below > (FEWEST_BELOW if plan.name.endswith("-0") else MOST_BELOW):
        return f"{plan.name} is {below} plan sizes below {leader.plan.name}"
    if leader.server is not None and await leader.server.size() > plan.limit:
        return f"the data of {leader.name} does not fit on {plan.name}"
    return None


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


async def _provision_or_fail(world: World, cluster: Cluster, addon: Addon) -> None:
    """
    An add-on that cannot be provisioned ends as `deprovisioned`, and its config vars never appear.

    How long Heroku goes on listing it is not published; here that is until it is deleted.
    """
    if not addon.app.orders_to_fail:
        await provision(world, cluster, addon)
        return
    addon.app.orders_to_fail -= 1
    await world.latency.take("follower" if addon.leader else "provision")
    addon.state, addon.leader = "deprovisioned", None
    world.event("not provisioned", addon=addon.name)


async def provision(world: World, cluster: Cluster, addon: Addon) -> None:
    """Makes the server; only then do the config vars appear, with a release of their own."""
    if addon.leader is not None and addon.leader.server is not None:
        await world.latency.take("follower")
        addon.waiting = "preparing"
        addon.server = await addon.leader.server.follow(cluster.next_folder())
        addon.credentials = dict(addon.leader.credentials)  # roles are the whole server's, so they come along
        world.in_background(_settle(world, addon))
    else:
        await world.latency.take("provision")
        addon.server = await new_server(cluster, addon.plan)
    addon.state, addon.known = "provisioned", True
    names = ", ".join(addon.config_vars)
    releases.announce(world, addon.app, f"@ref:{addon.name} completed provisioning, setting {names}.")
    world.event("provisioned", addon=addon.name)


async def new_server(cluster: Cluster, plan: Plan) -> Server:
    server = await cluster.new_server()
    await roles.create_default(server, shared=tier_of(plan) in ESSENTIAL)
    return server


async def create_credential(world: World, addon: Addon, name: str) -> None:
    """Another role on the server of a leader, and so on those of its followers."""
    if name in {"default", *addon.credentials}:
        raise refusals.Refusal(400, "bad_request", f"The credential {name} already exists on {addon.name}.")
    if addon.server is None:
        raise refusals.not_found("database")
    password = secrets.token_hex(16)
    await roles.create_credential(addon.server, name, password)
    for known in (addon, *world.followers_of(addon)):
        known.credentials[name] = password


async def _settle(world: World, addon: Addon) -> None:
    """A follower is provisioned before it is available."""
    await world.latency.take("settle")
    addon.waiting = ""


async def unfollow(world: World, addon: Addon) -> None:
    """Asynchronous, as on Heroku: waiting for a while, then really promoted."""
    if addon.leader is None:
        raise refusals.unprocessable(f"{addon.name} is not following another database")
    if addon.waiting:
        raise refusals.unprocessable(f"{addon.name} is not available: {addon.waiting}")
    addon.waiting = "unfollowing"
    world.event("unfollow asked", addon=addon.name)
    world.in_background(_promote(world, addon))


async def _promote(world: World, addon: Addon) -> None:
    await world.latency.take("unfollow")
    if addon.server is not None:
        await addon.server.promote()
    addon.forked_from, addon.leader = addon.leader, None
    addon.fork_follow_at = asyncio.get_running_loop().time() + world.latency.draw("fork_follow")
    world.event("promoted", addon=addon.name)
    await world.latency.take("unfollowed")
    addon.waiting = ""
    world.event("unfollowed", addon=addon.name)


async def destroy(world: World, addon: Addon) -> None:
    """At once, or as `deprovisioning` until it is gone, when Heroku takes its time over it."""
    seconds = world.latency.draw("deprovision")
    if not seconds:
        await _remove(world, addon)
    elif addon.state != "deprovisioning":
        addon.state = "deprovisioning"
        world.in_background(_remove_later(world, addon, seconds))


async def _remove_later(world: World, addon: Addon, seconds: float) -> None:
    await asyncio.sleep(seconds)
    await _remove(world, addon)


async def _remove(world: World, addon: Addon) -> None:
    """Every attachment goes, each with a release, then the server."""
    for attachment in world.attachments_to(addon):
        del world.attachments[attachment.id]
        releases.announce(world, attachment.app, f"Detach {attachment.name} (@ref:{addon.name})")
    del world.addons[addon.id]
    addon.state = "deprovisioned"
    world.event("destroyed", addon=addon.name)
    if addon.server is not None:
        world.in_background(addon.server.remove())
