"""
Whether a target that was cut off may become the primary: words for the answer; others find it out and act on it.

A database that was cut off is never promoted once its leader may have taken a write.
"""

from enum import Enum, auto
from typing import NamedTuple

from heroku_changeover.terms.situation import Situation


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
