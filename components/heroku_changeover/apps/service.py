"""
An app's service: maintenance mode, formation, dynos; taking it down for the window and bringing it back as it was.
"""

from collections.abc import Callable, Iterable
from functools import partial
from threading import Event
from typing import Any

from heroku_changeover.reach.answers import reads, resolved
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.reading import dynos_from, formation_from
from heroku_changeover.reach.threads import at_once, side_by_side
from heroku_changeover.reach.wait import INSIDE_WINDOW
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import TimedOut
from heroku_changeover.terms.facts import App, Dyno, ProcessType
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order

DYNO_LIMIT = 90
"""Seconds for dynos to go: Heroku sends SIGTERM, and SIGKILL 30 s later (devcenter: dyno-shutdown-behavior)."""

BOOT_LIMIT = 300
"""
Seconds for the first web dyno to come up: Heroku's own limit for binding the port is 60 s, 90 s at most on request.
"""

ROUTER_LEAD = 2.0
"""
How many seconds before a web dyno is due maintenance mode ends: Heroku's router takes seconds to act on it (devcenter:
maintenance-mode), and it holds requests for a dyno that is starting (devcenter: error-codes, H20).
"""

LATE_LIMIT = 20
"""Seconds for a web dyno that was due; then users see the maintenance page again until it is up."""

LATE_WRITE, LATE_WRITE_POLL = 30, 1.0
"""
Seconds after which a request whose sender is gone is not carried out any more, because Heroku's own router gives none
longer (devcenter: error-codes, H12); and seconds between two looks until then.
"""

PUT_BACK_LIMIT = 20
"""Seconds that putting back waits for a web dyno before maintenance mode ends all the same."""


def enter_maintenance(world: World, document: Document, apps: Iterable[App]) -> None:
    """Maintenance mode on in every app that is not in it; the window's budget starts when the first one goes down."""
    serving = [app.name for app in apps if not app.maintenance]
    if serving or not document.window.is_open:
        document.did(Moment.ENTERING_MAINTENANCE)
        side_by_side(lambda name: set_maintenance(world, name, on=True), serving)
        document.did(Moment.IN_MAINTENANCE)
    if serving:
        world.report(f"maintenance mode is on: {', '.join(serving)}")


def set_maintenance(world: World, app: str, *, on: bool) -> None:
    """Maintenance mode stops the router only; dynos go on (devcenter: maintenance-mode)."""
    with doing(Act.MAINTENANCE_ON if on else Act.MAINTENANCE_OFF):
        world.heroku.patch(f"/apps/{app}", {"maintenance": on})


def send_down(world: World, document: Document, apps: Iterable[App]) -> None:
    """Every process type of every app to 0, one call an app; the dynos end by themselves."""
    running = [app for app in apps if app.writers]
    if running:
        document.did(Moment.SCALING_DOWN)
        side_by_side(lambda app: _scale_down(world, app), running)
        document.did(Moment.SCALED_DOWN)
    for app in running:
        world.report(f"{app.name}: {', '.join(f'{p.type} {p.quantity}' for p in app.writers)} scaled to 0")


def wait_until_down(
    world: World, order: Order, apps: Iterable[App], deadline: float, *meanwhile: Callable[[], None]
) -> None:
    """
    Waits until the dynos are gone; `meanwhile` is done while they end. Where that fails, nobody waits any longer: the
    apps are down, and a one-off dyno may take the whole budget.
    """
    running, failed = [app for app in apps if app.writers or app.dynos], Event()
    gone = partial(_wait_until_gone, world, order.one_off_dynos, deadline, failed)
    at_once(*(partial(gone, app) for app in running), *(partial(_or_set, failed, act) for act in meanwhile))


def _or_set(failed: Event, act: Callable[[], None]) -> None:
    try:
        act()
    except BaseException:
        failed.set()
        raise


def _scale_down(world: World, app: App) -> None:
    with doing(Act.SCALE_DOWN):
        _scale(world, app.name, [ProcessType(p.type, 0, p.size) for p in app.writers])


def _scale(world: World, app: str, formation: Iterable[ProcessType], *, with_size: bool = False) -> None:
    updates: list[dict[str, Any]] = [{"type": p.type, "quantity": p.quantity} for p in formation]
    if with_size:
        for update, process_type in zip(updates, formation, strict=True):
            update["size"] = process_type.size
    world.heroku.patch(f"/apps/{app}/formation", {"updates": updates})


def _wait_until_gone(world: World, one_off_dynos: str, deadline: float, failed: Event, app: App) -> None:
    """
    The formation's dynos within their limit; one-offs, by policy, are stopped or may take the rest of the budget. Ends
    early where something else has `failed`.
    """
    types = {p.type for p in app.formation}
    seen: list[tuple[Dyno, ...]] = []

    def running() -> str | None:
        dynos = _dynos(world, app.name)
        left = _remaining([d for d in dynos if d.type in types])
        if left is None:
            seen.append(dynos)
        return left

    with doing(Act.AWAIT_DYNOS):
        world.wait_closely(
            f"the dynos of {app.name} to end", _unless(failed, running), min(world.after(DYNO_LIMIT), deadline)
        )
    with doing(Act.AWAIT_ONE_OFFS):
        if seen and seen[0]:
            one_offs = _one_offs(world, app.name, types, one_off_dynos)
            world.urgent().until(f"the one-off dynos of {app.name} to end", _unless(failed, one_offs), deadline)


def _unless(failed: Event, probe: Callable[[], str | None]) -> Callable[[], str | None]:
    return lambda: None if failed.is_set() else probe()


def _one_offs(world: World, app: str, types: set[str], policy: str) -> Callable[[], str | None]:
    """Looks which dynos are left that are of no process type; by policy, each of them is told to stop, once."""
    asked: set[str] = set()

    def left() -> str | None:
        dynos = [d for d in _dynos(world, app) if d.type not in types]
        if policy == "stop":
            _stop(world, app, [d for d in dynos if d.name not in asked])
            asked.update(d.name for d in dynos)
        return _remaining(dynos)

    return left


def _remaining(dynos: list[Dyno]) -> str | None:
    return ", ".join(f"{d.name} {d.state}" for d in dynos) or None


def _dynos(world: World, app: str) -> tuple[Dyno, ...]:
    return dynos_from(world.heroku.get(f"/apps/{app}/dynos"))


def _stop(world: World, app: str, dynos: list[Dyno]) -> None:
    for dyno in dynos:
        _stop_one(world, app, dyno)
        world.report(f"{app}: one-off dyno {dyno.name} was told to stop")


def _stop_one(world: World, app: str, dyno: Dyno) -> None:
    """One that ended by itself meanwhile is not there any more, which is as good."""
    with doing(Act.STOP_ONE_OFF):
        resolved(
            lambda: world.heroku.post(f"/apps/{app}/dynos/{dyno.name}/actions/stop"),
            lambda: all(d.name != dyno.name or d.state == "stopping" for d in _dynos(world, app)),
            world.clock,
            world.report,
        )


def bring_back(world: World, document: Document, apps: Iterable[App]) -> None:
    """
    Brings back formation and maintenance flag of every app as they were found. A value that a colleague has set since
    is left alone.
    """
    side_by_side(lambda app: _bring_back(world, document, app), apps)


def live_formations(world: World, names: Iterable[str]) -> dict[str, tuple[ProcessType, ...]]:
    """The formation of every app, as it is now."""
    apps = list(names)
    read = side_by_side(lambda name: formation_from(world.heroku.get(f"/apps/{name}/formation")), apps)
    return dict(zip(apps, read, strict=True))


def start_dynos(world: World, document: Document, name: str, formation: Iterable[ProcessType]) -> None:
    """
    Lets the dynos of a moved app boot while the engine goes on to `restore`; what a colleague scaled since is left
    alone. `formation` is the live one.
    """
    _scale_back(world, document, name, formation)


def _bring_back(world: World, document: Document, app: App) -> None:
    found = document.window.apps[app.name]
    _scale_back(world, document, app.name, app.formation)
    if found.serves_web:
        _await_web(world, app.name, lambda: _web_not_due(world, document, app.name), BOOT_LIMIT)
    _leave_maintenance(world, document, app.name, in_it=app.maintenance)
    if found.serves_web:
        _see_web_up(world, document, app.name)
        document.did(Moment.WEB_UP)


def _await_web(world: World, app: str, probe: Callable[[], str | None], seconds: float) -> None:
    with doing(Act.AWAIT_WEB):
        world.wait_closely(f"a web dyno of {app} to come up", probe, world.after(seconds))


def _see_web_up(world: World, document: Document, name: str) -> None:
    """Maintenance mode may have ended a moment ahead of the dyno: if that does not come, users get the page again."""
    not_up = partial(_web_not_up, world, name)
    try:
        _await_web(world, name, not_up, LATE_LIMIT)
    except TimedOut as late:
        if not document.window.apps[name].maintenance:
            world.report(f"{late}; maintenance mode until it does")
            set_maintenance(world, name, on=True)
        _await_web(world, name, not_up, BOOT_LIMIT)
        _leave_maintenance(world, document, name, in_it=True)


def _scale_back(world: World, document: Document, name: str, formation: Iterable[ProcessType]) -> None:
    live = {p.type: p for p in formation}
    found = document.window.apps[name].formation
    down = [p for p in found if p.quantity and p.type in live and live[p.type].quantity == 0]
    if down:
        with doing(Act.SCALE_UP):
            _scale(world, name, down, with_size=True)
        document.did(Moment.SCALED_UP)
        world.report(f"{name}: scaled back to {', '.join(f'{p.type} {p.quantity}' for p in down)}")


def _leave_maintenance(world: World, document: Document, name: str, *, in_it: bool) -> None:
    if not document.window.apps[name].maintenance and in_it:
        set_maintenance(world, name, on=False)
        world.report(f"{name}: maintenance mode is off")
    elif document.window.has(Moment.SERVING):
        return  # done before, by a keeper or a step whose run broke
    document.did(Moment.SERVING)


@reads("an app")
def _is_in_maintenance(world: World, name: str) -> bool:
    return bool(world.heroku.get(f"/apps/{name}")["maintenance"])


def _web_not_up(world: World, app: str) -> str | None:
    """What keeps the app from serving; None when a web dyno is up."""
    states = [d.state for d in _dynos(world, app) if d.type == "web"]
    return None if "up" in states else ", ".join(sorted(set(states))) or "no web dyno yet"


def _web_not_due(world: World, document: Document, app: str) -> str | None:
    """The same, but web dynos that start and have had about the time that they took before are as good as up."""
    reason = _web_not_up(world, app)
    return None if reason == "starting" and _is_due(world, document, app) else reason


def _is_due(world: World, document: Document, app: str) -> bool:
    began, took = document.window.moments.get(Moment.SCALED_UP), document.window.apps[app].boot_seconds
    return began is not None and took is not None and world.clock.now() - began >= took - ROUTER_LEAD


def put_back(world: World, document: Document) -> None:
    """
    The way back before the point of no return: all apps as they were found, without waiting long for anything.

    A write whose sender was killed may still be carried out, although a look has just seen that it was not. So the apps
    serve, and are put back again and again until Heroku has given such a write up. Then the document forgets what was
    noted, so that nobody takes it for something unfinished.
    """
    _put_all_back(world, document)
    over = (document.window.unanswered or -LATE_WRITE) + LATE_WRITE
    while world.clock.now() < over:
        world.clock.sleep(LATE_WRITE_POLL)
        _put_all_back(world, document)
    document.begin_anew()
    document.did(Moment.PUT_BACK)


def _put_all_back(world: World, document: Document) -> None:
    side_by_side(lambda name: _put_back(world, document, name), document.window.apps)


def _put_back(world: World, document: Document, name: str) -> None:
    _scale_back(world, document, name, formation_from(world.heroku.get(f"/apps/{name}/formation")))
    ends = world.after(PUT_BACK_LIMIT)
    while document.window.apps[name].serves_web and world.clock.now() < ends and _web_not_up(world, name):
        world.clock.sleep(INSIDE_WINDOW)
    _leave_maintenance(world, document, name, in_it=_is_in_maintenance(world, name))
