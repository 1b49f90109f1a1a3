"""The control endpoint: what a test sets up and looks at. It is no part of Heroku."""

import asyncio
from dataclasses import asdict
from typing import Any

import psycopg

from local_heroku import databases, dynos, refusals, releases, roles, router
from local_heroku.call import Answer, Call
from local_heroku.faults import fault_from
from local_heroku.latency import PROFILES, Latency
from local_heroku.plans import SERVICE, Plan, plan_named
from local_heroku.postgres import Server
from local_heroku.rate import CAPACITY, Bucket
from local_heroku.sample_app import SCHEMA
from local_heroku.world import SIZE, Addon, App, Attachment, ProcessType

PYTHON = "python -m local_heroku.sample_app"
UP_SECONDS = 40.0
SEED = "INSERT INTO orders (reference, source) SELECT 'seed-' || n, 'seed' FROM generate_series(1, %s) n"


async def create_app(c: Call) -> Answer:
    """
    An app that serves, with a database that has the sample app's tables; `with_database: false` makes one without, and
    with `credential` DATABASE is attached through that one, which may write.
    """
    body = c.body
    app = App(str(body["name"]))
    if any(a.name == app.name for a in c.world.apps.values()):
        raise refusals.invalid(f"Name {app.name} is already taken.")
    for kind in ("web", "worker"):
        app.formation[kind] = ProcessType(kind, f"{PYTHON} {kind}", int(body.get(kind, 0)))
    if body.get("release_phase"):
        app.formation["release"] = ProcessType("release", f"{PYTHON} release")
    app.own_vars = {str(k): str(v) for k, v in (body.get("config") or {}).items()}
    c.world.apps[app.id] = app
    await router.listen(c.world, app)
    addon = await _first_database(c, app, body) if body.get("with_database", True) else None
    releases.announce(c.world, app, "Initial release")
    await _settled(app)
    return 201, _shown(app, addon)


async def _first_database(c: Call, app: App, body: dict[str, Any]) -> Addon | None:
    """A new one; or, with `share`, the one that another app pays for."""
    if body.get("share"):
        addon = c.world.addon(str(body["share"]))
    else:
        addon = await _new_database(c, app, str(body.get("plan", "standard-0")), body.get("addon"))
        await _seed(addon, int(body.get("rows", 0)))
    namespace = await _namespace(c, addon, body.get("credential"))
    attachment = Attachment("DATABASE", addon, app, namespace)
    c.world.attachments[attachment.id] = attachment
    if addon.app is app:
        addon.config_vars = ["DATABASE_URL"]
    return addon


async def _namespace(c: Call, addon: Addon, credential: str | None) -> str | None:
    """That of a credential, which is made if it is not there yet."""
    if credential is None:
        return None
    if credential not in addon.credentials:
        await _new_credential(c, addon, credential, "write")
    return f"credential:{credential}"


async def _new_credential(c: Call, addon: Addon, name: str, rights: str) -> None:
    await databases.create_credential(c.world, addon, name)
    if addon.server is not None:
        await roles.grant(addon.server, name, rights)


async def _new_database(c: Call, app: App, plan: str, name: str | None) -> Addon:
    found = plan_named(plan)
    if found is None:
        raise refusals.no_plan(plan)
    addon = Addon(name or databases.new_name(), app, SERVICE, found, state="provisioned")
    addon.server = await databases.new_server(c.cluster, found)
    c.world.addons[addon.id] = addon
    return addon


async def _seed(addon: Addon, rows: int) -> None:
    if addon.server is None:
        return
    async with await psycopg.AsyncConnection.connect(addon.server.url) as connection:
        await connection.execute(SCHEMA)
        await connection.execute(SEED, (rows,))


async def _settled(app: App) -> None:
    """Waits until what the formation asks for is up; on a busy machine that takes a while."""
    wanted = sum(p.quantity for p in app.formation.values())
    deadline = asyncio.get_running_loop().time() + UP_SECONDS
    while asyncio.get_running_loop().time() < deadline:
        if app.running is not None and sum(d.state == "up" for d in app.dynos) >= wanted:
            return
        await asyncio.sleep(0.02)
    raise RuntimeError(f"app {app.name} did not come up: {[(d.name, d.state) for d in app.dynos]}")


def _shown(app: App, addon: Addon | None) -> dict[str, Any]:
    shown: dict[str, Any] = {"id": app.id, "name": app.name, "web_url": f"http://127.0.0.1:{app.web_port}/"}
    if addon is not None and addon.server is not None:
        shown |= {"addon": addon.name, "addon_id": addon.id, "database_url": addon.server.url}
    return shown


async def change_app(c: Call) -> Answer:
    """
    Knobs of an app: `generation`, `space`, `features`, `forbidden`, `release` (a command, None for none), `services`;
    `scheduled`, a command that Heroku Scheduler runs now, in a one-off dyno of its own kind; `orders_to_fail`, how many
    of the databases that it orders next cannot be provisioned.
    """
    app = next((a for a in c.world.apps.values() if a.name == c.words["app"]), None)
    if app is None:
        raise refusals.no_app()
    app.generation = str(c.body.get("generation", app.generation))
    app.space = c.body.get("space", app.space)
    app.features |= c.body.get("features", {})
    if "release" in c.body:
        app.formation.pop("release", None)
        if c.body["release"]:
            app.formation["release"] = ProcessType("release", str(c.body["release"]))
    if "forbidden" in c.body:
        (c.world.forbidden.add if c.body["forbidden"] else c.world.forbidden.discard)(app.name)
    app.orders_to_fail = int(c.body.get("orders_to_fail", app.orders_to_fail))
    if "scheduled" in c.body:
        await dynos.run_one_off(c.world, app, str(c.body["scheduled"]), "scheduler", SIZE)
    for service in c.body.get("services", []):
        addon = Addon(f"{service}-{app.name}", app, service, Plan("standard", 0), state="provisioned")
        c.world.addons[addon.id] = addon
    return 200, {}


async def delete_app(c: Call) -> Answer:
    """An app with its dynos and the databases that it pays for, at once: a test is done with them."""
    app = next((a for a in c.world.apps.values() if a.name == c.words["app"]), None)
    if app is None:
        return 200, {}
    del c.world.apps[app.id]
    for process_type in app.formation.values():
        process_type.quantity = 0
    await dynos.kill_all(app)
    for attachment in c.world.attachments_of(app):
        del c.world.attachments[attachment.id]
    own = [a for a in c.world.addons.values() if a.app is app]
    for addon in own:
        del c.world.addons[addon.id]
    await asyncio.gather(*(a.server.remove() for a in own if a.server is not None))
    return 200, {}


async def change_database(c: Call) -> Answer:
    """
    Knobs of a database: `rows` of its info, `hold_replay`, `schedules`, `restart`, `stop`; `waiting` and `trouble` of
    its status, `known` to the Data API, `maintenance` by Heroku; `refuses`, names and namespaces under which it cannot
    be attached; `forgets`, a credential that it does not have; the port that clients come `through`. `stall`, whether
    its processes stand still, as when the disk does; `settings` of its server, which is restarted for them, those of a
    follower before those of its leader; `listen_at`, an address of this machine that other machines see; and
    `statements`, which somebody types as the credential `as` (`default`, or one by name; as a superuser without it).
    """
    addon = c.addon
    addon.credentials.pop(str(c.body.get("forgets")), None)
    for name in ("waiting", "trouble", "known", "maintenance", "refuses", "through"):
        setattr(addon, name, c.body.get(name, getattr(addon, name)))
    addon.rows |= c.body.get("rows", {})
    addon.schedules += c.body.get("schedules", [])
    server = addon.server
    if server is not None and "hold_replay" in c.body:
        await server.hold_replay(hold=bool(c.body["hold_replay"]))
    if server is not None and c.body.get("stop"):
        await server.stop()
    if server is not None and "stall" in c.body:
        server.stall(still=bool(c.body["stall"]))
    if server is not None and "settings" in c.body:
        await server.configure(c.body["settings"])
    if server is not None and c.body.get("listen_at"):
        await server.listen_at(str(c.body["listen_at"]))
    if server is not None and c.body.get("restart"):
        await server.restart()
    if server is not None and c.body.get("statements"):
        await server.run(c.body["statements"], _role_of(addon, server, c.body.get("as")))
    return 200, {}


def _role_of(addon: Addon, server: Server, credential: str | None) -> str:
    if credential is None:
        return "postgres"
    if credential != "default" and credential not in addon.credentials:
        raise refusals.not_found("credential")
    return server.role if credential == "default" else credential


async def create_credential(c: Call) -> Answer:
    """
    A credential with `name` and `rights` (none, read, write) on all tables; Heroku's own endpoint makes one with none.
    It is attached as `credential:<name>`, like any other.
    """
    name = str(c.body["name"])
    await _new_credential(c, c.addon, name, str(c.body.get("rights", "write")))
    return 201, {"url": c.addon.url_for(f"credential:{name}")}


async def show_database(c: Call) -> Answer:
    server = c.addon.server
    return 200, {"url": server.url if server else "", "log": server.log if server else ""}


async def change_world(c: Call) -> Answer:
    """
    Knobs for all: `profile` (instant, realistic) with `seed`; `latency`, seconds by kind, over the profile; `grace` of
    dynos, in seconds; `token`, the one that is valid; `warning`, sent with every answer; `rate_limit`, how many
    requests are left of a limit that is enforced from then on, None for no limit; `recording` of bodies.
    """
    world, body = c.world, c.body
    if "profile" in body:
        world.latency = Latency(PROFILES[str(body["profile"])], int(body.get("seed", 0)))
    world.latency.set(**{kind: float(value) for kind, value in body.get("latency", {}).items()})
    world.grace, world.token = float(body.get("grace", world.grace)), str(body.get("token", world.token))
    world.warning, world.recording = str(body.get("warning", world.warning)), body.get("recording", world.recording)
    if "rate_limit" in body:
        left = body["rate_limit"]
        world.bucket = Bucket(enforced=left is not None, tokens=CAPACITY if left is None else float(left))
    return 200, {}


async def add_fault(c: Call) -> Answer:
    try:
        fault = fault_from(c.body)
    except (ValueError, TypeError) as error:
        raise refusals.invalid(str(error)) from error
    c.world.faults.append(fault)
    return 201, asdict(fault)


async def clear_faults(c: Call) -> Answer:
    c.world.faults.clear()
    return 200, {}


async def show_world(c: Call) -> Answer:
    """How many requests and events there were so far."""
    return 200, {"requests": len(c.world.requests), "events": len(c.world.events)}


async def requests(c: Call) -> Answer:
    """Those from a number on: with their bodies, all of a long run are megabytes."""
    return 200, c.world.requests[int(c.words["first"]) :]


async def events(c: Call) -> Answer:
    return 200, c.world.events[int(c.words["first"]) :]
