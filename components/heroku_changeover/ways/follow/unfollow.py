"""The unfollow: the point of no return, which is passed some time after it was asked for."""

from heroku_changeover.reach.answers import reads, resolved
from heroku_changeover.reach.document import Document
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.threads import side_by_side
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import TimedOut
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.ways.way import Changeover

UNFOLLOW_LIMIT = 600
"""Seconds for Heroku to carry out an unfollow; there is no published figure, PostgreSQL itself takes about 0.1 s."""

UNFOLLOW_SETTLES = 60
"""Seconds for an unfollow that is under way to be carried out."""

UNFOLLOW_SHOWS = 2.0
"""Seconds after which an unfollow is seen that was asked for right before something broke."""


def unfollow(world: World, document: Document, target: str) -> None:
    """Asks for the unfollow. An answer that was lost is resolved by looking before it is asked for again."""
    document.did(Moment.PASSING_RETURN)
    with doing(Act.UNFOLLOW):
        resolved(
            lambda: world.heroku.put_data(f"/client/v11/databases/{target}/unfollow"),
            lambda: _still_following(world.heroku, target) is None or _is_waiting(world.heroku, target),
            world.clock,
            world.report,
        )
    world.report(f"{target} is being unfollowed: from here on the only way is forward")


def wait_until_unfollowed(world: World, target: str) -> None:
    with doing(Act.AWAIT_UNFOLLOWED):
        world.wait_closely(
            f"{target} to be unfollowed", lambda: _still_following(world.heroku, target), world.after(UNFOLLOW_LIMIT)
        )


@reads("a database")
def _still_following(heroku: Heroku, target: str) -> str | None:
    """What the Data API says against the unfollow being complete; None when it is."""
    path = f"/client/v11/databases/{target}"
    info, status = side_by_side(heroku.data, (path, f"{path}/wait_status"))
    if info.get("following"):
        return "it still follows"
    return str(status.get("message") or "it is busy") if status.get("waiting?") else None


@reads("a database")
def _is_waiting(heroku: Heroku, target: str) -> bool:
    return bool(heroku.data(f"/client/v11/databases/{target}/wait_status").get("waiting?"))


def settled(c: Changeover) -> Situation:
    """What is live once an unfollow that may be under way has shown itself."""
    situation = c.observe()
    if situation.stage is Stage.BEFORE and c.window.is_past_return:
        return _after_the_unfollow(c, situation)
    return situation


def _after_the_unfollow(c: Changeover, situation: Situation) -> Situation:
    patient_until = c.world.after(UNFOLLOW_SHOWS)

    def unsettled() -> str | None:
        nonlocal situation
        situation = c.observe()
        if situation.stage is not Stage.BEFORE:
            return None
        busy = situation.target is not None and situation.target.waiting
        return "it still follows" if busy or c.world.clock.now() < patient_until else None

    try:
        c.world.urgent().until(f"an unfollow of {c.order.target} to show", unsettled, c.world.after(UNFOLLOW_SETTLES))
    except TimedOut as error:
        c.report(str(error))
    return situation
