"""The Platform API of formation and dynos (dev center: platform-api-reference)."""

from local_heroku import dynos, refusals, wire
from local_heroku.call import Answer, Call, Json
from local_heroku.world import App, ProcessType


async def list_formation(c: Call) -> Answer:
    app = c.app
    return 200, [wire.formation(app, p) for p in app.formation.values()]


def _process_type(app: App, key: str) -> ProcessType:
    found = next((p for p in app.formation.values() if key in {p.type, p.id}), None)
    if found is None:
        raise refusals.not_found("process type")
    return found


async def show_formation(c: Call) -> Answer:
    app = c.app
    return 200, wire.formation(app, _process_type(app, c.words["type"]))


def _scale(app: App, update: Json, row: ProcessType) -> None:
    if "quantity" in update:
        text = str(update["quantity"])
        row.quantity = max(row.quantity + int(text), 0) if text[0] in "+-" else int(text)
    size = update.get("size") or (update.get("dyno_size") or {}).get("name")
    row.size = str(size or row.size)


async def change_formation(c: Call) -> Answer:
    app = c.app
    rows = [(_process_type(app, str(u["type"])), u) for u in c.body["updates"]]
    for row, update in rows:
        _scale(app, update, row)
    c.world.event("scaled", app=app.name, to={r.type: r.quantity for r, _ in rows})
    await dynos.fit_formation(c.world, app)
    return 200, [wire.formation(app, row) for row, _ in rows]


async def change_process_type(c: Call) -> Answer:
    app = c.app
    row = _process_type(app, c.words["type"])
    _scale(app, c.body, row)
    await dynos.fit_formation(c.world, app)
    return 200, wire.formation(app, row)


async def list_dynos(c: Call) -> Answer:
    app = c.app
    return 200, [wire.dyno(app, d) for d in app.dynos]


async def run_dyno(c: Call) -> Answer:
    app = c.app
    kind, size = str(c.body.get("type") or "run"), str(c.body.get("size") or "Standard-1X")
    return 201, wire.dyno(app, await dynos.run_one_off(c.world, app, str(c.body["command"]), kind, size))


def _dynos(c: Call) -> list[dynos.Dyno]:
    """Those that the path names: one dyno or all of a type; without either all of the formation, but no release."""
    key, of_app = c.words.get("dyno") or c.words.get("type"), list(c.app.dynos)
    if not key:
        return [d for d in of_app if d.type in c.app.formation and d.type != "release"]
    found = [d for d in of_app if key in {d.name, d.id, d.type}]
    if not found and key not in c.app.formation:
        raise refusals.not_found("dyno")
    return found


async def stop_dynos(c: Call) -> Answer:
    """A dyno of the formation is started again, since the formation still asks for it."""
    for dyno in _dynos(c):
        await dynos.stop(c.world, dyno)
    await dynos.fit_formation(c.world, c.app)
    return 202, {}


async def restart_dynos(c: Call) -> Answer:
    return await stop_dynos(c)
