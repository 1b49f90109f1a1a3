"""
Closing a window that nobody works on any more, by the rules: back before the point of no return, only forward after it.

It is what the keeper and `recover` do, and it does nothing to an app that is as it was found.
"""

from collections.abc import Callable

from heroku_changeover.reach import look
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.wait import Clock
from heroku_changeover.reach.world import world_of
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import Busy, ChangeoverError, TimedOut
from heroku_changeover.terms.facts import App, Database
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.window import AppAsFound, as_of
from heroku_changeover.ways.limits import LOCK_LIMIT
from heroku_changeover.ways.listed import changeover
from heroku_changeover.ways.steps import promote, restore
from heroku_changeover.ways.undoing import back_as_found, has_way_back, up_where_they_are
from heroku_changeover.ways.way import Changeover

LEFT_OVER_LIMIT = 45
"""Seconds in which the sessions of a run that is gone have ended, or have been silent for long enough to be ended."""

DIVIDED_LIMIT = 60
"""Seconds in which another run has moved all of its apps, which it does at the same time."""


def changeover_in(
    record: Record, heroku: Heroku, report: Callable[[str], None], clock: Clock, journal: Journal | None = None
) -> Changeover:
    """The changeover that a record is of, to go on with; `clock` is the one of its moments, as far as that is here."""
    world = world_of(heroku, report, clock, len(record.order.apps))
    document = Document(as_of(record.window, clock.now()), clock, journal, record.order)
    return changeover(record.order, world, document)


def look_for_recovery(c: Changeover) -> Situation | None:
    """What is live; None where an app has a database that is none of this changeover's, and another one has not."""
    try:
        return c.observe()
    except Busy:
        return None


def plan_of_recovery(c: Changeover, situation: Situation | None) -> str:
    """What `recover` would do, in a sentence."""
    if situation is None:
        return f"bring {', '.join(c.order.apps)} back as found, each on the database that it has, if no run moves them"
    apps = ", ".join(situation.apps)
    if has_way_back(c, situation):
        target = {Stage.BEFORE: c.way.words.is_held, Stage.GONE: "is gone"}.get(situation.stage, "is left")
        return f"bring {apps} back on {c.order.leader}, as found; {c.order.target} {target}"
    if situation.stage is Stage.CUT_OFF:
        return (
            f"finish forward: prove that {c.order.target} has every write of {c.order.leader}, make it DATABASE of "
            f"{apps}, and bring them back; without that proof bring them back on {c.order.leader}"
        )
    if situation.stage is Stage.MOVED:
        return f"bring {apps} back on {c.order.target}, which is DATABASE already"
    return f"bring {apps} back as found, on the database that it has: a later changeover has moved on"


def is_as_found(c: Changeover, situation: Situation) -> bool:
    """
    Whether nothing is left to do: no process type that ran before is at 0, and maintenance mode is on only where it was
    found so. Any other quantity or size is a colleague's, and stays.
    """
    if situation.stage is Stage.CUT_OFF or any(name not in c.window.apps for name in situation.apps):
        return False
    return all(not _is_down(c.window.apps[name], app) for name, app in situation.apps.items())


def _is_down(found: AppAsFound, live: App) -> bool:
    stopped = any(p.quantity == 0 and found.quantity(p.type) for p in live.formation)
    return stopped or (live.maintenance and not found.maintenance)


def recover(c: Changeover) -> str:
    """
    Closes the window; returns what came of it. The caller is alone with the apps.

    Raises:
        NeedsPerson: a database was cut off, and it is not certain that it has every write.
        Incomplete, HerokuError: not done yet; it can be tried again.
    """
    try:
        situation = c.way.settled(c)
    except Busy as error:
        return _recover_divided(c, error)
    if has_way_back(c, situation):
        back_as_found(c, situation)
        if situation.leader is not None:
            _end_left_over(c, situation.leader)
        return f"{_PUT_BACK}{c.order.leader}"
    if situation.stage is Stage.SUPERSEDED:
        up_where_they_are(c, situation)
        return f"{_PUT_BACK}the database that a later changeover gave it"
    promote(c)
    restore(c)
    return f"finished forward: {c.order.target} is the primary, and every app is as it was found"


_PUT_BACK = "put back: every app is as it was found, on "


def _recover_divided(c: Changeover, error: Busy) -> str:
    """
    An app has a database that is none of this changeover's. After some patience, and if nothing was cut off and no
    other changeover has fenced or sealed the leader, a person gave it that, and every app goes on with what it has.

    Raises:
        Busy: another run may be between two moves; or this one was.
        SqlUnreachable: nobody can tell.
    """
    if not _stays_divided(c):
        return recover(c)
    heroku, order = c.world.heroku, c.order
    leader, target = (look.database_named(heroku, name) for name in (order.leader, order.target))
    situation = Situation({n: look.app_from(heroku, n) for n in order.apps}, leader, target, Stage.BEFORE)
    cut_off = target is None or not target.is_follower or situation.moved
    if leader is None or cut_off or c.window.is_past_return or not c.proof.seals:
        raise error
    c.world.sql.await_turn(leader.name, c.url_of(leader), c.world.after(LOCK_LIMIT))
    up_where_they_are(c, situation)
    return f"{_PUT_BACK}the database that it has; {error}"


def _stays_divided(c: Changeover) -> bool:
    def divided() -> str | None:
        try:
            c.observe()
        except Busy as error:
            return str(error)
        return None

    apps = ", ".join(c.order.apps)
    try:
        c.world.urgent().until(f"{apps} to have one database", divided, c.world.after(DIVIDED_LIMIT))
    except TimedOut:
        return True
    return False


def _end_left_over(c: Changeover, leader: Database) -> None:
    """
    A run that is no more may have left its lock behind, if its machine is lost: the server notices that, and where it
    does not, the silence of its sessions tells. The apps serve already, so a failure is told, and no more.
    """
    if not c.proof.seals:
        return
    try:
        with doing(Act.END_SESSIONS), c.world.sql.session(leader.name, c.url_of(leader)) as session:
            c.world.urgent().until(
                f"sessions of the run that is gone to end on {leader.name}",
                lambda: f"{left} are there still" if (left := session.end_sessions_left_over()) else None,
                c.world.after(LEFT_OVER_LIMIT),
            )
    except (ChangeoverError, ImportError) as error:
        c.report(f"{error}; if writes to {leader.name} hang, end what `heroku pg:ps {leader.name}` shows of this tool")
