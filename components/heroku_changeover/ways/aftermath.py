"""What is left to do when the apps serve again: the old database, the backup schedules, the report."""

from typing import Any

from heroku_changeover.apps.attachments import apps_on
from heroku_changeover.reach.answers import reads, resolved
from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.errors import HerokuError, UnexpectedAnswer
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.changeover import Changeover


def retire_leader(c: Changeover, situation: Situation) -> None:
    """
    The old database is read-only for ordinary clients; a promote that could not see to it has left that undone. It is
    so only if this changeover moved DATABASE, and no app has it as DATABASE.
    """
    leader, acts = situation.leader, c.window.acts
    if leader is None or c.order.verify == "api" or "sealed" in acts or "moved" not in acts:
        return
    if apps := apps_on(c, leader):
        c.window = c.window.noting(not_sealed=apps)
        c.report(f"{leader.name} is DATABASE of {', '.join(apps)}, so it goes on taking writes")
        return
    _seal(c, leader)
    c.did("sealed")


def _seal(c: Changeover, leader: Database) -> None:
    """Behind a fence of its own, because the sessions from before are ended."""
    from heroku_changeover.reach.postgres.fence import LOCK_LIMIT, open_fence
    from heroku_changeover.reach.postgres.seal import SEAL_LIMIT, is_sealed, seal
    from heroku_changeover.reach.postgres.session import open_session

    url = c.url_of(leader)
    with open_session(leader.name, url) as holder, open_session(leader.name, url) as observer:
        if is_sealed(observer):
            return
        with c.doing(Act.LOCK):
            open_fence(holder, observer, c.clock, c.report, c.clock.now() + LOCK_LIMIT)
        with c.doing(Act.SEAL):
            seal(observer, c.clock, c.clock.now() + SEAL_LIMIT)
    c.report(f"{leader.name} is read-only now")


def carry_schedules(c: Changeover, situation: Situation) -> None:
    """
    Backup schedules of the old database that the new one does not have; a failure is told, and does not undo a
    changeover.
    """
    if situation.leader is None:
        return
    try:
        carried = _carry(c)
    except (HerokuError, UnexpectedAnswer) as error:
        c.report(f"the backup schedules could not be carried over: {error}; see `heroku pg:backups:schedules`")
        return
    if carried:
        c.report(f"backup schedules carried over: {', '.join(carried)}")
    c.window = c.window.noting(schedules_carried=carried)


@reads("backup schedules")
def _carry(c: Changeover) -> list[str]:
    present = _schedules(c, c.order.follower)
    missing = {name: row for name, row in _schedules(c, c.order.leader).items() if name not in present}
    for row in missing.values():
        _carry_one(c, row)
    return list(missing)


def _carry_one(c: Changeover, row: dict[str, Any]) -> None:
    path = _SCHEDULES.format(c.order.follower)
    with c.doing(Act.CARRY_SCHEDULE):
        resolved(lambda: c.heroku.post_data(path, _schedule(row)), lambda: _has_schedule(c, str(row["name"])), c.clock)


_SCHEDULES = "/client/v11/databases/{}/transfer-schedules"


def _schedules(c: Changeover, database: str) -> dict[str, dict[str, Any]]:
    """A database's backup schedules by the config var that they are made from."""
    return {str(row["name"]): row for row in c.heroku.data(_SCHEDULES.format(database)) or []}


@reads("backup schedules")
def _has_schedule(c: Changeover, name: str) -> bool:
    return name in _schedules(c, c.order.follower)


def _schedule(row: dict[str, Any]) -> dict[str, Any]:
    return {"hour": row["hour"], "timezone": row["timezone"], "schedule_name": row["name"]}


def write_report(c: Changeover, situation: Situation) -> None:
    """The figures that a person asks for the next morning, in the window document and as one line."""
    acts = c.window.acts
    if "maintenance-on" not in acts or situation.follower is None:
        return
    down = round(acts.get("maintenance-off", c.clock.now()) - acts["maintenance-on"], 3)
    c.window = c.window.noting(primary=situation.follower.name, retired=c.order.leader, maintenance_seconds=down)
    c.report(f"{situation.follower.name} is the primary; maintenance lasted {down:.1f} s; {c.order.leader} is kept")
