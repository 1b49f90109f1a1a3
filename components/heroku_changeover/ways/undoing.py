"""What follows from an error in the window: back before the point of no return, only forward after it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from heroku_changeover.apps.attachments import give_back
from heroku_changeover.apps.service import put_back
from heroku_changeover.apps.writable import let_write, primaries_without_writes
from heroku_changeover.reach.hiding import said_of
from heroku_changeover.terms.command import CONFIRM_VARIABLE, teardown_text
from heroku_changeover.terms.errors import (
    Busy,
    ChangeoverError,
    HerokuError,
    Incomplete,
    NeedsPerson,
    NothingChanged,
    Refused,
    SqlUnreachable,
    UnexpectedAnswer,
)
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.verdict import Then, Verdict
from heroku_changeover.ways.way import Changeover


@contextmanager
def putting_back(c: Changeover) -> Iterator[None]:
    """
    Before the point of no return whatever goes wrong puts every app back as it was found; after it the only way is
    forward.

    Raises:
        NothingChanged, Incomplete: which of the two it was, with the reason.
        NeedsPerson: passed on; or the apps could not be put back.
        Busy: passed on; the apps are another run's.
    """
    try:
        yield
    except (Incomplete, NeedsPerson, Busy):
        raise
    except BaseException as error:
        c.go_on_undisturbed()
        situation = _settled(c)
        if situation is not None:
            require_not_overtaken(c, situation)
        if not (has_way_back(c, situation) if situation else not c.window.is_past_return):
            raise Incomplete(
                f"{said_of(error)}; {c.order.target} is cut off, so the only way is forward: run `pulumi up` again"
            ) from error
        _put_back_or_say(c, situation, error)
        if isinstance(error, Refused):
            raise
        raise NothingChanged(f"{said_of(error)}; every app is as it was found, nothing was moved") from error


def require_not_overtaken(c: Changeover, situation: Situation) -> None:
    """
    Raises:
        Busy: the apps that this run took down were moved on by another one, to a database that is none of this
            changeover's.
    """
    if situation.stage is Stage.SUPERSEDED and c.window.is_open:
        has = ", ".join(sorted({app.primary.addon_name for app in situation.apps.values() if app.primary}))
        raise Busy(
            f"another run has moved {', '.join(situation.apps)} to {has} while this one was under way, so "
            f"{c.order.target} is not promoted and the apps are left to it; run `pulumi preview` to see what is left "
            "to do here"
        )


def _settled(c: Changeover) -> Situation | None:
    """
    None where Heroku cannot be asked: what was about to be done is taken as done then, since going forward loses
    nothing.

    Raises:
        Busy: another run is moving the apps, so they are its to bring up.
    """
    try:
        return c.way.settled(c)
    except Busy:
        raise
    except ChangeoverError:
        return None


def has_way_back(c: Changeover, situation: Situation) -> bool:
    """Whether the leader has all there is, so that the apps can be put back on it."""
    if situation.stage is Stage.CUT_OFF:
        return not c.way.cut_is_final and not situation.moved
    return situation.stage in {Stage.BEFORE, Stage.GONE}


def _put_back_or_say(c: Changeover, situation: Situation | None, error: BaseException) -> None:
    if not c.window.is_open:
        return  # what is down is so by somebody else's doing
    c.report("putting every app back as it was found")
    try:
        back_as_found(c, situation)
    except Busy:
        raise
    except ChangeoverError as second:
        raise NeedsPerson(
            f"{said_of(error)}; and the apps could not be put back: {second}. As found, they were: {_as_found(c)}; "
            f"`heroku-changeover recover --app {c.order.apps[0]}` tries again"
        ) from second


def _as_found(c: Changeover) -> str:
    """Formation and maintenance mode, for whoever brings apps back by hand."""
    return "; ".join(
        f"{name} {', '.join(f'{p.type} {p.quantity}' for p in app.formation)}, maintenance "
        f"{'on' if app.maintenance else 'off'}"
        for name, app in c.window.apps.items()
    )


def back_as_found(c: Changeover, situation: Situation | None) -> None:
    """
    The one place that puts apps back: as they were found, on the leader, which takes writes again and is DATABASE of
    each. Without a situation they go on with the database that they have, or nobody could look.

    Raises:
        Busy: another run is at work on the leader, and the apps are its to bring up.
        NeedsPerson, SqlUnreachable, HerokuError: the leader may have been made read-only, and does not take writes, or
            nobody can tell; no app was brought up.
    """
    if situation is not None and situation.leader is not None:
        c.proof.require_turn(c, situation)
        _let_leader_write(c, situation.leader, situation)
        give_back(c.world, c.window, situation.apps.values(), situation.leader)
    put_back(c.world, c.document)
    c.document.close()


def up_where_they_are(c: Changeover, situation: Situation) -> None:
    """
    Every app as it was found, on the database that it has, which takes writes: a later changeover, or a person, gave it
    to them.

    Raises:
        Busy: a run that moves them is at work still, and the apps are its to bring up.
        NeedsPerson: what they have takes no writes.
    """
    c.proof.require_turn(c, situation)
    for one in primaries_without_writes(c.world, situation.apps.values()):
        let_write(c.world, *one)
    back_as_found(c, None)


def _let_leader_write(c: Changeover, leader: Database, situation: Situation) -> None:
    """
    It is asked itself, because a record may be lost or older. As long as the target follows it, no changeover to that
    one has made it read-only.
    """
    may_be_sealed = c.window.has(Moment.SEALING)
    if not may_be_sealed and (not c.proof.seals or (situation.target is not None and situation.target.is_follower)):
        return
    try:
        let_write(c.world, leader.name, c.url_of(leader), c.order.apps[0])
    except (SqlUnreachable, HerokuError, UnexpectedAnswer) as error:
        if may_be_sealed:
            raise
        c.report(f"whether {leader.name} takes writes was not seen: {error}")


@contextmanager
def only_forward() -> Iterator[None]:
    """
    Raises:
        Incomplete: whatever went wrong; what says more is passed on.
    """
    try:
        yield
    except (Incomplete, NeedsPerson, Refused):
        raise
    except Exception as error:
        raise Incomplete(f"{said_of(error)}; the apps have moved; run `pulumi up` again to finish") from error


def act_on(c: Changeover, situation: Situation, verdict: Verdict, undo: Callable[[], None] | None = None) -> None:
    """
    Returns when the target may become the primary. `undo` takes back, on the leader, what keeps it from serving.

    Raises:
        NeedsPerson: it may not; says what was done instead, and what a person can do.
    """
    if verdict.then is Then.GO_ON:
        return
    if verdict.then is Then.PUT_BACK:
        c.go_on_undisturbed()
        if undo is not None:
            undo()
        back_as_found(c, situation)
    raise NeedsPerson(_told(c.order, situation, verdict))


def _told(order: Order, situation: Situation, verdict: Verdict) -> str:
    moved = ", ".join(situation.moved)
    if verdict.then is Then.PUT_BACK:
        return _start_over(order, verdict, "the apps are back on it")
    if verdict.then is Then.STAY_DOWN:
        return (
            f"{verdict.doubt}; {moved} already uses {order.target}. {_COMPARE}; "
            "the apps stay in maintenance mode until then"
        )
    if moved:
        return (
            f"{verdict.doubt}; {moved} already uses {order.target}, {', '.join(situation.unmoved)} still "
            f"{order.leader}. {_COMPARE}; the apps stay as they are until then, those that serve go on serving"
        )
    return _start_over(order, verdict, "the apps stay on it")


def _start_over(order: Order, verdict: Verdict, apps: str) -> str:
    """
    Whoever typed a step by hand has no URN: any stack's generation of that name is meant then. The target is waived by
    its name: the server itself may have counted up its statistics since, which nothing tells from somebody's write.
    """
    urn = order.urn or f"urn:pulumi:*::*::**heroku-postgres:index:Generation::{order.generation}"
    command = f"{CONFIRM_VARIABLE}={order.target} {teardown_text(urn, STEPS, order.target)}"
    return (
        f"{verdict.doubt}. So {order.target} is not promoted: {order.leader} stays the primary, {apps}, and nothing is "
        f"lost. To start over: `{command}`, then `pulumi up`"
    )


_COMPARE = "Compare both databases, bring over what is missing, and attach the right one as DATABASE in every app"
