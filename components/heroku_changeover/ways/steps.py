"""
The five steps. A step means "reach this state": it observes, acts only on what is missing, and reports.

A finished step is not run again after a later one failed, and hours may lie between two of them, so none trusts that
an earlier one still holds: each re-enters the window where it finds the apps serving.

    await-follower   the follower is available, close behind and staying there; how every app was found is written down
    maintenance-on   maintenance mode is on in every app
    scale-down       every process type is at 0, and one-off dynos have ended
    promote          the follower has every committed write, is nobody's follower, and is DATABASE of every app
    restore          every app is as it was found, the old database is read-only, the report is written

What takes long is waited for by the step after the one that began it: dynos end and boot while the engine starts the
next process. `promote` waits until the last dyno of `scale-down` is gone, `restore` until the first of `promote` is up.
"""

from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import TYPE_CHECKING

from heroku_changeover.apps.attachments import keep_attached, require_ordered, strangers_on
from heroku_changeover.apps.service import bring_back, enter_maintenance, put_back, send_down, wait_until_down
from heroku_changeover.terms.errors import ChangeoverError, Incomplete, NeedsPerson, NothingChanged, Refused
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.window import Window
from heroku_changeover.ways.changeover import Changeover
from heroku_changeover.ways.follow.cut_off import is_cut_off
from heroku_changeover.ways.follow.readiness import require_ready, wait_until_ready

if TYPE_CHECKING:
    from heroku_changeover.ways.sessions import Ahead


DONE = "is already done: "


def await_follower(c: Changeover) -> None:
    situation = c.observe()
    _begin_anew(c, situation)
    _require_follower(c, situation)
    if situation.stage is Stage.FOLLOWING:
        _require_all_ordered(c, situation)
        if not situation.is_serving and not c.window.apps:
            raise Refused(_not_as_seen(situation))
        wait_until_ready(c)
    else:
        c.report(f"await-follower {DONE}{situation.stage.value}")
    c.capture(c.observe())
    c.did("captured")


def _not_as_seen(situation: Situation) -> str:
    down = [a.name for a in situation.apps.values() if not a.is_serving]
    return (
        f"app {', '.join(down)} is in maintenance or scaled to nothing, which is not how the preview saw it: "
        "somebody else is at work on it, or an earlier changeover is unfinished; "
        "bring it back, then run `pulumi up` again"
    )


def maintenance_on(c: Changeover) -> None:
    with _putting_back(c):
        situation = _look_ahead(c)
        if situation.stage in {Stage.MOVED, Stage.SUPERSEDED}:
            c.report(f"maintenance-on {DONE}{situation.stage.value}")
            return
        _reach_maintenance(c, situation)


def scale_down(c: Changeover) -> None:
    with _putting_back(c):
        situation = _look_ahead(c)
        if situation.stage in {Stage.MOVED, Stage.SUPERSEDED}:
            c.report(f"scale-down {DONE}{situation.stage.value}")
            return
        _reach_maintenance(c, situation)
        send_down(c, situation)
        if any(app.one_offs for app in situation.apps.values()):  # the only ones that may take minutes
            wait_until_down(c, situation)


def promote(c: Changeover) -> None:
    with _putting_back(c):
        situation = _look_ahead(c)
        if _is_done(c, situation):
            c.report(f"promote {DONE}{situation.stage.value}")
            return
        from heroku_changeover.ways.sessions import Ahead
        from heroku_changeover.ways.switch import finish, switch

        if situation.stage is Stage.MOVED:
            finish(c, situation)
            return
        with Ahead() as ahead:
            _reach_quiet(c, situation, ahead)
            switch(c, situation, ahead)


def restore(c: Changeover) -> None:
    from heroku_changeover.ways.aftermath import carry_schedules, retire_leader, write_report

    with _only_forward():
        situation = c.observe()
        if _is_done(c, situation):
            c.report(f"restore {DONE}{situation.stage.value}{_left_down(situation)}")
            return
        if situation.stage is not Stage.MOVED:
            raise Refused(f"restore comes after promote, but {situation.stage.value}; run `pulumi up`")
        c.capture(situation)
        if not situation.is_serving:
            _keep(c, situation)
        bring_back(c, situation)
        c.close_window()
        retire_leader(c, situation)
        carry_schedules(c, situation)
        write_report(c, situation)
        c.finished()


STEPS: Mapping[str, Callable[[Changeover], None]] = {
    "await-follower": await_follower,
    "maintenance-on": maintenance_on,
    "scale-down": scale_down,
    "promote": promote,
    "restore": restore,
}


def _is_done(c: Changeover, situation: Situation) -> bool:
    """
    Whether nothing of this changeover is left to do. One that has moved and is on no record is as good as done: it may
    be years ago, from a stack that has lost its state, and what is there now is somebody's by intent.
    """
    return situation.stage is Stage.SUPERSEDED or (situation.stage is Stage.MOVED and not c.has_begun)


def _left_down(situation: Situation) -> str:
    """What is said of apps that do not serve, which nothing tells from a colleague's work."""
    down = [app.name for app in situation.apps.values() if not app.is_serving]
    if not down or situation.stage is not Stage.MOVED:
        return ""
    return (
        f"; {', '.join(down)} is in maintenance or scaled to nothing, and is left so, because no record says that this "
        f"changeover did it; `heroku-changeover recover --app {down[0]}` brings it back"
    )


def _begin_anew(c: Changeover, situation: Situation) -> None:
    """The record of a changeover that was finished is none of the one that begins after the way back."""
    if c.window.is_finished and situation.stage not in {Stage.MOVED, Stage.SUPERSEDED}:
        c.window = Window(c.order.generation)


def _require_all_ordered(c: Changeover, situation: Situation) -> None:
    """As far as this look can tell; right before the follower is cut off Heroku is asked again."""
    leader = situation.leader
    have_it = {a.app for a in leader.attachments if a.is_primary} if leader else set()
    require_ordered(leader, have_it - set(c.order.apps))


def _look_ahead(c: Changeover) -> Situation:
    """
    The look of a step in the window: what it will need besides is read and imported while Heroku answers, because
    users wait for it.
    """
    with ThreadPoolExecutor(1) as pool:
        pool.submit(import_module, "heroku_changeover.ways.switch")
        situation = c.observe(addresses=True)
    _begin_anew(c, situation)
    _require_follower(c, situation)
    return situation


def _require_follower(c: Changeover, situation: Situation) -> None:
    if situation.stage is Stage.GONE:
        raise Refused(f"there is no add-on {c.order.follower}, although the stack has it: run `pulumi up --refresh`")


def _reach_maintenance(c: Changeover, situation: Situation) -> None:
    c.capture(situation)
    if situation.is_serving or situation.stage is Stage.CUT_OFF:
        _require_a_way(c, situation)
    _keep(c, situation)
    enter_maintenance(c, situation)


def _keep(c: Changeover, situation: Situation) -> None:
    """An app that serves is not taken down without a keeper; one that is down is brought back all the same."""
    try:
        c.keep(c)
    except Refused as error:
        if situation.is_serving:
            raise
        c.report(str(error))


def _require_a_way(c: Changeover, situation: Situation) -> None:
    """An app that serves is not taken down for a changeover that cannot succeed."""
    if situation.stage is Stage.FOLLOWING:
        c.window = c.window.begun_anew()
        _require_all_ordered(c, situation)
        require_ready(c, situation)
    else:
        from heroku_changeover.ways.switch import require_provable

        require_provable(c, situation)


def _reach_quiet(c: Changeover, situation: Situation, ahead: "Ahead") -> None:
    """No dyno runs; what can be done beside that is done while the last ones end."""
    _reach_maintenance(c, situation)
    send_down(c, situation)
    wait_until_down(c, situation, lambda: _see_to_leader(c, situation), lambda: ahead.open(c, situation))
    c.did("quiet")


def _see_to_leader(c: Changeover, situation: Situation) -> None:
    """It is left by all apps that have it as DATABASE, which Heroku is asked for anew, and keeps a name of its own."""
    leader = situation.leader
    if leader is not None:
        if situation.stage is Stage.FOLLOWING:
            require_ordered(leader, strangers_on(c, leader))
        keep_attached(c, leader)


@contextmanager
def _putting_back(c: Changeover) -> Iterator[None]:
    """
    Before the follower is cut off, whatever goes wrong puts every app back as it was found; after that the only way
    is forward.

    Raises:
        NothingChanged, Incomplete: which of the two it was, with the reason.
        NeedsPerson: passed on; or the apps could not be put back.
    """
    try:
        yield
    except Incomplete:
        raise
    except NeedsPerson:
        raise
    except BaseException as error:
        c.clock = c.clock.undisturbed()
        if is_cut_off(c):
            raise Incomplete(
                f"{_reason(error)}; the follower is cut off, so the only way is forward: run `pulumi up` again"
            ) from error
        _put_back_or_say(c, error)
        if isinstance(error, Refused):
            raise
        raise NothingChanged(f"{_reason(error)}; every app is as it was found, nothing was moved") from error


def _put_back_or_say(c: Changeover, error: BaseException) -> None:
    if not c.has_begun:
        return  # what is down is so by somebody else's doing
    c.report("putting every app back as it was found")
    try:
        put_back(c)
        c.close_window()
    except ChangeoverError as second:
        raise NeedsPerson(
            f"{_reason(error)}; and the apps could not be put back: {second}. Check formation and maintenance mode of "
            f"{', '.join(c.order.apps)}: they were {c.window.line()}"
        ) from second


@contextmanager
def _only_forward() -> Iterator[None]:
    try:
        yield
    except (Incomplete, NeedsPerson, Refused):
        raise
    except Exception as error:
        raise Incomplete(f"{_reason(error)}; the apps have moved; run `pulumi up` again to finish") from error


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
