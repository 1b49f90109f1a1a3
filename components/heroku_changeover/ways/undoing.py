"""What follows from an error in the window: back before the point of no return, only forward after it."""

from collections.abc import Iterator
from contextlib import contextmanager

from heroku_changeover.apps.service import put_back
from heroku_changeover.terms.errors import ChangeoverError, Incomplete, NeedsPerson, NothingChanged, Refused
from heroku_changeover.ways.way import Changeover


@contextmanager
def putting_back(c: Changeover) -> Iterator[None]:
    """
    Before the point of no return whatever goes wrong puts every app back as it was found; after it the only way is
    forward.

    Raises:
        NothingChanged, Incomplete: which of the two it was, with the reason.
        NeedsPerson: passed on; or the apps could not be put back.
    """
    try:
        yield
    except (Incomplete, NeedsPerson):
        raise
    except BaseException as error:
        c.world = c.world.undisturbed()
        if _is_cut_off(c):
            raise Incomplete(
                f"{_reason(error)}; the follower is cut off, so the only way is forward: run `pulumi up` again"
            ) from error
        _put_back_or_say(c, error)
        if isinstance(error, Refused):
            raise
        raise NothingChanged(f"{_reason(error)}; every app is as it was found, nothing was moved") from error


def _is_cut_off(c: Changeover) -> bool:
    """Where Heroku cannot be asked, what was about to be done is taken as done: going forward loses nothing."""
    try:
        return not c.way.settled(c).stage.has_way_back
    except ChangeoverError:
        return c.window.is_past_return


def _put_back_or_say(c: Changeover, error: BaseException) -> None:
    if not c.window.is_open:
        return  # what is down is so by somebody else's doing
    c.report("putting every app back as it was found")
    try:
        c.proof.reopen(c)
        put_back(c.world, c.document)
        c.document.close()
    except ChangeoverError as second:
        raise NeedsPerson(
            f"{_reason(error)}; and the apps could not be put back: {second}. Check formation and maintenance mode of "
            f"{', '.join(c.order.apps)}: they were {c.window.line()}"
        ) from second


@contextmanager
def only_forward() -> Iterator[None]:
    """
    Raises:
        Incomplete: whatever went wrong; what says more is passed on.
    """
    try:
        yield
    except (Incomplete, NeedsPerson, Refused):
        raise
    except Exception as error:
        raise Incomplete(f"{_reason(error)}; the apps have moved; run `pulumi up` again to finish") from error


def _reason(error: BaseException) -> str:
    return str(error) or type(error).__name__
