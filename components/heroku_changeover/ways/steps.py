"""
The five steps. A step means "reach this state": it observes, acts only on what is missing, and reports.

A finished step is not run again after a later one failed, and hours may lie between two of them, so none trusts that
an earlier one still holds: each re-enters the window where it finds the apps serving.

    await-database   the target is ready and stays so; how every app was found is written down
    maintenance-on   maintenance mode is on in every app
    scale-down       every process type is at 0, and one-off dynos have ended
    promote          the target has every committed write, and is DATABASE of every app
    restore          every app is as it was found, the old database is read-only, the report is written

What takes long is waited for by the step after the one that began it: dynos end and boot while the engine starts the
next process. `promote` waits until the last dyno of `scale-down` is gone, `restore` until the first of `promote` is up.
"""

from collections.abc import Callable, Mapping
from contextlib import closing, suppress
from functools import partial

from heroku_changeover.apps.addresses import is_pooled
from heroku_changeover.apps.attachments import keep_attached, require_attachable, require_ordered, strangers_on
from heroku_changeover.apps.service import bring_back, enter_maintenance, send_down, wait_until_down
from heroku_changeover.reach.sql import Sql
from heroku_changeover.reach.threads import at_once
from heroku_changeover.reach.world import World
from heroku_changeover.terms.captured import taken_down
from heroku_changeover.terms.errors import Busy, Incomplete, NeedsPerson, Refused
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.window import Window
from heroku_changeover.ways.undoing import act_on, only_forward, putting_back, require_not_overtaken, up_where_they_are
from heroku_changeover.ways.way import Changeover, Ends

DONE = "is already done: "


def await_database(c: Changeover) -> None:
    situation = c.observe()
    _begin_anew(c, situation)
    _require_target(c.order, situation)
    if situation.stage is Stage.BEFORE:
        _require_all_ordered(c.order, situation.leader)
        if not situation.is_serving and not c.window.apps:
            raise Refused(_not_as_seen(situation))
        c.capture(situation)
        require_attachable(c.world, situation)
        c.way.wait_until_ready(c)
        c.proof.require_reach(c)
    else:
        c.report(f"{STEPS[0]} {DONE}{situation.stage.value}")
    c.capture(c.observe())
    c.document.did(Moment.CAPTURED)


def _not_as_seen(situation: Situation) -> str:
    return (
        f"app {', '.join(situation.down)} is in maintenance or scaled to nothing, which is not how the preview saw it: "
        "somebody else is at work on it, or an earlier changeover is unfinished; "
        "bring it back, then run `pulumi up` again"
    )


def maintenance_on(c: Changeover) -> None:
    with putting_back(c):
        if (situation := _unless_over(c, "maintenance-on")) is not None:
            _reach_maintenance(c, situation)


def scale_down(c: Changeover) -> None:
    with putting_back(c):
        if (situation := _unless_over(c, "scale-down")) is None:
            return
        _reach_maintenance(c, situation)
        apps = situation.apps.values()
        send_down(c.world, c.document, apps)
        if any(app.one_offs for app in apps):  # the only ones that may take minutes
            wait_until_down(c.world, c.order, apps, c.budget_ends)


def _unless_over(c: Changeover, step: str) -> Situation | None:
    """What is live; None where no app has to go down any more."""
    situation = _look_ahead(c)
    if not situation.stage.is_over:
        return situation
    c.report(f"{step} {DONE}{situation.stage.value}")
    return None


def promote(c: Changeover) -> None:
    with putting_back(c), closing(c.world.sql):
        situation = _look_ahead(c)
        if _is_done(c.window, situation):
            c.report(f"promote {DONE}{situation.stage.value}")
        elif situation.stage is Stage.MOVED:
            from heroku_changeover.ways.moving import finish

            finish(c, situation)
        else:
            _reach_quiet(c, situation)
            _carry_over(c, situation)


def _carry_over(c: Changeover, situation: Situation) -> None:
    """Makes the target the primary of every app, from whatever stage before that it is at."""
    leader, target = situation.leader, situation.target
    if leader is None or target is None:
        raise NeedsPerson(f"{c.order.leader if leader is None else c.order.target} is gone; run `pulumi up --refresh`")
    if situation.stage is Stage.CUT_OFF and not c.window.is_past_return:  # on a machine that has no record of it
        c.document.did(Moment.PASSING_RETURN)
    c.proof.carry_over(c, situation, Ends(leader, target, c.url_of(leader), c.url_of(target)))
    c.document.did(Moment.PROMOTED)


def restore(c: Changeover) -> None:
    from heroku_changeover.ways.aftermath import carry_schedules, retire_leader, write_report
    from heroku_changeover.ways.moving import follow_up

    with only_forward(), closing(c.world.sql):
        situation = c.observe()
        if situation.stage is Stage.SUPERSEDED and c.window.is_open:
            up_where_they_are(c, situation)
            c.report(f"{', '.join(situation.apps)}: as found, on the database that each has by now")
            return
        if _is_done(c.window, situation):
            c.report(f"restore {DONE}{situation.stage.value}{_left_down(situation)}")
            return
        if situation.stage is not Stage.MOVED:
            raise Refused(f"restore comes after promote, but {situation.stage.value}; run `pulumi up`")
        c.capture(situation)
        if not situation.is_serving:
            _keep(c, situation)
        bring_back(c.world, c.document, situation.apps.values())
        c.document.close()
        retire_leader(c, situation)
        carry_schedules(c.world, c.document, c.order, situation)
        write_report(c, situation)
        if left := follow_up(c, situation):
            raise Incomplete(f"every app serves on {c.order.target}, but {'; '.join(left)}. `pulumi up` tries again")
        c.document.finish(c.order)


RUN: Mapping[str, Callable[[Changeover], None]] = dict(
    zip(STEPS, (await_database, maintenance_on, scale_down, promote, restore), strict=True)
)
"""What each of the five words does."""


def _is_done(window: Window, situation: Situation) -> bool:
    """
    Whether nothing of this changeover is left to do. One that has moved and is on no record is as good as done: it may
    be years ago, from a stack that has lost its state, and what is there now is somebody's by intent.
    """
    return situation.stage is Stage.SUPERSEDED or (situation.stage is Stage.MOVED and not window.is_open)


def _left_down(situation: Situation) -> str:
    """What is said of apps that do not serve, which nothing tells from a colleague's work."""
    down = situation.down
    if not down or situation.stage is not Stage.MOVED:
        return ""
    return (
        f"; {', '.join(down)} is in maintenance or scaled to nothing, and is left so, because no record says that this "
        f"changeover did it; `heroku-changeover recover --app {down[0]}` brings it back"
    )


def _begin_anew(c: Changeover, situation: Situation) -> None:
    """The record of a changeover that was finished is none of the one that begins after the way back."""
    if c.window.is_finished and not situation.stage.is_over:
        c.document.begin_another(c.order.generation)


def _require_all_ordered(order: Order, leader: Database | None) -> None:
    """As far as this look can tell; right before the target is cut off Heroku is asked again."""
    have_it = {a.app for a in leader.attachments if a.is_primary} if leader else set()
    require_ordered(leader, have_it - set(order.apps))


def _look_ahead(c: Changeover) -> Situation:
    """
    The look of a step in the window. What the step will need besides is read and loaded while Heroku answers, because
    users wait.
    """
    situation: Situation = at_once(partial(c.observe, addresses=True), partial(_load, c.world.sql))[0]
    _begin_anew(c, situation)
    _require_target(c.order, situation)
    require_not_overtaken(c, situation)
    return _with_its_way_back(c, situation)


def _with_its_way_back(c: Changeover, situation: Situation) -> Situation:
    """
    A run that died between noting that it passes the point of no return and passing it has left the way back open, and
    a window that is entered again has it, with a budget of its own.
    """
    if situation.stage is not Stage.BEFORE or not c.window.is_past_return or situation.is_serving:
        return situation
    situation = c.way.settled(c)
    if situation.stage is Stage.BEFORE:
        c.document.forget(Moment.PASSING_RETURN)
    return situation


def _load(sql: Sql) -> None:
    """Where that fails, whoever needs it says so."""
    with suppress(Exception):
        sql.load()


def _require_target(order: Order, situation: Situation) -> None:
    if situation.stage is Stage.GONE:
        raise Refused(f"there is no add-on {order.target}, although the stack has it: run `pulumi up --refresh`")


def _reach_maintenance(c: Changeover, situation: Situation) -> None:
    for name, app in taken_down(c.window, situation).items():
        found = ", ".join(f"{p.type} {p.quantity}" for p in app.formation)
        c.report(f"{name} was taken down since it was captured; it comes back as it was then: {found}")
    c.capture(situation)
    if situation.is_serving or situation.stage is Stage.CUT_OFF:
        _require_a_way(c, situation)
    _keep(c, situation)
    enter_maintenance(c.world, c.document, situation.apps.values())


def _keep(c: Changeover, situation: Situation) -> None:
    """
    An app that serves is not taken down without a keeper; one that is down is brought back all the same, unless that is
    another run's doing.
    """
    try:
        c.keep(c.order, c.document)
    except Busy:
        raise
    except Refused as error:
        if situation.is_serving:
            raise
        c.report(str(error))


def _require_a_way(c: Changeover, situation: Situation) -> None:
    """An app that serves is not taken down for a changeover that cannot succeed."""
    if situation.stage is Stage.BEFORE:
        c.document.begin_anew()
        _require_all_ordered(c.order, situation.leader)
        require_attachable(c.world, situation)
        c.way.require_ready(c, situation)
        c.proof.require_reach(c)
    else:
        act_on(c, situation, c.proof.verdict(c, situation))


def _reach_quiet(c: Changeover, situation: Situation) -> None:
    """No dyno runs; what can be done beside that is done while the last ones end."""
    _reach_maintenance(c, situation)
    apps = situation.apps.values()
    send_down(c.world, c.document, apps)
    pooled = [app.name for app in apps if is_pooled(app)]
    meanwhile = (
        partial(_see_to_leader, c.world, c.order, situation),
        partial(c.proof.prepare, c, situation),
        partial(c.addresses.read_ahead, pooled),
    )
    wait_until_down(c.world, c.order, apps, c.budget_ends, *meanwhile)
    c.document.did(Moment.QUIET)


def _see_to_leader(world: World, order: Order, situation: Situation) -> None:
    """No app outside the order has it as DATABASE, for which Heroku is asked anew; and it gets a name of its own."""
    leader = situation.leader
    if leader is not None:
        if situation.stage is Stage.BEFORE:
            require_ordered(leader, strangers_on(world, leader, order))
        keep_attached(world, leader)
