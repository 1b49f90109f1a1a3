"""The Platform API: what each route does, in Heroku's words (dev center: platform-api-reference)."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from local_heroku import attaching, databases, dynos, plan_change, refusals, releases, router, wire
from local_heroku.plans import PLANS, SERVICE
from local_heroku.postgres import Cluster
from local_heroku.world import Addon, App, Attachment, ProcessType, Release, World

Json = Any
Answer = tuple[int, Json]


class Call:
    """One request: the world, the words of its path, its decoded body and its headers."""

    def __init__(
        self, world: World, cluster: Cluster, words: dict[str, str], body: Json, headers: Mapping[str, str]
    ) -> None:
        self.world, self.cluster, self.words, self.body, self.headers = world, cluster, words, body or {}, headers

    def addon_shown(self, addon: Addon) -> Json:
        return wire.addon(addon, self.headers.get("Accept-Expansion", ""))

    def attachment_shown(self, attachment: Attachment) -> Json:
        return wire.attachment(attachment, self.headers.get("Accept-Inclusion", ""))

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
        c.world.in_background(router.follow(c.world, app))
    return 200, wire.app(app)


async def app_addons(c: Call) -> Answer:
    app = c.app
    attached = {a.addon.id: a.addon for a in c.world.attachments_of(app)}
    owned = {a.id: a for a in c.world.addons.values() if a.app is app}
    return 200, [c.addon_shown(a) for a in {**owned, **attached}.values()]


async def list_addons(c: Call) -> Answer:
    return 200, [c.addon_shown(a) for a in c.world.addons.values()]


async def show_addon(c: Call) -> Answer:
    return 200, c.addon_shown(c.addon)


async def create_addon(c: Call) -> Answer:
    return 201, c.addon_shown(await databases.create(c.world, c.cluster, c.app, c.body))


async def change_addon(c: Call) -> Answer:
    """A new name is taken over at once; a new plan is Heroku's own change of plan, which goes on after the answer."""
    addon = c.addon
    wanted, name = _identity(c.body.get("plan") or ""), str(c.body.get("name") or addon.name)
    if name != addon.name and any(a.name == name for a in c.world.addons.values()):
        raise refusals.invalid(f"Name {name} is already taken.")
    message = plan_change.accept(c.world, c.cluster, addon, wanted) if wanted else ""
    addon.name = name
    return 200, {**c.addon_shown(addon), "provision_message": message}


async def delete_addon(c: Call) -> Answer:
    addon = c.addon
    others = {a.app.name for a in c.world.attachments_to(addon)} - {addon.app.name}
    if others and not c.body.get("force"):
        raise refusals.invalid(f"{addon.name} is attached to other apps: {', '.join(sorted(others))}")
    await databases.destroy(c.world, addon)
    return 200, c.addon_shown(addon)


async def addon_attachments(c: Call) -> Answer:
    return 200, [c.attachment_shown(a) for a in c.world.attachments_to(c.addon)]


async def app_attachments(c: Call) -> Answer:
    return 200, [c.attachment_shown(a) for a in c.world.attachments_of(c.app)]


async def list_attachments(c: Call) -> Answer:
    return 200, [c.attachment_shown(a) for a in c.world.attachments.values()]


async def app_attachment(c: Call) -> Answer:
    found = c.world.attachment_named(c.app, c.words["attachment"])
    if found is None:
        raise refusals.no_attachment()
    return 200, c.attachment_shown(found)


def _attachment(c: Call) -> Attachment:
    found = c.world.attachments.get(c.words["attachment"])
    if found is None:
        raise refusals.no_attachment()
    return found


async def show_attachment(c: Call) -> Answer:
    return 200, c.attachment_shown(_attachment(c))


async def create_attachment(c: Call) -> Answer:
    app, addon = c.world.app(_identity(c.body.get("app"))), c.world.addon(_identity(c.body.get("addon")))
    return 201, c.attachment_shown(attaching.attach(c.world, app, addon, c.body))


async def delete_attachment(c: Call) -> Answer:
    attachment = _attachment(c)
    attaching.detach(c.world, attachment)
    return 200, c.attachment_shown(attachment)


async def resolve_addon(c: Call) -> Answer:
    """By name or id; within an app also by an attachment's name, or by the service when that is the only one."""
    key = _identity(c.body.get("addon"))
    app = c.world.app(_identity(c.body["app"])) if c.body.get("app") else None
    everywhere = [a for a in c.world.addons.values() if key in {a.id, a.name}]
    attached = [a for a in c.world.attachments_of(app) if key in {a.name, f"{a.name}_URL"}] if app else []
    of_service = [a for a in c.world.attachments_of(app) if key == a.addon.service] if app else []
    found = everywhere or [a.addon for a in attached] or list({a.addon.id: a.addon for a in of_service}.values())
    if not found:
        raise refusals.no_addon()
    return 200, [c.addon_shown(a) for a in found]


async def resolve_attachment(c: Call) -> Answer:
    """Exact names first, then parts of names, within the app that is given."""
    key = _identity(c.body.get("addon_attachment"))
    app = c.world.app(_identity(c.body["app"])) if c.body.get("app") else None
    scope = [a for a in c.world.attachments.values() if app is None or a.app is app]
    exact = [a for a in scope if key in {a.id, a.addon.name, *(() if app is None else (a.name, f"{a.name}_URL"))}]
    found = exact or [a for a in scope if app is not None and key in f"{a.name}_URL"]
    if not found:
        raise refusals.no_attachment()
    return 200, [c.attachment_shown(a) for a in found]


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


async def list_releases(c: Call) -> Answer:
    app = c.app
    return 200, [wire.release(c.world, app, r) for r in app.releases]


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
    return 200, wire.account()


async def rate_limits(c: Call) -> Answer:
    """Does not count itself."""
    return 200, {"remaining": c.world.bucket.remaining}


async def none_of_them(c: Call) -> Answer:
    """Parts of an app that no app of this Heroku has: collaborators and buildpacks."""
    _ = c.app
    return 200, []


async def no_pipeline(c: Call) -> Answer:
    _ = c.app
    raise refusals.not_found("pipeline coupling")


async def create_app(c: Call) -> Answer:
    """An app without code: no process types and no dynos."""
    name = str(c.body.get("name") or f"{databases.new_name()}-app")
    if any(a.name == name for a in c.world.apps.values()):
        raise refusals.invalid(f"Name {name} is already taken")
    app = App(name)
    c.world.apps[app.id] = app
    await router.listen(c.world, app)
    releases.announce(c.world, app, "Initial release")
    return 201, wire.app(app)


async def delete_app(c: Call) -> Answer:
    """An app with its dynos and all that it pays for."""
    app = c.app
    await dynos.kill_all(app)
    for addon in [a for a in c.world.addons.values() if a.app is app]:
        await databases.destroy(c.world, addon)
    for attachment in c.world.attachments_of(app):
        del c.world.attachments[attachment.id]
    del c.world.apps[app.id]
    return 200, wire.app(app)


async def credential_config(c: Call) -> Answer:
    """The probe of a client for a credential: an empty list where there is none."""
    kind, _, name = c.words["name"].partition(":")
    there = kind != "credential" or name in c.addon.credentials
    return 200, [{"name": c.words["name"]}] if there else []


async def one_service(c: Call) -> Answer:
    if c.words["service"] != SERVICE:
        raise refusals.not_found("add-on service")
    return 200, wire.service(SERVICE)


async def one_plan(c: Call) -> Answer:
    found = PLANS.get(c.words["plan"].removeprefix(f"{SERVICE}:"))
    if found is None:
        raise refusals.not_found("plan")
    return 200, wire.plan(found)


async def buildpacks(_: Call) -> Answer:
    return 200, []
