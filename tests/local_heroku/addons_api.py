"""The Platform API of add-ons, their attachments and their plans (dev center: platform-api-reference)."""

from local_heroku import attaching, databases, plan_change, refusals, wire
from local_heroku.call import Answer, Call, identity
from local_heroku.plans import PLANS, SERVICE
from local_heroku.world import Attachment


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
    wanted, name = identity(c.body.get("plan") or ""), str(c.body.get("name") or addon.name)
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
    return 202 if addon.state == "deprovisioning" else 200, c.addon_shown(addon)


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
    app, addon = c.world.app(identity(c.body.get("app"))), c.world.addon(identity(c.body.get("addon")))
    return 201, c.attachment_shown(attaching.attach(c.world, app, addon, c.body))


async def delete_attachment(c: Call) -> Answer:
    attachment = _attachment(c)
    attaching.detach(c.world, attachment)
    return 200, c.attachment_shown(attachment)


async def resolve_addon(c: Call) -> Answer:
    """By name or id; within an app also by an attachment's name, or by the service when that is the only one."""
    key = identity(c.body.get("addon"))
    app = c.world.app(identity(c.body["app"])) if c.body.get("app") else None
    everywhere = [a for a in c.world.addons.values() if key in {a.id, a.name}]
    attached = [a for a in c.world.attachments_of(app) if key in {a.name, f"{a.name}_URL"}] if app else []
    of_service = [a for a in c.world.attachments_of(app) if key == a.addon.service] if app else []
    found = everywhere or [a.addon for a in attached] or list({a.addon.id: a.addon for a in of_service}.values())
    if not found:
        raise refusals.no_addon()
    return 200, [c.addon_shown(a) for a in found]


async def resolve_attachment(c: Call) -> Answer:
    """Exact names first, then parts of names, within the app that is given."""
    key = identity(c.body.get("addon_attachment"))
    app = c.world.app(identity(c.body["app"])) if c.body.get("app") else None
    scope = [a for a in c.world.attachments.values() if app is None or a.app is app]
    exact = [a for a in scope if key in {a.id, a.addon.name, *(() if app is None else (a.name, f"{a.name}_URL"))}]
    found = exact or [a for a in scope if app is not None and key in f"{a.name}_URL"]
    if not found:
        raise refusals.no_attachment()
    return 200, [c.attachment_shown(a) for a in found]


async def credential_config(c: Call) -> Answer:
    """The probe of a client for a credential: an empty list where there is none."""
    kind, _, name = c.words["name"].partition(":")
    there = kind != "credential" or name in c.addon.credentials
    return 200, [{"name": c.words["name"]}] if there else []


async def list_plans(c: Call) -> Answer:
    if c.words["service"] != SERVICE:
        raise refusals.not_found("add-on service")
    return 200, [wire.plan(p) for p in PLANS.values()]


async def one_service(c: Call) -> Answer:
    if c.words["service"] != SERVICE:
        raise refusals.not_found("add-on service")
    return 200, wire.service(SERVICE)


async def one_plan(c: Call) -> Answer:
    found = PLANS.get(c.words["plan"].removeprefix(f"{SERVICE}:"))
    if found is None:
        raise refusals.not_found("plan")
    return 200, wire.plan(found)
