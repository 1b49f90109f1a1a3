"""What is wrong, as Pulumi shows it: in plain lines, without a traceback."""

from collections.abc import Iterator
from contextlib import contextmanager

import pulumi

from heroku_changeover.terms.errors import ChangeoverError, NoToken
from heroku_changeover.terms.facts import Facts
from heroku_postgres.decision import decide
from heroku_postgres.declared import Decision
from heroku_postgres.known import Known
from heroku_postgres.wish import Wish


@contextmanager
def readable() -> Iterator[None]:
    """
    Raises:
        pulumi.RunError: lists all that is wrong with the arguments, or says why Heroku could not be asked.
    """
    try:
        yield
    except NoToken as error:
        raise pulumi.RunError(f"{error}{_unread_token()}") from error
    except ChangeoverError as error:
        raise pulumi.RunError(str(error)) from error


def _unread_token() -> str:
    """
    What to say of a token in config, where most people keep it.

    It is not read: it would have to be handed to each step, and so be in the state.
    """
    if pulumi.Config("heroku").get("apiKey") is None:
        return ""
    return ". The one in config `heroku:apiKey` is not read: steps get theirs from the environment, and no state has it"


def decided(wish: Wish, facts: Facts, known: Known) -> Decision:
    """
    What is to be declared, before any of it is.

    Raises:
        pulumi.RunError: lists all that would make the changeover fail.
    """
    decision = decide(wish, facts, known)
    if decision.is_refused:
        raise pulumi.RunError(_refusal(wish, decision))
    return decision


def _refusal(wish: Wish, decision: Decision) -> str:
    errors = [f"  {f}" for f in decision.findings if f.is_error]
    warnings = [f"  warning: {f}" for f in decision.findings if not f.is_error]
    return "\n".join(
        [f"the database {wish.name!r} of app {wish.app}: nothing was started, because", *errors, *warnings]
    )
