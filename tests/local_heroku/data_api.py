"""The Data API of Heroku Postgres, as far as the Heroku CLI and a changeover call it."""

from local_heroku import attaching, databases, refusals
from local_heroku.call import Answer, Call
from local_heroku.info import info_of
from local_heroku.postgres import Server
from local_heroku.world import Addon, new_id

POOL = "connection-pooling:default"
DAYS = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"]


def _known(addon: Addon) -> Server:
    """
    The server of a database. While an add-on is being provisioned the Data API does not know it: 404 without a message,
    which is the form that lets `heroku pg:wait` go on waiting (the real body is not published).
    """
    if addon.server is None or not addon.known:
        raise refusals.Refusal(404, "", "")
    return addon.server


async def show(c: Call) -> Answer:
    _known(c.addon)
    return 200, await info_of(c.world, c.addon)


async def wait_status(c: Call) -> Answer:
    addon = c.addon
    _known(addon)
    if addon.trouble:
        return 200, {"message": addon.trouble, "waiting?": False, "error?": True}
    return 200, {"message": addon.waiting or "available", "waiting?": bool(addon.waiting)}


async def unfollow(c: Call) -> Answer:
    await databases.unfollow(c.world, c.addon)
    return 200, {"message": f"{c.addon.name} unfollowing"}


async def followers(c: Call) -> Answer:
    return 200, [await info_of(c.world, f) for f in c.world.followers_of(c.addon) if f.server]


async def schedules(c: Call) -> Answer:
    return 200, c.addon.schedules


async def add_schedule(c: Call) -> Answer:
    body = c.body
    if not {"hour", "timezone", "schedule_name"} <= set(body):
        raise refusals.unprocessable("hour, timezone and schedule_name are required")
    row = {"uuid": new_id(), "name": body["schedule_name"], "hour": int(body["hour"]), "timezone": body["timezone"]}
    kept = {"days": DAYS, "retain_weeks": 1, "retain_months": 0, "callback_url": f"{c.world.origin}/backups"}
    c.addon.schedules.append({**row, **kept})
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
    """Pooling is switched on for the database, and the app gets an attachment to it."""
    addon = c.addon
    addon.pooling = True
    app = c.world.app(str(c.body["app"]))
    name = str(c.body.get("name") or "DATABASE_CONNECTION_POOL")
    attaching.attach(c.world, app, addon, {"name": name, "namespace": POOL, "confirm": app.name})
    return 201, {"name": name}


def _credentials(addon: Addon) -> dict[str, dict[str, object]]:
    server = _known(addon)
    roles = {"default": (server.role, server.password), **{n: (n, p) for n, p in addon.credentials.items()}}
    return {name: _credential(addon, server, name, *role) for name, role in roles.items()}


async def credentials(c: Call) -> Answer:
    return 200, list(_credentials(c.addon).values())


async def show_credential(c: Call) -> Answer:
    found = _credentials(c.addon).get(c.words["name"])
    if found is None:
        raise refusals.not_found("credential")
    return 200, found


def _credential(addon: Addon, server: Server, name: str, user: str, password: str) -> dict[str, object]:
    secret = {"user": user, "password": password, "state": "active"}
    row = {"uuid": addon.id, "name": name, "state": "active", "database": server.database, "host": server.host}
    return {**row, "port": server.port, "credentials": [secret]}


async def create_credential(c: Call) -> Answer:
    addon = c.addon
    server, name = _known(addon), str(c.body["name"])
    await databases.create_credential(c.world, addon, name)
    return 201, _credential(addon, server, name, name, addon.credentials[name])


async def connection_reset(c: Call) -> Answer:
    """Ends every session on the database but our own, as `heroku pg:killall`."""
    server = _known(c.addon)
    await server.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE backend_type = 'client backend' AND usename <> 'postgres'"
    )
    return 200, {"message": "connections reset"}
