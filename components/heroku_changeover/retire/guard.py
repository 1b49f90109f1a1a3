"""
The retire guard: the one place that deletes a database, right after the proof that it is to go and may go.

It runs as the `delete` of a resource that depends on the add-on, and refuses with exit code 30; then the engine stops.
The engine itself never deletes a database. Whatever is asked or deleted is addressed by UUID: a name can be given to
another database. Looking gives a `Verdict`, and only what is done with it deletes.
"""

from typing import Any

from heroku_changeover.reach.answers import reads, resolved
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.look import database_from
from heroku_changeover.reach.wait import Clock, Wait
from heroku_changeover.retire.aim import is_update
from heroku_changeover.retire.holders import ask_over_sql
from heroku_changeover.retire.uses import attached_to_payer, candidates, find_attachments, find_copied_vars, url_of
from heroku_changeover.retire.verdict import Retirement, Say, Verdict
from heroku_changeover.terms.command import CONFIRM_VARIABLE, RETIRE_VARIABLE, teardown_text
from heroku_changeover.terms.errors import ChangeoverError, HerokuError, Incomplete, NotFound, Refused
from heroku_changeover.terms.facts import LEAVING, Database
from heroku_changeover.terms.order import STEPS

GOES_WITHIN = 600
"""Seconds for Heroku to remove a database that it has agreed to remove."""


def guard(heroku: Heroku, retirement: Retirement, clock: Clock, say: Say) -> None:
    """
    Returns when the database is gone; with `only_prove`, when it may go.

    Raises:
        Refused: lists everything that keeps it, or says that Heroku could not be asked.
        Incomplete: Heroku removes it, and takes long.
    """
    try:
        database = _live(heroku, retirement.database_id)
        verdict = _verdict(heroku, retirement, database) if database else Verdict()
    except ChangeoverError as error:
        raise Refused(
            f"{retirement.name} is kept: it could not be proved that it may go: {error}. Run this again when that is "
            "mended"
        ) from error
    if database is None:
        say(f"{retirement.name} is gone already")
        return
    _require(verdict, retirement, database, say)
    say(f"{_called(retirement, database)} is used by nobody")
    if not retirement.only_prove:
        _delete(heroku, retirement, database, clock, say)


def _live(heroku: Heroku, database_id: str) -> Database | None:
    """The database with this id; None when Heroku itself says that there is none, or that it is going."""
    try:
        row = heroku.get(f"/addons/{database_id}")
    except NotFound as error:
        if error.error_id != "not_found":
            raise
        return None
    return None if _state(row, database_id) in LEAVING else database_from(heroku, row)


@reads("an add-on")
def _state(row: Any, database_id: str) -> str:
    if row["id"] != database_id:
        raise ValueError("it is about another one")
    return str(row["state"])


def _verdict(heroku: Heroku, retirement: Retirement, database: Database) -> Verdict:
    """Everything that keeps it, each looked up now."""
    verdict, is_copy = Verdict(), database.is_follower
    attached = attached_to_payer(heroku, retirement, database, verdict)
    find_attachments(database, verdict)
    url = url_of(heroku, database)
    if url:
        find_copied_vars(heroku, database, url, verdict)
    elif database.state == "provisioned" and database.attachments:
        verdict.unproven.append(
            "no app that this token opens has its address, so it cannot be seen whether sessions are open on it"
        )
    ask_over_sql(heroku, database, url, None if is_copy else candidates(heroku, database, attached), verdict)
    if not (is_copy and not verdict.uses) and not retirement.is_meant(database):
        verdict.aim.append(_not_aimed(retirement))
    return verdict


def _not_aimed(retirement: Retirement) -> str:
    if not is_update(retirement.engine):
        return "what was run is not aimed at it"
    generation = retirement.urn.rpartition("::")[2]
    return (
        f"its generation{' ' * bool(generation)}{generation} has left the program or is to be replaced, and "
        "`pulumi up` is not aimed at it"
    )


def _called(retirement: Retirement, database: Database) -> str:
    renamed = database.name != retirement.name
    return f"{database.name}, which was called {retirement.name}," if renamed else database.name


def _require(verdict: Verdict, retirement: Retirement, database: Database, say: Say) -> None:
    """
    Raises:
        Refused: with every reason, and one way on.
    """
    firm = [*verdict.aim, *verdict.uses, *verdict.last]
    if firm or (verdict.unproven and not retirement.says(CONFIRM_VARIABLE, database)):
        raise Refused(
            f"{_called(retirement, database)} is kept: {'; '.join(verdict.reasons)}. "
            f"{_advice(verdict, retirement, database)}"
        )
    for reason in verdict.unproven:
        say(f"{CONFIRM_VARIABLE} names {database.name}, so it goes although {reason}")


def _advice(verdict: Verdict, retirement: Retirement, database: Database) -> str:
    """One way on that works, whatever the reasons are together."""
    by_hand = f"`heroku addons:destroy {database.name} --app {database.app}`, then run this again"
    if verdict.aim and is_update(retirement.engine):
        return (
            f"Bring back what the program had for it (app {database.app}, the component's name or its `aliases`), or "
            "`pulumi state untaint` what was tainted"
        )
    if verdict.aim and verdict.is_primary:
        return "`pulumi stack output teardown` prints what removes a database that is retired; DATABASE itself stays"
    if verdict.is_primary:
        return f"If it is to go with all its data: {by_hand}"
    if verdict.last:
        return (
            f"Attach the database that holds its data as DATABASE of app {database.app} again, or, if its data may go: "
            f"{by_hand}"
        )
    mend = [
        *verdict.mend,
        *([f"set {CONFIRM_VARIABLE}={database.name} if its data may go"] if verdict.unproven else []),
    ]
    return f"To remove it: {', '.join([*mend, _again(verdict, retirement, database)])}"


def _again(verdict: Verdict, retirement: Retirement, database: Database) -> str:
    if not verdict.aim:
        return "run this again"
    if retirement.urn:
        return f"run `{teardown_text(retirement.urn, STEPS, database.name)}`"
    return f"set {RETIRE_VARIABLE}={database.name}, run this again"


def _delete(heroku: Heroku, retirement: Retirement, database: Database, clock: Clock, say: Say) -> None:
    path = f"/apps/{retirement.app_id}/addons/{database.id}"
    try:
        resolved(lambda: heroku.delete(path), lambda: _live(heroku, database.id) is None, clock, say)
    except HerokuError as error:
        raise Refused(f"{database.name} may go, but Heroku did not remove it: {error}. Run this again") from error

    def there() -> str | None:
        return None if _is_gone(heroku, database.id) else "Heroku still lists it"

    try:
        Wait(clock, say, 0.2, 5.0).until(f"{database.name} to be gone", there, clock.now() + GOES_WITHIN)
    except ChangeoverError as error:
        raise Incomplete(f"Heroku was asked to remove {database.name}; {error}. Run this again") from error
    say(f"{database.name} is deleted")


def _is_gone(heroku: Heroku, database_id: str) -> bool:
    try:
        heroku.get(f"/addons/{database_id}")
    except NotFound as error:
        return error.error_id == "not_found"
    return False
