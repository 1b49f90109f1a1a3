"""The Platform API of apps, their config vars, releases and features (dev center: platform-api-reference)."""

from local_heroku import databases, dynos, refusals, releases, router, wire
from local_heroku.call import Answer, Call, Json
from local_heroku.world import App, Release


async def list_apps(c: Call) -> Answer:
    return 200, [c.app_shown(a) for a in c.world.apps.values() if a.name not in c.world.forbidden]


async def show_app(c: Call) -> Answer:
    return 200, c.app_shown(c.app)


async def change_app(c: Call) -> Answer:
    """Whoever asks for an app by a name that it had gets a 404 from then on."""
    app = c.app
    name = str(c.body.get("name") or app.name)
    if name != app.name and any(a.name == name for a in c.world.apps.values()):
        raise refusals.invalid(f"Name {name} is already taken")
    app.name = name
    if "maintenance" in c.body:
        if not isinstance(c.body["maintenance"], bool):
            raise refusals.invalid("maintenance must be a boolean")
        if app.generation == "fir":
            raise refusals.invalid("Maintenance mode is not available for Fir-generation apps.")
        app.maintenance = c.body["maintenance"]
        c.world.event("maintenance", app=app.name, on=app.maintenance)
        c.world.in_background(router.follow(c.world, app))
    return 200, c.app_shown(app)


async def create_app(c: Call) -> Answer:
    """An app without code: no process types and no dynos."""
    name = str(c.body.get("name") or f"{databases.new_name()}-app")
    if any(a.name == name for a in c.world.apps.values()):
        raise refusals.invalid(f"Name {name} is already taken")
    app = App(name)
    c.world.apps[app.id] = app
    await router.listen(c.world, app)
    releases.announce(c.world, app, "Initial release")
    return 201, c.app_shown(app)


async def delete_app(c: Call) -> Answer:
    """An app with its dynos and all that it pays for."""
    app = c.app
    await dynos.kill_all(app)
    for addon in [a for a in c.world.addons.values() if a.app is app]:
        await databases.destroy(c.world, addon)
    for attachment in c.world.attachments_of(app):
        del c.world.attachments[attachment.id]
    del c.world.apps[app.id]
    return 200, c.app_shown(app)


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


async def none_of_them(c: Call) -> Answer:
    """Parts of an app that no app of this Heroku has: collaborators and buildpacks."""
    _ = c.app
    return 200, []


async def no_pipeline(c: Call) -> Answer:
    _ = c.app
    raise refusals.not_found("pipeline coupling")


async def account(_: Call) -> Answer:
    return 200, wire.account()


async def rate_limits(c: Call) -> Answer:
    """Does not count itself."""
    return 200, {"remaining": c.world.bucket.remaining}
