"""The router: one port an app, requests in turn to the web dynos that are up, 503 in maintenance mode."""

import asyncio

from aiohttp import ClientError, ClientSession, ClientTimeout, web

from local_heroku.dynos import LOOK, Dyno
from local_heroku.world import App, World

MAINTENANCE_PAGE = "<!DOCTYPE html><title>Offline for Maintenance</title><h1>Offline for Maintenance</h1>"
ERROR_PAGE = "<!DOCTYPE html><title>Application Error</title><h1>Application error</h1>"
ROUTER_SECONDS = 30
"""Heroku's router gives a dyno 30 s for its answer (dev center: error H12)."""

BOOT_PATIENCE = 75
"""Seconds for which a request is held while no web dyno is up and one is starting (dev center: error H20)."""

_runners: list[web.AppRunner] = []
_sessions: list[ClientSession] = []


async def listen(world: World, app: App) -> None:
    """Opens the app's port; dynos need not be there yet."""
    session = ClientSession(timeout=ClientTimeout(total=ROUTER_SECONDS))
    _sessions.append(session)
    turn = 0

    async def route(request: web.Request) -> web.Response:
        nonlocal turn
        if app.routed_to_maintenance:
            return web.Response(status=503, text=MAINTENANCE_PAGE, content_type="text/html")
        up = await _up(app)
        if not up:
            return _error(_why_none(app))
        turn += 1
        return await _forward(session, request, up[turn % len(up)].port)

    site = web.Application()
    site.router.add_route("*", "/{path:.*}", route)
    runner = web.AppRunner(site, access_log=None)
    await runner.setup()
    _runners.append(runner)
    tcp = web.TCPSite(runner, "127.0.0.1", 0)
    await tcp.start()
    app.web_port = runner.addresses[0][1]
    world.event("router", app=app.name, port=app.web_port)


def _web(app: App, state: str) -> list[Dyno]:
    return [d for d in app.dynos if d.type == "web" and d.state == state]


async def _up(app: App) -> list[Dyno]:
    """The web dynos that are up; a request waits for one that is starting."""
    loop = asyncio.get_running_loop()
    until = loop.time() + BOOT_PATIENCE
    while not (up := _web(app, "up")) and _web(app, "starting") and loop.time() < until:
        await asyncio.sleep(LOOK)
    return up


def _why_none(app: App) -> str:
    """Heroku's code for a request that reaches no web dyno (dev center: error-codes)."""
    if _web(app, "starting"):
        return "H20"
    return "H10" if _web(app, "crashed") else "H14"


async def follow(world: World, app: App) -> None:
    """The router takes over the maintenance flag some moments after the API has."""
    await world.latency.take("router")
    app.routed_to_maintenance = app.maintenance
    world.event("routed", app=app.name, maintenance=app.maintenance)


async def _forward(session: ClientSession, request: web.Request, port: int) -> web.Response:
    headers = {"Content-Type": request.headers.get("Content-Type", "application/octet-stream")}
    try:
        async with session.request(
            request.method, f"http://127.0.0.1:{port}{request.path_qs}", data=await request.read(), headers=headers
        ) as answer:
            body = await answer.read()
            return web.Response(status=answer.status, body=body, content_type=answer.content_type)
    except (ClientError, TimeoutError, ConnectionError):
        return _error("H13")


def _error(code: str) -> web.Response:
    return web.Response(status=503, text=ERROR_PAGE, content_type="text/html", headers={"X-Router-Error": code})


async def close() -> None:
    for session in _sessions:
        await session.close()
    for runner in _runners:
        await runner.cleanup()
