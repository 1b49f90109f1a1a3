"""
Everything that happens while the fence is held, from the barrier to the sealed old database.

    lock · end sessions · barrier · brought over · cut · writable · old one sealed · DATABASE moved · lock let go

The old database is sealed as early as it can be, since the lock goes with this process and the seal does not: moving
may take as long as a release phase does.
"""

from functools import partial

from heroku_changeover.reach.sql import Fence, Session
from heroku_changeover.reach.threads import at_once
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import SqlUnreachable
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.verdict import of_apps_that_are_down
from heroku_changeover.ways.limits import LOCK_LIMIT
from heroku_changeover.ways.moving import move_and_start
from heroku_changeover.ways.proofs.alone import require_unmoved
from heroku_changeover.ways.proofs.cutting import cut
from heroku_changeover.ways.proofs.held import Held, held
from heroku_changeover.ways.proofs.leaving import let_go, seal
from heroku_changeover.ways.undoing import act_on
from heroku_changeover.ways.way import Changeover, Ends, doubt

WRITABLE_LIMIT = 600
"""Seconds for the target to take writes; there is no published figure, PostgreSQL itself takes about 0.1 s."""


def carry_over(c: Changeover, situation: Situation, ends: Ends) -> None:
    with held(c, situation.stage, ends) as fenced, c.world.sql.session(ends.target.name, ends.target_url) as target:
        situation = _as_the_server_says(c, situation, target)
        if situation.stage is Stage.BEFORE:
            upcoming = cut(c, situation, ends, fenced.fence, target)
        else:
            require_unmoved(c, situation, ends.target)
            upcoming = _proved(c, situation, fenced.fence, target)
        # Heroku calls a cut complete some time after the server takes writes; the old one is sealed meanwhile.
        sealed = partial(_sealed_once_writable, c, situation, ends, fenced, target, upcoming)
        upcoming, _ = at_once(sealed, partial(c.way.wait_until_cut, c))
        c.document.did(Moment.CUT_OFF)
        c.report(f"{ends.target.name} takes writes, and gets nothing of {ends.leader.name} any more")
        move_and_start(c, situation, ends)
        let_go(c.world, c.document, fenced.fence, upcoming)


def _as_the_server_says(c: Changeover, situation: Situation, target: Session) -> Situation:
    """
    A copy takes no writes. One that does was cut off, by a person or by a request that was carried out late, though
    Heroku may not say so yet.
    """
    if situation.stage is not Stage.BEFORE or not c.way.cut_is_final or target.refuses_writes() is not None:
        return situation
    c.report(f"{target.database} takes writes already, whatever Heroku says: it was cut off")
    c.document.did(Moment.PASSING_RETURN)
    return situation._replace(stage=Stage.CUT_OFF)


def _proved(c: Changeover, situation: Situation, fence: Fence, target: Session) -> int:
    """
    The leader took no write since the target was cut off; returns its next transaction id.

    Raises:
        NeedsPerson: that is not certain. The apps are put back on the leader, unless one has moved already.
    """
    position = fence.position()
    verdict = of_apps_that_are_down(situation, doubt(c.way, position, target.position()))
    act_on(c, situation, verdict, partial(_unseal, fence))
    return position.upcoming


def _unseal(fence: Fence) -> None:
    """And the lock goes with it, because the apps are about to write there."""
    with doing(Act.UNSEAL):
        fence.unseal()
    fence.release()


def _sealed_once_writable(
    c: Changeover, situation: Situation, ends: Ends, fenced: Held, target: Session, upcoming: int
) -> int:
    """
    Returns the transaction id that the old database would give out next, if nobody writes. Heroku is asked once more
    whose DATABASE it is: a cut may have taken its time.
    """
    with doing(Act.AWAIT_WRITABLE):
        c.world.urgent().until(
            f"{ends.target.name} to take writes", lambda: _refusal(c, ends, target), c.world.after(WRITABLE_LIMIT)
        )
    if not fenced.fence.is_held():
        fenced.fence.release()
        fenced.fence = c.world.sql.fence(ends.leader.name, ends.leader_url, c.world.after(LOCK_LIMIT))
        require_unmoved(c, situation, ends.target)
        upcoming = _proved(c, situation, fenced.fence, target)
    else:
        require_unmoved(c, situation, ends.target)
    return upcoming + seal(c, ends.leader, fenced.fence)


def _refusal(c: Changeover, ends: Ends, target: Session) -> str | None:
    """Why it takes no write; a session that cannot be had is one reason, because a promotion may restart the server."""
    if target.is_alive():
        return target.refuses_writes()
    try:
        with c.world.sql.session(ends.target.name, ends.target_url) as session:
            return session.refuses_writes()
    except SqlUnreachable as error:
        return str(error)
