"""
`heroku addons:upgrade`: Heroku's own change of plan, which keeps the add-on and its name.

Heroku prepares a hidden copy, then interrupts for less than a minute and goes on with the copy; followers are pointed
at it (dev center: updating-heroku-postgres-databases). Here the copy is a streaming follower, and the old server ends
by a fast shutdown, which sends what is left to the copy before it ends.
"""

import signal

from local_heroku import refusals, releases
from local_heroku.plans import plan_named, tier_of
from local_heroku.postgres import Cluster, Server
from local_heroku.world import Addon, World


def accept(world: World, cluster: Cluster, addon: Addon, name: str) -> str:
    """Starts the change, unless it is refused; returns what the provider says to it."""
    plan = plan_named(name)
    if plan is None:
        raise refusals.no_plan(name)
    if plan is addon.plan:
        return ""
    if (tier_of(plan) == "essential") != (tier_of(addon.plan) == "essential"):
        raise refusals.by_provider(
            plan.full_name, "Essential plans change only among themselves; copy the data instead"
        )
    if addon.leader is not None:
        raise refusals.by_provider(plan.full_name, f"{addon.name} is a follower")
    if addon.waiting or addon.server is None:
        raise refusals.by_provider(plan.full_name, f"{addon.name} is not available: {addon.waiting or addon.state}")
    addon.plan, addon.waiting = plan, "upgrading"
    world.event("upgrade asked", addon=addon.name, plan=plan.name)
    world.in_background(_change(world, cluster, addon, addon.server))
    return f"{addon.name} is being moved to {plan.name}; it is interrupted for less than a minute when that is ready."


async def _change(world: World, cluster: Cluster, addon: Addon, old: Server) -> None:
    copy = await old.follow(cluster.next_folder())
    await world.latency.take("upgrade")
    world.event("upgrade interrupts", addon=addon.name)
    await old.stop(signal.SIGINT)
    await copy.promote()
    for follower in world.followers_of(addon):
        if follower.server is not None:
            await follower.server.repoint(copy)
    await world.latency.take("changeover")
    addon.server, addon.waiting = copy, ""
    world.event("upgraded", addon=addon.name, plan=addon.plan.name)
    for app in {a.app.id: a.app for a in world.attachments_to(addon)}.values():
        releases.announce(world, app, f"Update {addon.name} to {addon.plan.full_name}")
    await old.remove()
