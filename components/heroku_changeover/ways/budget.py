"""How long the window may be open before there is no way back, and how long the parts of the fence may take."""

from heroku_changeover.terms.errors import TimedOut
from heroku_changeover.ways.way import Changeover

LOCK_LIMIT = 30
"""Seconds for the fence to get its locks."""

SEAL_LIMIT = 15
"""Seconds for the sessions from before the seal to end."""


def require_budget(c: Changeover) -> None:
    """
    Raises:
        TimedOut: the window has been open for longer than it may be.
    """
    if c.world.clock.now() > c.budget_ends:
        raise TimedOut(f"the window's budget of {c.order.budget} s is spent")
