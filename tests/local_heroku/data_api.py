"""The Data API of Heroku Postgres, as far as the Heroku CLI and a changeover call it."""

from local_heroku import databases, refusals
from local_heroku.platform_api import Answer, Call
from local_heroku.world import new_id


async def show(c: Call) -> Answer:
    return 200, await databases.info(c.world, c.addon)


async def wait_status(c: Call) -> Answer:
    """404 while the database is not known yet, as while an add-on is still being provisioned."""
    addon = c.addon
    if addon.server is None:
        raise refusals.not_found("database")
    return 200, {"message": "unfollowing" if addon.waiting else "available", "waiting?": addon.waiting}


async def unfollow(c: Call) -> Answer:
    await databases.unfollow(c.world, c.addon)
    return 200, {"message": f"{c.addon.name} unfollowing"}


async def followers(c: Call) -> Answer:
    return 200, [await databases.info(c.world, f) for f in c.world.followers_of(c.addon) if f.server]


async def schedules(c: Call) -> Answer:
    return 200, c.addon.schedules


async def add_schedule(c: Call) -> Answer:
    body = c.body
    if not {"hour", "timezone", "schedule_name"} <= set(body):
        raise refusals.Refusal(422, "unprocessable_entity", "hour, timezone and schedule_name are required")
    row = {"uuid": new_id(), "name": body["schedule_name"], "hour": body["hour"], "timezone": body["timezone"]}
    c.addon.schedules.append({**row, "days": [], "retain_weeks": 1, "retain_months": 0})
    return 201, c.addon.schedules[-1]


async def drop_schedule(c: Call) -> Answer:
    gone = [s for s in c.addon.schedules if s["uuid"] == c.words["schedule"]]
    if not gone:
        raise refusals.not_found("schedule")
    c.addon.schedules.remove(gone[0])
    return 200, gone[0]


async def show_pooling(c: Call) -> Answer:
    return 200, {"status": "enabled" if c.addon.pooling else "disabled", "message": ""}


async def enable_pooling(c: Call) -> Answer:
    addon = c.addon
    addon.pooling = True
    name = str(c.body.get("name") or "DATABASE_CONNECTION_POOL")
    body = {"name": name, "namespace": "connection-pooling:default"}
    databases.attach(c.world, c.world.app(str(c.body["app"])), addon, body)
    return 201, {"name": name}


async def credentials(c: Call) -> Answer:
    server = c.addon.server
    if server is None:
        raise refusals.not_found("database")
    secret = {"user": server.role, "password": server.password, "state": "active"}
    row = {"uuid": c.addon.id, "name": "default", "state": "active", "database": server.database, "host": "127.0.0.1"}
    return 200, [{**row, "port": server.port, "credentials": [secret]}]


async def connection_reset(c: Call) -> Answer:
    """Ends every session on the database, as `heroku pg:killall`."""
    server = c.addon.server
    if server is None:
        raise refusals.not_found("database")
    await server.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
    )
    return 200, {"message": "connections reset"}


async def maintenance(c: Call) -> Answer:
    return 200, {"status": "none", "window": "Mondays 20:30 to Tuesdays 00:30 UTC", "addon": {"id": c.addon.id}}
