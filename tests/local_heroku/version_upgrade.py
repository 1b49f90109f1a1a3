"""
`heroku pg:upgrade:…`: Heroku's change of PostgreSQL's version, as far as a client can see it.

There is one version of PostgreSQL here, so a database is of the same one afterwards; what is real is that a follower
is cut off from its leader by it. Ids and messages are those that the Heroku CLI's tests have; theirs that are cut short
there are not published.
"""

from local_heroku import databases, refusals
from local_heroku.call import Answer, Call
from local_heroku.plans import ESSENTIAL, tier_of
from local_heroku.world import Addon, World

STARTED = "Started the upgrade. You can monitor the progress with `heroku pg:upgrade:wait`."
SCHEDULED = "Your database is scheduled for upgrade during your next available maintenance window."


async def prepare(c: Call) -> Answer:
    addon = _leader(c.addon)
    if addon.upgrade:
        raise refusals.unprocessable("database has an upgrade already scheduled")
    addon.upgrade = "scheduled"
    return 200, {"message": SCHEDULED}


async def dry_run(c: Call) -> Answer:
    _leader(c.addon)
    return 200, {"message": "Started a test upgrade."}


async def cancel(c: Call) -> Answer:
    addon = _leader(c.addon)
    _require_scheduled(addon)
    addon.upgrade = ""
    return 200, {"message": "Your upgrade is canceled."}


async def run(c: Call) -> Answer:
    """A follower stops following and is upgraded; a leader only when that was prepared; an Essential one in place."""
    addon = c.addon
    if tier_of(addon.plan) in {"mini", "basic"}:
        raise refusals.unprocessable(f"{addon.plan.name} has no upgrade of the version.")
    if addon.leader is not None:
        await databases.unfollow(c.world, addon)
    elif tier_of(addon.plan) != "essential":
        _require_scheduled(addon)
    addon.upgrade = "running"
    c.world.in_background(_carry_out(c.world, addon))
    return 200, {"message": STARTED}


async def _carry_out(world: World, addon: Addon) -> None:
    await world.latency.take("upgrade")
    addon.upgrade = ""
    world.event("version upgraded", addon=addon.name)


async def wait_status(c: Call) -> Answer:
    running = c.addon.upgrade == "running" or bool(c.addon.waiting)
    return 200, {"message": "upgrading" if running else "available", "waiting?": running}


def _leader(addon: Addon) -> Addon:
    """Only a leader on Standard or above has its upgrade prepared."""
    if addon.leader is not None or tier_of(addon.plan) in ESSENTIAL:
        raise refusals.Refusal(400, "bad_request", f"{addon.name} is no leader on a Standard or higher plan.")
    return addon


def _require_scheduled(addon: Addon) -> None:
    if addon.upgrade != "scheduled":
        raise refusals.Refusal(400, "bad_request", "You haven't scheduled a version upgrade on your database.")
