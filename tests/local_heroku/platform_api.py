"""The Platform API: what each route does, in Heroku's words (dev center: platform-api-reference)."""

from collections.abc import Awaitable, Callable
from typing import Any

from local_heroku import databases, dynos, refusals, releases, wire
from local_heroku.plans import PLANS, SERVICE, plan_named
from local_heroku.postgres import Cluster
from local_heroku.world import Addon, App, Attachment, ProcessType, Release, World

Json = Any
Answer = tuple[int, Json]


class Call:
    """One request: the world, the words of its path, its decoded body and its Range header."""

    def __init__(self, world: World, cluster: Cluster, words: dict[str, str], body: Json, range_: str = "") -> None:
        self.world, self.cluster, self.words, self.body, self.range = world, cluster, words, body or {}, range_

    @property
    def app(self) -> App:
        return self.world.app(self.words["app"])

    @property
    def addon(self) -> Addon:
        return self.world.addon(self.words["addon"])


Handler = Callable[[Call], Awaitable[Answer]]


def _identity(value: Json) -> str:
    """Heroku takes a plain name or an object with one."""
    return str(value.get("name") or value.get("id")) if isinstance(value, dict) else str(value)


async def list_apps(c: Call) -> Answer:
    return 200, [wire.app(a) for a in c.world.apps.values() if a.name not in c.world.forbidden]


async def show_app(c: Call) -> Answer:
    return 200, wire.app(c.app)


async def change_app(c: Call) -> Answer:
    app = c.app
    if "maintenance" in c.body:
        if not isinstance(c.body["maintenance"], bool):
            raise refusals.invalid("maintenance must be a boolean")
        if app.generation == "fir":
            raise refusals.invalid("Maintenance mode is not available for Fir-generation apps.")
        app.maintenance = c.body["maintenance"]
        c.world.event("maintenance", app=app.name, on=app.maintenance)
    return 200, wire.app(app)


async def app_addons(c: Call) -> Answer:
    app = c.app
    attached = {a.addon.id: a.addon for a in c.world.attachments_of(app)}
    owned = {a.id: a for a in c.world.addons.values() if a.app is app}
    return 200, [wire.addon(a) for a in {**owned, **attached}.values()]


async def list_addons(c: Call) -> Answer:
    return 200, [wire.addon(a) for a in c.world.addons.values()]


async def show_addon(c: Call) -> Answer:
    return 200, wire.addon(c.addon)


async def create_addon(c: Call) -> Answer:
    return 201, wire.addon(await databases.create(c.world, c.cluster, c.app, c.body))


async def change_addon(c: Call) -> Answer:
    """A new name is taken over; a new plan is Heroku's own upgrade, which this Heroku does not have."""
    addon = c.addon
    wanted = _identity(c.body.get("plan") or "")
    if wanted and plan_named(wanted) is not addon.plan:
        raise refusals.by_provider(wanted, "this local Heroku does not change plans in place")
    addon.name = str(c.body.get("name") or addon.name)
    return 200, wire.addon(addon)


async def delete_addon(c: Call) -> Answer:
    addon = c.addon
    others = {a.app.name for a in c.world.attachments_to(addon)} - {addon.app.name}
    if others and not c.body.get("force"):
        raise refusals.invalid(f"{addon.name} is attached to other apps: {', '.join(sorted(others))}")
    await databases.destroy(c.world, addon)
    return 200, wire.addon(addon)


async def addon_attachments(c: Call) -> Answer:
    return 200, [wire.attachment(a) for a in c.world.attachments_to(c.addon)]


async def app_attachments(c: Call) -> Answer:
    return 200, [wire.attachment(a) for a in c.world.attachments_of(c.app)]


async def list_attachments(c: Call) -> Answer:
    return 200, [wire.attachment(a) for a in c.world.attachments.values()]


async def app_attachment(c: Call) -> Answer:
    found = c.world.attachment_named(c.app, c.words["attachment"])
    if found is None:
        raise refusals.no_attachment()
    return 200, wire.attachment(found)


def _attachment(c: Call) -> Attachment:
    found = c.world.attachments.get(c.words["attachment"])
    if found is None:
        raise refusals.no_attachment()
    return found


async def show_attachment(c: Call) -> Answer:
    return 200, wire.attachment(_attachment(c))


async def create_attachment(c: Call) -> Answer:
    app, addon = c.world.app(_identity(c.body.get("app"))), c.world.addon(_identity(c.body.get("addon")))
    return 201, wire.attachment(databases.attach(c.world, app, addon, c.body))


async def delete_attachment(c: Call) -> Answer:
    attachment = _attachment(c)
    databases.detach(c.world, attachment)
    return 200, wire.attachment(attachment)


async def resolve_addon(c: Call) -> Answer:
    if c.body.get("app"):
        c.world.app(_identity(c.body["app"]))
    return 200, [wire.addon(c.world.addon(_identity(c.body.get("addon"))))]


async def resolve_attachment(c: Call) -> Answer:
    """Exact names first, then parts of names, within the app that is given."""
    key = _identity(c.body.get("addon_attachment"))
    app = c.world.app(_identity(c.body["app"])) if c.body.get("app") else None
    scope = [a for a in c.world.attachments.values() if app is None or a.app is app]
    exact = [a for a in scope if key in {a.id, a.addon.name, *(() if app is None else (a.name, f"{a.name}_URL"))}]
    found = exact or [a for a in scope if app is not None and key in f"{a.name}_URL"]
    if not found:
        raise refusals.no_attachment()
    return 200, [wire.attachment(a) for a in found]


async def show_config(c: Call) -> Answer:
    return 200, c.world.config_vars(c.app)


async def change_config(c: Call) -> Answer:
    app = c.app
    owned = {f"{a.name}_URL" for a in c.world.attachments_of(app)} & set(c.body)
    if owned:
        raise refusals.invalid(f"Cannot change {', '.join(sorted(owned))}: it is owned by an add-on attachment.")
    changed = {**app.own_vars, **c.body}
    app.own_vars = {name: str(value) for name, value in changed.items() if value is not None}
    releases.announce(c.world, app, f"Set {', '.join(sorted(c.body))} config vars")
    return 200, c.world.config_vars(app)


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


async def stop_dyno(c: Call) -> Answer:
    for dyno in [d for d in c.app.dynos if d.name == c.words["dyno"]]:
        await dynos.stop(c.world, dyno)
    return 202, {}


async def restart_dynos(c: Call) -> Answer:
    await dynos.restart(c.world, c.app)
    return 202, {}


async def list_releases(c: Call) -> Answer:
    """`Range: version ..; max=5, order=desc` is what the clients send."""
    app, shown = c.app, list(c.app.releases)
    if "order=desc" in c.range:
        shown.reverse()
    if "max=" in c.range:
        shown = shown[: int(c.range.split("max=")[1].split(",")[0])]
    return 200 if len(shown) == len(app.releases) else 206, [wire.release(c.world, app, r) for r in shown]


def _release(c: Call) -> Release:
    key = c.words["release"]
    found = next((r for r in c.app.releases if key in {r.id, str(r.version)}), None)
    if found is None:
        raise refusals.not_found("release")
    return found


async def show_release(c: Call) -> Answer:
    return 200, wire.release(c.world, c.app, _release(c))


async def release_config(c: Call) -> Answer:
    return 200, _release(c).config


async def list_plans(c: Call) -> Answer:
    if c.words["service"] != SERVICE:
        raise refusals.not_found("add-on service")
    return 200, [wire.plan(p) for p in PLANS.values()]


def _feature(name: str, enabled: bool) -> Json:
    return {"id": name, "name": name, "enabled": enabled, "state": "general", "description": name}


async def list_features(c: Call) -> Answer:
    return 200, [_feature(name, enabled) for name, enabled in c.app.features.items()]


async def show_feature(c: Call) -> Answer:
    name = c.words["feature"]
    if name not in c.app.features:
        raise refusals.not_found("feature")
    return 200, _feature(name, c.app.features[name])


async def change_feature(c: Call) -> Answer:
    c.app.features[c.words["feature"]] = bool(c.body["enabled"])
    return await show_feature(c)


async def account(_: Call) -> Answer:
    return 200, {"id": "1", "email": "owner@example.test"}


async def rate_limits(_: Call) -> Answer:
    return 200, {"remaining": 4500}


async def buildpacks(_: Call) -> Answer:
    return 200, []
