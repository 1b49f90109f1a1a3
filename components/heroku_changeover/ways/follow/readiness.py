"""How close behind its leader a follower is, and waiting until it stays close."""

from heroku_changeover.reach.sql import Session
from heroku_changeover.reach.wait import Wait
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import Refused, TimedOut
from heroku_changeover.terms.facts import LEAVING, Database
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.ways.follow.logged import require_logged
from heroku_changeover.ways.way import Changeover

GATE_COMMITS = 200
"""
Commits behind: Heroku says that a follower which keeps up is generally within 200 (devcenter:
heroku-postgres-follower-databases).
"""

GATE_SECONDS = 10
"""
Seconds in which the follower has to reach where the leader is now; it is the catch-up that would fall into the window.
"""

STEADY = 3
"""How many looks in a row must find it close."""

RECHECK_LIMIT = 60
"""Seconds that a later step, finding the app serving, gives the follower to be close again."""


def wait_until_ready(c: Changeover) -> None:
    """
    Waits, gently, until the follower is available, close behind and staying there.

    Raises:
        TimedOut: the follower's limit ran out; nothing has been changed.
        Refused: the proof would not work on this database.
    """
    deadline = c.world.after(c.order.ready_limit)
    with doing(Act.AWAIT_AVAILABLE):
        c.world.patient().until(f"{c.order.target} to be available", lambda: _not_available(c), deadline)
    _require_steady(c, c.world.patient(), deadline)


def require_ready(c: Changeover, situation: Situation) -> None:
    """The same again, right before the window opens: hours may have passed since it was found ready."""
    if situation.target is None or situation.target.waiting:
        raise Refused(
            f"{c.order.target} is busy, perhaps with an unfollow that an earlier run asked for; nothing was started: "
            "run `pulumi up` again in a minute"
        )
    _require_steady(c, c.world.urgent(), c.world.after(RECHECK_LIMIT))


def _require_steady(c: Changeover, wait: Wait, deadline: float) -> None:
    looks = 0

    def unsteady() -> str | None:
        nonlocal looks
        if found := _too_far_behind(c):
            looks = 0
            return found
        looks += 1
        return None if looks >= STEADY else f"close behind, seen {looks} of {STEADY} times"

    with doing(Act.AWAIT_CLOSE):
        wait.until(f"{c.order.target} to be close behind {c.order.leader}", unsteady, deadline)


def _not_available(c: Changeover) -> str | None:
    target = c.observe().target
    if target is None:
        return "there is no such add-on"
    if target.state in LEAVING:
        raise Refused(
            f"{target.name} is {target.state}: Heroku could not provision it, or it is being removed; run `pulumi "
            "up` again, which orders another"
        )
    if target.is_being_made or target.waiting:
        return f"it is {target.state}{', and busy' if target.waiting else ''}"
    return None


def _too_far_behind(c: Changeover) -> str | None:
    situation = c.observe()
    target = situation.target
    if situation.stage is not Stage.BEFORE or target is None:
        raise Refused(f"{c.order.target} is no follower of {c.order.leader} any more: {situation.stage.value}")
    return _behind(target)


def _behind(follower: Database) -> str | None:
    """A missing figure is unknown, not zero."""
    if follower.behind_by is None:
        return "Heroku shows no Behind By yet"
    return f"{follower.behind_by} commits behind" if follower.behind_by > GATE_COMMITS else None


def require_reach(c: Changeover, leader: Session, follower: Session) -> None:
    """
    All rows of the leader are of the kind that followers get, and the follower gets to where the leader is within the
    gate.

    Raises:
        Refused: there are rows that no follower gets; says what to do.
        TimedOut: it does not get there.
    """
    require_logged(c, leader)
    lsn = leader.flushed()

    def missing() -> str | None:
        behind = follower.missing(lsn)
        return f"{behind} bytes are missing" if behind else None

    try:
        c.world.urgent().until(
            f"{c.order.target} to reach where {c.order.leader} is", missing, c.world.after(GATE_SECONDS)
        )
    except TimedOut as error:
        raise TimedOut(f"{error}; that catching up would fall into the window, so it was not opened") from error
