"""Heroku's own maintenance of a database, which may replace its server: what is due, when, and running it now."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

from local_heroku import refusals
from local_heroku.call import Answer, Call
from local_heroku.plans import ESSENTIAL, tier_of
from local_heroku.world import Addon, World, now

NONE = {
    "status": "none",
    "reason": None,
    "required_by": None,
    "scheduled_for": None,
    "previously_scheduled_for": None,
    "started_at": None,
    "completed_at": None,
    "duration_seconds": None,
}
DUE = ("pending", "preparing", "ready")
DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
LASTS = timedelta(hours=4)
"""From the start of a window to its end, as in `Mondays 20:30 to Tuesdays 00:30 UTC`."""

WEEKDAYS = {day.lower(): number for number, day in enumerate(DAYS)}
TIMES = re.compile(r"(\d{1,2}):(\d{2})\s*(am|pm)?", re.IGNORECASE)


def shown(world: World, addon: Addon) -> dict[str, Any]:
    """The object of GET /data/maintenances/v1/X, with the fields that the Heroku CLI declares (lib/data/types)."""
    of_addon = {
        "uuid": addon.id,
        "name": addon.name,
        "kind": addon.service,
        "plan": addon.plan.name,
        "window": addon.window,
        "attachments": [a.name for a in world.attachments_to(addon)],
    }
    of_app = {"uuid": addon.app.id, "name": addon.app.name}
    due = {**NONE, "server_created_at": addon.created_at, **addon.maintenance}
    return {**due, "window": addon.window, "addon": of_addon, "app": of_app}


async def show(c: Call) -> Answer:
    return 200, shown(c.world, c.addon)


async def of_app(c: Call) -> Answer:
    """Those of the databases that the app pays for."""
    app = c.app
    own = [a for a in c.world.addons.values() if a.app is app and a.server is not None]
    return 200, {"maintenances": [shown(c.world, a) for a in own if a.maintenance]}


async def history(c: Call) -> Answer:
    addon = c.addon
    return 200, {"maintenances": [shown(c.world, addon)] if addon.maintenance.get("status") == "completed" else []}


async def run(c: Call) -> Answer:
    """
    What is due is done now, and replaces the server: sessions break while it runs.

    How Heroku refuses to run what is not due is not published.
    """
    addon = c.addon
    if tier_of(addon.plan) in ESSENTIAL:
        raise refusals.unprocessable("Maintenance of an Essential tier database cannot be triggered.")
    if addon.maintenance.get("status") not in DUE:
        raise refusals.unprocessable(f"{addon.name} has no maintenance to run.")
    addon.maintenance = {**addon.maintenance, "status": "running", "started_at": now()}
    c.world.event("maintenance runs", addon=addon.name)
    c.world.in_background(_carry_out(c.world, addon))
    return 200, shown(c.world, addon)


async def _carry_out(world: World, addon: Addon) -> None:
    addon.waiting = "maintenance"
    await world.latency.take("maintenance")
    if addon.server is not None:
        await addon.server.restart()
    addon.waiting = ""
    addon.maintenance = {**addon.maintenance, "status": "completed", "completed_at": now()}
    world.event("maintenance completed", addon=addon.name)


async def schedule(c: Call) -> Answer:
    """Moves what is due by whole weeks from when it is scheduled."""
    addon = c.addon
    if addon.maintenance.get("status") not in DUE:
        raise refusals.unprocessable(f"{addon.name} has no maintenance to schedule.")
    before = addon.maintenance.get("scheduled_for")
    start = datetime.fromisoformat(str(before or now())).astimezone(UTC)
    later = start + timedelta(weeks=int(c.body["delay_weeks"]))
    moved = {"scheduled_for": later.strftime("%Y-%m-%dT%H:%M:%SZ"), "previously_scheduled_for": before}
    addon.maintenance = {**addon.maintenance, **moved}
    return 200, moved


async def show_window(c: Call) -> Answer:
    return 200, _window(c, None)


async def set_window(c: Call) -> Answer:
    addon, before = c.addon, c.addon.window
    addon.window = window_from(str(c.body["day_of_week"]), str(c.body["time_of_day"]))
    return 200, _window(c, before)


def _window(c: Call, before: str | None) -> dict[str, Any]:
    due = shown(c.world, c.addon)
    moments = {key: due[key] for key in ("scheduled_for", "previously_scheduled_for")}
    return {"window": due["window"], "previous_window": before, **moments}


def window_from(day: str, time: str) -> str:
    """In Heroku's words, from `sunday` and `13:30` or `1:30PM`."""
    number, found = WEEKDAYS.get(day.lower()), TIMES.fullmatch(time)
    if number is None or found is None:
        raise refusals.unprocessable(f"{day} {time} is no day of the week with a time of day.")
    hour = int(found[1]) % 12 + (12 if found[3].lower() == "pm" else 0) if found[3] else int(found[1])
    if hour > 23 or int(found[2]) > 59:
        raise refusals.unprocessable(f"{time} is no time of day.")
    start = datetime(2024, 1, 1, hour, int(found[2]), tzinfo=UTC) + timedelta(days=number)  # that day was a Monday
    begins, ends = (f"{DAYS[moment.weekday()]}s {moment:%H:%M}" for moment in (start, start + LASTS))
    return f"{begins} to {ends} UTC"
