"""
Moving DATABASE and its companions from the leader to the new primary, in every app, and making sure that it took.

Replacing an attachment is not atomic on Heroku: it makes a release that detaches and one that attaches, and a release
phase may fail on either. So nothing is taken as done until the release has succeeded and the config var was read
back.
"""

from collections.abc import Iterable
from typing import Any

from heroku_changeover.reach.answers import Json, reads, resolved
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.reading import attachments_from
from heroku_changeover.reach.threads import at_once, side_by_side
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import Incomplete, Refused, TimedOut
from heroku_changeover.terms.facts import PRIMARY, App, Attachment, Database, Name
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.window import Window

RELEASE_LIMIT = 900
"""Seconds for a release phase; the Heroku CLI waits as long in pg:promote."""

RECENT_RELEASES = 100
"""
How many releases are looked through for the one that attached DATABASE: every companion makes two after it.
"""


def companions(app: App, leader: Database, names: Iterable[Name]) -> list[Attachment]:
    """
    What moves in an app: DATABASE first, then poolers, credentials and every other name that a person chose. `names`
    are those of the record: a name that the leader was given since is somebody else's, and stays.
    """
    known = frozenset(names)
    moving = [a for a in app.attachments if a.addon_id == leader.id and Name(a.name, a.namespace) in known]
    if app.primary is None:  # taken away and not given back: replacing an attachment makes two releases
        moving.append(_as_primary(app, leader, known))
    return sorted(moving, key=lambda a: (not a.is_primary, a.name))


def _as_primary(app: App, database: Database, names: Iterable[Name]) -> Attachment:
    """DATABASE as it was before it was taken away, with the same credential or pooler."""
    namespace = next((n.namespace for n in names if n.name == PRIMARY), None)
    return Attachment("", PRIMARY, namespace, database.id, database.name, app.name)


def keep_attached(world: World, leader: Database) -> None:
    """
    Gives the leader a colour name on the app that pays for it, because Heroku refuses to take away the last
    attachment there.

    `heroku pg:promote` does the same. It is a release, so it is made while no dyno runs.
    """
    if _has_own_name(leader.attachments, leader):
        return
    body = {"addon": leader.name, "app": leader.app, "confirm": leader.app}
    with doing(Act.KEEP_ATTACHED):
        resolved(
            lambda: world.heroku.post("/addon-attachments", body),
            lambda: _has_own_name(attachments_from(world.heroku.get(f"/apps/{leader.app}/addon-attachments")), leader),
            world.clock,
        )
    world.report(f"{leader.name} keeps an attachment on {leader.app} under a name of its own")


def _has_own_name(attachments: Iterable[Attachment], leader: Database) -> bool:
    own = (a for a in attachments if a.app == leader.app and a.addon_id == leader.id)
    return any(a.is_colour and a.namespace is None for a in own)


def move(world: World, document: Document, apps: Iterable[App], leader: Database, target: Database) -> None:
    """Moves every companion in every app, apps side by side."""
    side_by_side(lambda app: _move_app(world, document.window, app, leader, target), apps)
    document.did(Moment.MOVED)


def _move_app(world: World, window: Window, app: App, leader: Database, target: Database) -> None:
    for attachment in companions(app, leader, window.apps[app.name].names):
        _attach(world, attachment, target)
        world.report(f"{app.name}: {attachment.name} is {target.name}")


def give_back(world: World, window: Window, apps: Iterable[App], leader: Database) -> None:
    """The leader as DATABASE to every app that has none: a replacement was broken off between its two releases."""
    for app in apps:
        if app.primary is None:
            _attach(world, _as_primary(app, leader, window.apps[app.name].names), leader)
            world.report(f"{app.name}: {PRIMARY} is {leader.name} again")


def apps_on(world: World, database: Database) -> list[str]:
    """The apps that have it as DATABASE at this moment, asked for by its id."""
    live = attachments_from(world.heroku.get(f"/addons/{database.id}/addon-attachments"))
    return sorted({a.app for a in live if a.is_primary})


def strangers_on(world: World, database: Database, order: Order) -> list[str]:
    """The apps that have it as DATABASE at this moment and are not part of this changeover."""
    return [app for app in apps_on(world, database) if app not in order.apps]


def require_ordered(leader: Database | None, strangers: Iterable[str]) -> None:
    """
    Raises:
        Refused: an app outside the order has the leader as DATABASE, and would be left on a read-only database.
    """
    if leader is not None and (others := sorted(strangers)):
        raise Refused(
            f"{leader.name} is DATABASE of {', '.join(others)} too, and the old database is read-only afterwards: "
            "list it in `apps`, so that it moves along, or give it another database, then run `pulumi up` again"
        )


def _attach(world: World, attachment: Attachment, to: Database) -> None:
    body: dict[str, Any] = {
        "addon": to.name,
        "app": attachment.app,
        "name": attachment.name,
        "namespace": attachment.namespace,
        "confirm": attachment.app,
    }
    with doing(Act.ATTACH):
        resolved(
            lambda: world.heroku.post("/addon-attachments", body),
            lambda: _is_attached(world, attachment, to),
            world.clock,
        )


def _is_attached(world: World, attachment: Attachment, to: Database) -> bool:
    live = attachments_from(world.heroku.get(f"/apps/{attachment.app}/addon-attachments"))
    return any(a.name == attachment.name and a.addon_id == to.id for a in live)


def confirm_moved(world: World, app: str, target: Database, url: str) -> None:
    """
    Waits for the release that attached DATABASE and reads the config var back.

    Raises:
        Incomplete: with what the release says, or that the config var still holds another address.
    """
    releases, values = at_once(lambda: _recent(world, app), lambda: world.heroku.get(f"/apps/{app}/config-vars"))
    attached = _attach_release(releases, target.name)
    if attached is not None:
        _require_success(world, app, attached, releases)
    if url and values.get(f"{PRIMARY}_URL") != url:
        raise Incomplete(
            f"app {app}: {PRIMARY}_URL does not hold the address of {target.name} yet; run `pulumi up` again"
        )


def _recent(world: World, app: str) -> Json:
    """Releases, the newest first."""
    return world.heroku.newest(f"/apps/{app}/releases", RECENT_RELEASES)


@reads("releases")
def _attach_release(releases: Json, addon: str) -> int | None:
    """The version of the newest release that attached DATABASE to this add-on; None when it is long ago."""
    for release in releases:
        if f"Attach {PRIMARY} " in release["description"] and addon in release["description"]:
            return int(release["version"])
    return None


@reads("releases")
def _statuses_since(releases: Json, version: int) -> list[str]:
    """Newest first, down to that release itself."""
    return [str(r["status"]) for r in releases if int(r["version"]) >= version]


def _require_success(world: World, app: str, version: int, releases: Json) -> None:
    """
    A release whose command failed is not what dynos run; one that succeeded since carries the attachment too.
    `releases` are those seen last.
    """
    statuses: list[str] = []
    unread = [releases]

    def pending() -> str | None:
        statuses[:] = _statuses_since(unread.pop() if unread else _recent(world, app), version)
        return "its release phase is running" if "pending" in statuses and "succeeded" not in statuses else None

    try:
        with doing(Act.AWAIT_RELEASE):
            world.urgent().until(f"the release of {app}", pending, world.clock.now() + RELEASE_LIMIT)
    except TimedOut as error:
        raise Incomplete(
            f"app {app}: {error}; see `heroku releases:output --app {app}`, then run `pulumi up` again"
        ) from error
    if "succeeded" not in statuses:
        raise Incomplete(
            f"app {app}: the release that attaches {PRIMARY} {statuses[-1]}; see `heroku releases:output --app {app}`, "
            "mend the release command, make a release that succeeds (`heroku releases:retry` or a deploy), "
            "and run `pulumi up` again"
        )
