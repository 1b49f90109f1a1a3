"""Who has a database under which name: what moves, what stays, what would be left behind; and attaching one."""

from collections.abc import Iterable
from typing import Any

from heroku_changeover.apps.addresses import CREDENTIAL
from heroku_changeover.reach.answers import TRIES, reads, resolved
from heroku_changeover.reach.reading import attachments_from
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import (
    HerokuError,
    Refused,
)
from heroku_changeover.terms.facts import PRIMARY, App, Attachment, Database, Name
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.situation import Situation
from heroku_changeover.terms.window import Window


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
            world.report,
        )
    world.report(f"{leader.name} keeps an attachment on {leader.app} under a name of its own")


def _has_own_name(attachments: Iterable[Attachment], leader: Database) -> bool:
    own = (a for a in attachments if a.app == leader.app and a.addon_id == leader.id)
    return any(a.is_colour and a.namespace is None for a in own)


def give_back(world: World, window: Window, apps: Iterable[App], leader: Database) -> None:
    """The leader as DATABASE to every app that has none: a replacement was broken off between its two releases."""
    for app in apps:
        if app.primary is None:
            attach(world, _as_primary(app, leader, window.apps[app.name].names), leader)
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


def require_attachable(world: World, situation: Situation) -> None:
    """
    Raises:
        Refused: DATABASE of an app goes through a credential that the target does not have.
    """
    leader, target = situation.leader, situation.target
    if leader is None or target is None:
        return
    through = {a.name: _credential_of(a, leader) for a in situation.apps.values()}
    wanted = {app: name for app, name in through.items() if name}
    known = _credentials(world, target) if wanted else None
    for app, name in wanted.items():
        if known is not None and name not in known:
            attach = f"heroku addons:attach {leader.name}"
            spare = f"`{attach} --app {app}`, then " if len(leader.attached_to(app)) == 1 else ""
            raise Refused(
                f"app {app} has {leader.name} as {PRIMARY} through the credential {name}, which {target.name} does not "
                f"have, so {PRIMARY} could not move along. Let it use the default credential meanwhile: {spare}"
                f"`{attach} --as {PRIMARY} --app {app} --confirm {app}`, then run `pulumi up` again"
            )


def _credential_of(app: App, leader: Database) -> str:
    primary = app.primary
    on_leader = primary is not None and primary.addon_id == leader.id
    return ((primary.namespace if primary and on_leader else None) or "").partition(CREDENTIAL)[2]


@reads("credentials")
def _credentials(world: World, database: Database) -> list[str] | None:
    """What Heroku says that a database has; None where it does not say."""
    try:
        return [str(row["name"]) for row in world.heroku.data(f"/postgres/v0/databases/{database.id}/credentials")]
    except HerokuError:
        return None


def attach(world: World, attachment: Attachment, to: Database, tries: int = TRIES) -> None:
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
            world.report,
            tries,
        )


def _is_attached(world: World, attachment: Attachment, to: Database) -> bool:
    live = attachments_from(world.heroku.get(f"/apps/{attachment.app}/addon-attachments"))
    return any(a.name == attachment.name and a.addon_id == to.id for a in live)
