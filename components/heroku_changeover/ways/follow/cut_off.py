"""
Whether the follower is cut off from its leader: the point of no return, which an unfollow passes some time after it was
asked for.
"""

from heroku_changeover.terms.errors import ChangeoverError, TimedOut
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.ways.changeover import Changeover

UNFOLLOW_SETTLES = 60
"""Seconds for an unfollow that is under way to be carried out."""


UNFOLLOW_SHOWS = 2.0
"""Seconds in which an unfollow shows that was asked for right before something broke."""


def settled(c: Changeover) -> Situation:
    """What is live once an unfollow that may be under way has shown itself; before that, putting back is premature."""
    situation = c.observe()
    if situation.stage is Stage.FOLLOWING and "unfollow-asked" in c.window.acts:
        return _after_the_unfollow(c, situation)
    return situation


def _after_the_unfollow(c: Changeover, situation: Situation) -> Situation:
    patient_until = c.clock.now() + UNFOLLOW_SHOWS

    def unsettled() -> str | None:
        nonlocal situation
        situation = c.observe()
        if situation.stage is not Stage.FOLLOWING:
            return None
        busy = situation.follower is not None and situation.follower.waiting
        return "it still follows" if busy or c.clock.now() < patient_until else None

    try:
        c.urgent().until(f"an unfollow of {c.order.follower} to show", unsettled, c.clock.now() + UNFOLLOW_SETTLES)
    except TimedOut as error:
        c.report(str(error))
    return situation


def is_cut_off(c: Changeover) -> bool:
    """Whether unfollow took effect; where Heroku cannot be asked, it is taken as done: going forward loses nothing."""
    try:
        return not settled(c).stage.has_way_back
    except ChangeoverError:
        return "unfollow-asked" in c.window.acts
