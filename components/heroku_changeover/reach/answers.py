"""What an answer of Heroku's means: one that lacks something, and one that never came."""

from collections.abc import Callable
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from heroku_changeover.reach.wait import Clock, no_longer_than
from heroku_changeover.terms.errors import HerokuError, UnexpectedAnswer

TRIES = 3
"""How often a write is asked for whose answer was lost, with a look before each repetition."""

SHOWS = 0.5
"""Seconds after which a write that was carried out is seen by a look."""

LOOK_LIMIT = 25
"""Seconds for such a look, with all its tries."""

Json = Any
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


def reads(what: str) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Marks a function that takes an answer apart: one that lacks something is a clear error about Heroku."""

    def mark(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @wraps(function)
        def read(*arguments: Parameters.args, **words: Parameters.kwargs) -> Result:
            try:
                return function(*arguments, **words)
            except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
                raise UnexpectedAnswer(what, error) from error

        return read

    return mark


def resolved(
    write: Callable[[], Json],
    is_done: Callable[[], bool],
    clock: Clock,
    report: Callable[[str], None],
    tries: int = TRIES,
) -> None:
    """
    A write that must not be done twice. Its answer may be lost, or be a failure of Heroku's own: then a look says
    whether it was carried out. Only if it was not, it is asked for again. All of it may take minutes, so that a word is
    said whenever an answer did not come: whoever is silent for as long is taken to hang.

    Raises:
        HerokuError: a refusal, or it is still not done after some tries.
    """
    for attempt in range(tries):
        try:
            write()
            return
        except HerokuError as error:
            report(f"{error}; looking whether it was carried out")
            clock.sleep(SHOWS * (attempt + 1))
            with no_longer_than(clock.now() + LOOK_LIMIT):
                if is_done():
                    return
            if attempt + 1 == tries or not error.is_passing:
                raise
