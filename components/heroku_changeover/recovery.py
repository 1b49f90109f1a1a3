"""
Closing a window that nobody works on any more, by the rules: back before the unfollow, only forward after it.

It is what the keeper and `recover` do, and it does nothing to an app that is as it was found.
"""

from heroku_changeover.changeover import Changeover, Situation, Stage
from heroku_changeover.cut_off import settled
from heroku_changeover.service import put_back
from heroku_changeover.steps import promote, restore


def plan_of_recovery(c: Changeover, situation: Situation) -> str:
    """What `recover` would do, in a sentence."""
    apps = ", ".join(situation.apps)
    if situation.stage is Stage.FOLLOWING:
        return f"bring {apps} back on {c.order.leader}, as found; {c.order.follower} goes on following"
    if situation.stage is Stage.GONE:
        return f"bring {apps} back on {c.order.leader}, as found; {c.order.follower} is gone"
    if situation.stage is Stage.CUT_OFF:
        return (
            f"finish forward: prove that {c.order.follower} has every write of {c.order.leader}, make it DATABASE of "
            f"{apps}, and bring them back; without that proof bring them back on {c.order.leader}"
        )
    if situation.stage is Stage.MOVED:
        return f"bring {apps} back on {c.order.follower}, which is DATABASE already"
    return f"bring {apps} back as found, on the database that it has: a later changeover has moved on"


def recover(c: Changeover) -> str:
    """
    Closes the window; returns what came of it. The caller is alone with the apps.

    Raises:
        NeedsPerson: a database was cut off, and it is not certain that it has every write.
        Incomplete, HerokuError: not done yet; it can be tried again.
    """
    situation = settled(c)
    if situation.stage in {Stage.CUT_OFF, Stage.MOVED}:
        promote(c)
        restore(c)
        return f"finished forward: {c.order.follower} is the primary, and every app is as it was found"
    put_back(c)
    c.close_window()
    on = c.order.leader if situation.stage.has_way_back else "the database that a later changeover gave it"
    return f"put back: every app is as it was found, on {on}"
