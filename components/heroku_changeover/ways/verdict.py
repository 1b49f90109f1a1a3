"""
Whether a target that was cut off may become the primary, and the one place that acts on the answer.

A database that was cut off is never promoted once its leader may have taken a write.
"""

from collections.abc import Callable
from enum import Enum, auto
from typing import NamedTuple

from heroku_changeover.apps.attachments import give_back
from heroku_changeover.apps.service import put_back
from heroku_changeover.terms.command import CONFIRM_VARIABLE, teardown_text
from heroku_changeover.terms.errors import NeedsPerson
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.way import Changeover


class Then(Enum):
    """What follows from a doubt."""

    GO_ON = auto()
    STAY = auto()
    """The apps stay as they are: some of them serve, and nothing was changed."""

    STAY_DOWN = auto()
    """Apps are on both databases already, and a person has to compare them first."""

    PUT_BACK = auto()
    """The apps are brought back on the leader, which stays the primary."""


class Verdict(NamedTuple):
    """`doubt` is why it is not certain that the target has everything; None when it is certain."""

    then: Then
    doubt: str | None = None


CERTAIN = Verdict(Then.GO_ON)


def of_apps_that_are_down(situation: Situation, doubt: str | None) -> Verdict:
    """No app of the changeover serves; one whose DATABASE has moved may have companions that have not."""
    if doubt is None:
        return CERTAIN
    return Verdict(Then.STAY_DOWN if situation.moved else Then.PUT_BACK, doubt)


def of_apps_that_serve(doubt: str | None) -> Verdict:
    return CERTAIN if doubt is None else Verdict(Then.STAY, doubt)


def act_on(c: Changeover, situation: Situation, verdict: Verdict, undo: Callable[[], None] | None = None) -> None:
    """
    Returns when the target may become the primary. `undo` takes back, on the leader, what keeps it from serving.

    Raises:
        NeedsPerson: it may not; says what was done instead, and what a person can do.
    """
    if verdict.then is Then.GO_ON:
        return
    if verdict.then is Then.PUT_BACK:
        c.world = c.world.undisturbed()
        if undo is not None:
            undo()
        _put_back_on_the_leader(c, situation)
    raise NeedsPerson(_told(c.order, situation, verdict))


def _put_back_on_the_leader(c: Changeover, situation: Situation) -> None:
    if situation.leader is not None:
        give_back(c.world, c.window, situation.apps.values(), situation.leader)
    put_back(c.world, c.document)
    c.document.close()


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
        f"lost. To start over with a new follower: `{command}`, then `pulumi up`"
    )


_COMPARE = "Compare both databases, bring over what is missing, and attach the right one as DATABASE in every app"
