"""What is left to do when the apps serve again: the old database, the backup schedules, the report."""

from typing import Any

from heroku_changeover.apps.attachments import apps_on
from heroku_changeover.reach.answers import reads, resolved
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import HerokuError, UnexpectedAnswer
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.way import Changeover


def retire_leader(c: Changeover, situation: Situation) -> None:
    """
    Makes the old database read-only for ordinary clients, if promote could not. That is done only if this changeover
    has moved DATABASE and no app has the old one as DATABASE.
    """
    leader = situation.leader
    if leader is None or not c.proof.seals or c.window.has(Moment.SEALED) or not c.window.has(Moment.MOVED):
        return
    if apps := apps_on(c.world, leader):
        c.document.tell(lambda report: report._replace(not_sealed=tuple(apps)))
        c.report(f"{leader.name} is DATABASE of {', '.join(apps)}, so it goes on taking writes")
        return
    c.proof.seal_afterwards(c, leader)
    c.document.tell(lambda report: report._replace(not_sealed=()))
    c.document.did(Moment.SEALED)


def carry_schedules(world: World, document: Document, order: Order, situation: Situation) -> None:
    """
    Makes the backup schedules of the old database that the new one does not have. A failure is told, and does not undo
    a changeover.
    """
    if situation.leader is None:
        return
    try:
        carried = _carry(world, order)
    except (HerokuError, UnexpectedAnswer) as error:
        world.report(f"the backup schedules could not be carried over: {error}; see `heroku pg:backups:schedules`")
        return
    if carried:
        world.report(f"backup schedules carried over: {', '.join(carried)}")
    document.tell(lambda report: report._replace(schedules_carried=tuple(carried)))


@reads("backup schedules")
def _carry(world: World, order: Order) -> list[str]:
    present = _schedules(world.heroku, order.target)
    missing = {name: row for name, row in _schedules(world.heroku, order.leader).items() if name not in present}
    for row in missing.values():
        _carry_one(world, order.target, row)
    return list(missing)


def _carry_one(world: World, target: str, row: dict[str, Any]) -> None:
    with doing(Act.CARRY_SCHEDULE):
        resolved(
            lambda: world.heroku.post_data(_SCHEDULES.format(target), _schedule(row)),
            lambda: str(row["name"]) in _schedules(world.heroku, target),
            world.clock,
            world.report,
        )


_SCHEDULES = "/client/v11/databases/{}/transfer-schedules"


@reads("backup schedules")
def _schedules(heroku: Heroku, database: str) -> dict[str, dict[str, Any]]:
    """A database's backup schedules by the config var that they are made from."""
    return {str(row["name"]): row for row in heroku.data(_SCHEDULES.format(database)) or []}


def _schedule(row: dict[str, Any]) -> dict[str, Any]:
    return {"hour": row["hour"], "timezone": row["timezone"], "schedule_name": row["name"]}


def write_report(c: Changeover, situation: Situation) -> None:
    """The figures that a person asks for the next morning, in the window document and as one line."""
    moments, target = c.window.moments, situation.target
    if Moment.ENTERING_MAINTENANCE not in moments or target is None:
        return
    ended = moments.get(Moment.SERVING, c.world.clock.now())
    down = round(ended - moments[Moment.ENTERING_MAINTENANCE], 3)
    c.document.tell(
        lambda report: report._replace(primary=target.name, retired=c.order.leader, maintenance_seconds=down)
    )
    c.report(f"{target.name} is the primary; maintenance lasted {down:.1f} s; {c.order.leader} is kept")
