"""
The moments of a window, as its document notes them with a clock reading.

What changes something that matters is noted *about to* be done, before its first write is sent, and *done* when all of
its writes were answered: a process that dies in between leaves the first without the second.
"""

from enum import Enum


class Moment(Enum):
    """In the order of a changeover; the value stands in the document."""

    CAPTURED = "captured"
    """How every app was found is written down."""

    RESUMED = "resumed"
    """A later run has taken an open window over, and has the whole budget."""

    ENTERING_MAINTENANCE = "entering-maintenance"
    IN_MAINTENANCE = "in-maintenance"
    SCALING_DOWN = "scaling-down"
    SCALED_DOWN = "scaled-down"

    QUIET = "quiet"
    """The last dyno has ended."""

    FENCED = "fenced"
    PROVED = "proved"
    """The target has every committed write."""

    PASSING_RETURN = "passing-return"
    """About to do what cannot be taken back: from here on the only way is forward. Each way says which act that is."""

    CUT_OFF = "cut-off"
    """The target takes writes, and nothing of the leader's any more."""

    SEALING = "sealing"
    SEALED = "sealed"
    MOVED = "moved"
    """DATABASE is the target in every app; what it has beside that may follow."""

    PROMOTED = "promoted"
    SCALED_UP = "scaled-up"
    WEB_UP = "web-up"
    """A web dyno is up again in every app that had one."""

    SERVING = "serving"
    """Maintenance mode is as it was found."""

    PUT_BACK = "put-back"
    """Nothing was moved, and every app is as it was found."""

    RESTORED = "restored"
    """The last thing that a changeover has to do is done."""


ANSWERED = {Moment.ENTERING_MAINTENANCE: Moment.IN_MAINTENANCE, Moment.SCALING_DOWN: Moment.SCALED_DOWN}
"""Writes that take an app down: what is noted before they are sent, with what is noted when all were answered."""
