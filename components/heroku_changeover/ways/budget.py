"""The window's budget: how long it may be open before there is no way back."""

from heroku_changeover.terms.errors import TimedOut
from heroku_changeover.ways.way import Changeover


def require_budget(c: Changeover) -> None:
    """
    Raises:
        TimedOut: the window has been open for longer than it may be.
    """
    if c.world.clock.now() > c.budget_ends:
        raise TimedOut(f"the window's budget of {c.order.budget} s is spent")
