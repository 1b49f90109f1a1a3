"""
Closing a window that nobody works on any more, by the rules: back before the point of no return, only forward after it.

It is what the keeper and `recover` do, and it does nothing to an app that is as it was found.
"""

from collections.abc import Callable

from heroku_changeover.apps.writable import let_write, primaries_without_writes
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.journal import Journal, Record
from heroku_changeover.reach.wait import Clock
from heroku_changeover.reach.world import world_of
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import ChangeoverError
from heroku_changeover.terms.facts import App, Database
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.window import AppAsFound, as_of
from heroku_changeover.ways.listed import changeover
from heroku_changeover.ways.steps import promote, restore
from heroku_changeover.ways.undoing import back_as_found, has_way_back
from heroku_changeover.ways.way import Changeover

LEFT_OVER_LIMIT = 45
"""Seconds in which the sessions of a run that is gone have ended, or have been silent for long enough to be ended."""


def changeover_in(
    record: Record, heroku: Heroku, report: Callable[[str], None], clock: Clock, journal: Journal | None = None
) -> Changeover:
    """The changeover that a record is of, to go on with; `clock` is the one of its moments, as far as that is here."""
    world = world_of(heroku, report, clock, len(record.order.apps))
    document = Document(as_of(record.window, clock.now()), clock, journal, record.order)
    return changeover(record.order, world, document)


def plan_of_recovery(c: Changeover, situation: Situation) -> str:
    """What `recover` would do, in a sentence."""
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
    situation = c.way.settled(c)
    way_back = has_way_back(c, situation)
    if not way_back and situation.stage is not Stage.SUPERSEDED:
        promote(c)
        restore(c)
        return f"finished forward: {c.order.target} is the primary, and every app is as it was found"
    if not way_back:
        for one in primaries_without_writes(c.world, situation.apps.values()):
            let_write(c.world, *one)
    back_as_found(c, situation if way_back else None)
    if way_back and situation.leader is not None:
        _end_left_over(c, situation.leader)
    on = c.order.leader if way_back else "the database that a later changeover gave it"
    return f"put back: every app is as it was found, on {on}"


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
