"""
An app's service: maintenance mode, formation, dynos; taking it down for the window and bringing it back as it was.
"""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

from heroku_changeover.reach.answers import reads, resolved
from heroku_changeover.reach.reading import dynos_from, formation_from
from heroku_changeover.reach.threads import at_once, side_by_side
from heroku_changeover.reach.wait import INSIDE_WINDOW
from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.errors import TimedOut
from heroku_changeover.terms.facts import App, Dyno, ProcessType
from heroku_changeover.terms.situation import Situation
from heroku_changeover.terms.window import AppAsFound
from heroku_changeover.ways.changeover import Changeover

DYNO_LIMIT = 90
"""Seconds for dynos to go: Heroku sends SIGTERM, and SIGKILL 30 s later (devcenter: dyno-shutdown-behavior)."""


BOOT_LIMIT = 300
"""
Seconds for the first web dyno to come up: Heroku's own limit for binding the port is 60 s, 90 s at most on request.
"""


ROUTER_LEAD = 2.0
"""
Seconds before a web dyno is due at which maintenance mode ends already: Heroku's router takes seconds to act on it
(devcenter: maintenance-mode), and it holds requests for a dyno that is starting (devcenter: error-codes, H20).
"""


LATE_LIMIT = 20
"""Seconds for a web dyno that was due; then users see the maintenance page again until it is up."""


LATE_WRITE, LATE_WRITE_POLL = 30, 1.0
"""
Seconds after which a request that nobody waits for any more is over, because Heroku's own router gives none longer
(devcenter: error-codes, H12), and between two looks until then.
"""


PUT_BACK_LIMIT = 20
"""Seconds that putting back waits for a web dyno before maintenance mode ends all the same."""


def enter_maintenance(c: Changeover, situation: Situation) -> None:
    """Maintenance mode on in every app that is not in it; the window's budget starts when the first one goes down."""
    serving = [app.name for app in situation.apps.values() if not app.maintenance]
    if serving or not c.has_begun:
        c.did("maintenance-on")
        side_by_side(lambda name: set_maintenance(c, name, on=True), serving)
        c.did("in-maintenance")
    if serving:
        c.report(f"maintenance mode is on: {', '.join(serving)}")


def set_maintenance(c: Changeover, app: str, *, on: bool) -> None:
    """Maintenance mode stops the router only; dynos go on (devcenter: maintenance-mode)."""
    with c.doing(Act.MAINTENANCE_ON if on else Act.MAINTENANCE_OFF):
        c.heroku.patch(f"/apps/{app}", {"maintenance": on})


def send_down(c: Changeover, situation: Situation) -> None:
    """Every process type of every app to 0, one call an app; the dynos end by themselves."""
    running = [app for app in situation.apps.values() if app.writers]
    if running:
        c.did("scaling-down")
        side_by_side(lambda app: _scale_down(c, app), running)
        c.did("scaled-down")
    for app in running:
        c.report(f"{app.name}: {', '.join(f'{p.type} {p.quantity}' for p in app.writers)} scaled to 0")


def wait_until_down(c: Changeover, situation: Situation, *meanwhile: Callable[[], None]) -> None:
    """Waits until the dynos are gone; `meanwhile` is done while they end."""
    apps = [app for app in situation.apps.values() if app.writers or app.dynos]
    at_once(*(partial(_wait_until_gone, c, app) for app in apps), *meanwhile)


def _scale_down(c: Changeover, app: App) -> None:
    with c.doing(Act.SCALE_DOWN):
        _scale(c, app.name, [ProcessType(p.type, 0, p.size) for p in app.writers])


def _scale(c: Changeover, app: str, formation: Iterable[ProcessType], *, with_size: bool = False) -> None:
    updates: list[dict[str, Any]] = [{"type": p.type, "quantity": p.quantity} for p in formation]
    if with_size:
        for update, process_type in zip(updates, formation, strict=True):
            update["size"] = process_type.size
    c.heroku.patch(f"/apps/{app}/formation", {"updates": updates})


def _wait_until_gone(c: Changeover, app: App) -> None:
    """The formation's dynos within their limit; one-offs, by policy, are stopped or may take the rest of the budget."""
    types = {p.type for p in app.formation}
    asked: set[str] = set()
    others: list[tuple[Dyno, ...]] = []

    def running() -> str | None:
        dynos = _dynos(c, app.name)
        left = _remaining([d for d in dynos if d.type in types])
        if left is None:
            others.append(dynos)
        return left

    def one_offs() -> str | None:
        left = [d for d in _dynos(c, app.name) if d.type not in types]
        if c.order.one_off_dynos == "stop":
            _stop(c, app.name, [d for d in left if d.name not in asked])
            asked.update(d.name for d in left)
        return _remaining(left)

    limit = min(c.clock.now() + DYNO_LIMIT, c.budget_ends)
    with c.doing(Act.AWAIT_DYNOS):
        c.wait_closely(f"the dynos of {app.name} to end", running, limit)
    with c.doing(Act.AWAIT_ONE_OFFS):
        if others[0]:
            c.urgent().until(f"the one-off dynos of {app.name} to end", one_offs, c.budget_ends)


def _remaining(dynos: list[Dyno]) -> str | None:
    return ", ".join(f"{d.name} {d.state}" for d in dynos) or None


def _dynos(c: Changeover, app: str) -> tuple[Dyno, ...]:
    return dynos_from(c.heroku.get(f"/apps/{app}/dynos"))


def _stop(c: Changeover, app: str, dynos: list[Dyno]) -> None:
    for dyno in dynos:
        _stop_one(c, app, dyno)
        c.report(f"{app}: one-off dyno {dyno.name} was told to stop")


def _stop_one(c: Changeover, app: str, dyno: Dyno) -> None:
    """One that ended by itself meanwhile is not there any more, which is as good."""
    with c.doing(Act.STOP_ONE_OFF):
        resolved(
            lambda: c.heroku.post(f"/apps/{app}/dynos/{dyno.name}/actions/stop"),
            lambda: all(d.name != dyno.name or d.state == "stopping" for d in _dynos(c, app)),
            c.clock,
        )


def bring_back(c: Changeover, situation: Situation) -> None:
    """
    Formation and maintenance flag of every app as they were found; a live value that a colleague set since is left
    alone.
    """
    side_by_side(lambda app: _bring_back(c, app, c.window.apps[app.name]), situation.apps.values())


def live_formations(c: Changeover) -> dict[str, tuple[ProcessType, ...]]:
    """The formation of every app, as it is now."""
    read = side_by_side(lambda name: formation_from(c.heroku.get(f"/apps/{name}/formation")), c.window.apps)
    return dict(zip(c.window.apps, read, strict=True))


def start_dynos(c: Changeover, name: str, formation: Iterable[ProcessType]) -> None:
    """
    Lets the dynos of a moved app boot while the engine goes on to `restore`; what a colleague scaled since is left
    alone. `formation` is the live one.
    """
    _scale_back(c, name, c.window.apps[name], formation)


def _bring_back(c: Changeover, app: App, found: AppAsFound) -> None:
    _scale_back(c, app.name, found, app.formation)
    if found.serves_web:
        _await_web(c, app.name, lambda: _web_not_due(c, app.name, found), BOOT_LIMIT)
    _leave_maintenance(c, app.name, found, in_it=app.maintenance)
    if found.serves_web:
        _require_web(c, app.name, found)
        c.did("web-up")


def _await_web(c: Changeover, app: str, probe: Callable[[], str | None], seconds: float) -> None:
    with c.doing(Act.AWAIT_WEB):
        c.wait_closely(f"a web dyno of {app} to come up", probe, c.clock.now() + seconds)


def _require_web(c: Changeover, name: str, found: AppAsFound) -> None:
    """Maintenance mode may have ended a moment ahead of the dyno: if that does not come, users get the page again."""
    not_up = partial(_web_not_up, c, name)
    try:
        _await_web(c, name, not_up, LATE_LIMIT)
    except TimedOut as late:
        if not found.maintenance:
            c.report(f"{late}; maintenance mode until it does")
            set_maintenance(c, name, on=True)
        _await_web(c, name, not_up, BOOT_LIMIT)
        _leave_maintenance(c, name, found, in_it=True)


def _scale_back(c: Changeover, name: str, found: AppAsFound, formation: Iterable[ProcessType]) -> None:
    live = {p.type: p for p in formation}
    down = [p for p in found.formation if p.quantity and p.type in live and live[p.type].quantity == 0]
    if down:
        with c.doing(Act.SCALE_UP):
            _scale(c, name, down, with_size=True)
        c.did("scaled-up")
        c.report(f"{name}: scaled back to {', '.join(f'{p.type} {p.quantity}' for p in down)}")


def _leave_maintenance(c: Changeover, name: str, found: AppAsFound, *, in_it: bool) -> None:
    if not found.maintenance and in_it:
        set_maintenance(c, name, on=False)
        c.report(f"{name}: maintenance mode is off")
    elif "maintenance-off" in c.window.acts:
        return  # done before, by a keeper or a step whose run broke
    c.did("maintenance-off")


@reads("an app")
def _is_in_maintenance(c: Changeover, name: str) -> bool:
    return bool(c.heroku.get(f"/apps/{name}")["maintenance"])


def _web_not_up(c: Changeover, app: str) -> str | None:
    """What keeps the app from serving; None when a web dyno is up."""
    states = [d.state for d in _dynos(c, app) if d.type == "web"]
    return None if "up" in states else ", ".join(sorted(set(states))) or "no web dyno yet"


def _web_not_due(c: Changeover, app: str, found: AppAsFound) -> str | None:
    """The same, but web dynos that start and have had about the time that they took before are as good as up."""
    reason = _web_not_up(c, app)
    return None if reason == "starting" and _is_due(c, found) else reason


def _is_due(c: Changeover, found: AppAsFound) -> bool:
    began, took = c.window.acts.get("scaled-up"), found.boot_seconds
    return began is not None and took is not None and c.clock.now() - began >= took - ROUTER_LEAD


def put_back(c: Changeover) -> None:
    """
    The way back before the point of no return: all apps as they were found, without waiting long for anything.

    A write whose sender was killed may be carried out still, after a look has seen that it was not: the apps serve, and
    are looked after until Heroku has given it up. Then the record holds no act any more that somebody would take for
    an unfinished one.
    """
    _put_all_back(c)
    over = (c.window.unanswered or -LATE_WRITE) + LATE_WRITE
    while c.clock.now() < over:
        c.clock.sleep(LATE_WRITE_POLL)
        _put_all_back(c)
    c.window = c.window.begun_anew()
    c.did("put-back")


def _put_all_back(c: Changeover) -> None:
    side_by_side(lambda name: _put_back(c, name, c.window.apps[name]), c.window.apps)


def _put_back(c: Changeover, name: str, found: AppAsFound) -> None:
    _scale_back(c, name, found, formation_from(c.heroku.get(f"/apps/{name}/formation")))
    ends = c.clock.now() + PUT_BACK_LIMIT
    while found.serves_web and c.clock.now() < ends and _web_not_up(c, name):
        c.clock.sleep(INSIDE_WINDOW)
    _leave_maintenance(c, name, found, in_it=_is_in_maintenance(c, name))
