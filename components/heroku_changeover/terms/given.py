"""Plain values from outside, such as decoded JSON: read strictly, because any other kind of value may be there."""

import math
import re

LATEST = 1e11
"""Seconds since 1970 that no clock shows: the year 5138."""

LONGEST = 10**8
"""Seconds that nothing may take: three years."""

APP = re.compile(r"[a-z0-9-]{1,100}")
"""What the name of an app consists of; files of this machine are called by it."""


def number(value: object, least: float = 0.0, most: float = LATEST) -> float:
    """
    Raises:
        ValueError: it is no number, or one that cannot be meant.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError("it is not a number")  # noqa: TRY004 - all that is wrong with a value is one kind of error
    if not least <= value <= most or not math.isfinite(value):  # compared before it is made a float: it may be huge
        raise ValueError("it is a number that cannot be meant")
    return float(value)


def whole(value: object, least: int = 0, most: int = LONGEST) -> int:
    """
    Raises:
        ValueError: it is no whole number, or one that cannot be meant.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise ValueError("it is not a whole number that can be meant")
    return value


def text(value: object) -> str:
    """
    Raises:
        ValueError: it is no text, or an empty one, or holds what cannot be shown or sent.
    """
    if not isinstance(value, str) or not value or not value.isprintable():
        raise ValueError("it is not a text that can be meant")
    return value


def app_named(value: object) -> str:
    """
    Raises:
        ValueError: it is not the name of an app.
    """
    if not isinstance(value, str) or not APP.fullmatch(value):
        raise ValueError("it is not the name of an app")
    return value
