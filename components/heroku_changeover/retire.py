"""
The retire guard: the one place that deletes a database, right after the proof that it is to go and may go.

It runs as the `delete` of a resource that depends on the add-on, and refuses with exit code 30; then the engine stops.
The engine itself never deletes a database. Whatever is asked or deleted is addressed by UUID: a name can be given to
another database. Looking gives a `Verdict`, and only what is done with it deletes.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from heroku_changeover.aim import is_aimed, is_update
from heroku_changeover.command import CONFIRM_VARIABLE, RETIRE_VARIABLE, STEPS, URN_VARIABLE, teardown_text
from heroku_changeover.errors import ChangeoverError, Forbidden, HerokuError, Incomplete, NotFound, Refused
from heroku_changeover.facts import GONE, SERVICE, Attachment, Database
from heroku_changeover.heroku import Heroku, reads, resolved
from heroku_changeover.look import attachments_from, copies_of, database_from, place
from heroku_changeover.wait import Clock, Wait

GOES_WITHIN = 600
"""Seconds for Heroku to remove a database that it has agreed to remove."""

Report = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Retirement:
    """
    What is to go, and what says so: `name` is what it was called, `engine` the command line of the `pulumi` that runs
    this, empty where that cannot be told. With `only_prove` nothing is deleted.
    """

    app_id: str
    database_id: str
    name: str
    environ: Mapping[str, str]
    engine: tuple[str, ...] = ()
    only_prove: bool = False

    @property
    def urn(self) -> str:
        return self.environ.get(URN_VARIABLE, "")

    def says(self, variable: str, database: Database) -> bool:
        """Whether a variable names this very database, as it is called today or by its id."""
        return self.environ.get(variable) in {database.name, database.id}

    def is_meant(self, database: Database) -> bool:
        return is_aimed(self.engine, self.urn) or self.says(RETIRE_VARIABLE, database)


@dataclass(slots=True)
class Verdict:
    """
    Why a database stays, each reason a few words: `aim`, `uses`, and that it is the `last` one with its data. What is
    only `unproven` can be waived. `mend` are commands and deeds that end the uses.
    """

    aim: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    mend: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    is_primary: bool = False

    @property
    def reasons(self) -> list[str]:
        return [*self.aim, *self.uses, *self.last, *self.unproven]

    def used(self, reason: str, mend: str) -> None:
        self.uses.append(reason)
        self.mend.append(mend)


def guard(heroku: Heroku, retirement: Retirement, clock: Clock, report: Report) -> None:
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
        report(f"{retirement.name} is gone already")
        return
    _require(verdict, retirement, database, report)
    report(f"{_called(retirement, database)} is used by nobody")
    if not retirement.only_prove:
        _delete(heroku, retirement, database, clock, report)


def _live(heroku: Heroku, database_id: str) -> Database | None:
    """The database with this id; None when Heroku itself says that there is none, or that it is going."""
    try:
        row = heroku.get(f"/addons/{database_id}")
    except NotFound as error:
        if error.error_id != "not_found":
            raise
        return None
    return None if _state(row, database_id) in GONE else database_from(heroku, row)


@reads("an add-on")
def _state(row: Any, database_id: str) -> str:
    if row["id"] != database_id:
        raise ValueError("it is about another one")
    return str(row["state"])


def _called(retirement: Retirement, database: Database) -> str:
    renamed = database.name != retirement.name
    return f"{database.name}, which was called {retirement.name}," if renamed else database.name


def _require(verdict: Verdict, retirement: Retirement, database: Database, report: Report) -> None:
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
        report(f"{CONFIRM_VARIABLE} names {database.name}, so it goes although {reason}")


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


def _verdict(heroku: Heroku, retirement: Retirement, database: Database) -> Verdict:
    """Everything that keeps it, each looked up now."""
    verdict, is_copy = Verdict(), database.is_follower
    attached = _attached_to_payer(heroku, retirement, database, verdict)
    _find_attachments(database, verdict)
    url = _url(heroku, database)
    if url:
        _find_copied_vars(heroku, database, url, verdict)
    elif database.state == "provisioned" and database.attachments:
        verdict.unproven.append(
            "no app that this token opens has its address, so it cannot be seen whether sessions are open on it"
        )
    _ask_over_sql(heroku, database, url, None if is_copy else _candidates(heroku, database, attached), verdict)
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


@reads("an app")
def _attached_to_payer(
    heroku: Heroku, retirement: Retirement, database: Database, verdict: Verdict
) -> tuple[Attachment, ...]:
    """All attachments of the app that pays, which has to be the one that the stack knows."""
    payer = heroku.get(f"/apps/{database.app}")
    if payer["id"] != retirement.app_id:
        verdict.used(
            f"app {database.app} pays for it, and that is not the app of this stack",
            f"`heroku addons:destroy {database.name} --app {database.app}`",
        )
    return attachments_from(heroku.get(f"/apps/{payer['id']}/addon-attachments"))


def _find_attachments(database: Database, verdict: Verdict) -> None:
    for attachment in database.attachments:
        if attachment.is_primary:
            verdict.is_primary = True
            verdict.uses.append(f"it is DATABASE of app {attachment.app}")
        elif attachment.app != database.app:
            verdict.used(f"app {attachment.app} uses it too, as {attachment.name}", _detach(attachment))
        elif not attachment.is_colour:
            only = len(database.attached_to(database.app)) == 1
            spare = f"`heroku addons:attach {database.name} --app {database.app}`, " if only else ""
            verdict.used(f"it is attached to app {attachment.app} as {attachment.name}", spare + _detach(attachment))
    if database.followers:
        verdict.used(f"{len(database.followers)} databases follow it", "remove what follows it")


def _detach(attachment: Attachment) -> str:
    return f"`heroku addons:detach {attachment.name} --app {attachment.app}`"


def _find_copied_vars(heroku: Heroku, database: Database, url: str, verdict: Verdict) -> None:
    """Config vars that hold its host although no attachment owns them; only their names are told."""
    for app in sorted({database.app, *database.apps}):
        try:
            values = heroku.get(f"/apps/{app}/config-vars")
            owned = attachments_from(heroku.get(f"/apps/{app}/addon-attachments"))
        except (NotFound, Forbidden):
            if app == database.app:
                raise
            continue  # that this app has it attached keeps it already
        for name in copies_of(place(url), values, owned):
            verdict.used(f"config var {name} of app {app} holds its host", f"`heroku config:unset {name} --app {app}`")


def _candidates(heroku: Heroku, database: Database, attached: tuple[Attachment, ...]) -> list[Database]:
    """What the paying app uses under a name that a person chose, and that follows nobody: may hold the same data."""
    ids = {a.addon_id for a in attached if not a.is_colour} - {database.id}
    rows = [heroku.get(f"/addons/{addon_id}") for addon_id in sorted(ids)]
    found = [database_from(heroku, row) for row in rows if _is_provisioned(row)]
    return [candidate for candidate in found if not candidate.is_follower]


@reads("an add-on")
def _is_provisioned(addon: Any) -> bool:
    return bool(addon["state"] == "provisioned" and addon["addon_service"]["name"] == SERVICE)


def _ask_over_sql(
    heroku: Heroku, database: Database, url: str, candidates: list[Database] | None, verdict: Verdict
) -> None:
    """Open sessions; and, unless it is a pure copy, for which there are no candidates, who holds what it holds."""
    if candidates == []:
        verdict.last.append(f"app {database.app} uses no other database, so it may be the only one with its data")
    if not url:
        if candidates:
            verdict.unproven.append("it could not be proved that another database holds what it holds")
        return
    from heroku_changeover.postgres import SqlUnreachable, open_session

    try:
        with open_session(database.name, url) as session:
            _find_sessions(session, verdict)
            if candidates:
                _find_holder(heroku, session, candidates, verdict)
    except SqlUnreachable as error:
        verdict.unproven.append(f"{error}, so it could not be proved who uses it, nor who holds what it holds")


def _find_sessions(session: Any, verdict: Verdict) -> None:
    """Sessions of anybody but ourselves and Heroku's own roles, which are superusers or replicate."""
    from heroku_changeover.postgres import NAME

    rows = session.rows(
        "SELECT a.usename, count(*) FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename"
        " WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.application_name <> %s"
        " AND NOT r.rolsuper AND NOT r.rolreplication GROUP BY 1 ORDER BY 1",
        NAME,
    )
    for role, count in rows:
        verdict.used(f"{count} open sessions of role {role}", f"stop what is signed in as {role}")


def _find_holder(heroku: Heroku, session: Any, candidates: list[Database], verdict: Verdict) -> None:
    from heroku_changeover.lineage import standing

    own, unrelated, doubts = standing(session), list[str](), list[str]()
    for candidate in candidates:
        is_other, doubt = _compared(heroku, own, candidate)
        if doubt is None:
            return
        (unrelated if is_other else doubts).append(doubt)
    if doubts:
        verdict.unproven += doubts
    else:
        verdict.last += unrelated


def _compared(heroku: Heroku, own: Any, candidate: Database) -> tuple[bool, str | None]:
    """Whether it is of another origin, and why it is not certain that it holds the same; None when it is."""
    from heroku_changeover.lineage import is_related, lacking, standing
    from heroku_changeover.postgres import SqlUnreachable, open_session

    try:
        with open_session(candidate.name, _url(heroku, candidate)) as session:
            other = standing(session)
    except SqlUnreachable as error:
        return False, f"{error}, so it could not be proved that it holds what {own.database} holds"
    if not is_related(own, other):
        return True, f"{candidate.name} holds other data, so {own.database} may be the only one with its own"
    return False, lacking(own, other)


@reads("config vars")
def _url(heroku: Heroku, database: Database) -> str:
    """From any app that has the default credential: the paying one may have it under another one only."""
    for attachment in sorted(database.attachments, key=lambda a: a.app != database.app):
        if attachment.namespace is None and (url := _variable(heroku, attachment)):
            return url
    return ""


def _variable(heroku: Heroku, attachment: Attachment) -> str:
    try:
        return str(heroku.get(f"/apps/{attachment.app}/config-vars").get(attachment.config_var) or "")
    except (NotFound, Forbidden):
        return ""


def _delete(heroku: Heroku, retirement: Retirement, database: Database, clock: Clock, report: Report) -> None:
    path = f"/apps/{retirement.app_id}/addons/{database.id}"
    try:
        resolved(lambda: heroku.delete(path), lambda: _live(heroku, database.id) is None, clock)
    except HerokuError as error:
        raise Refused(f"{database.name} may go, but Heroku did not remove it: {error}. Run this again") from error

    def there() -> str | None:
        return None if _is_gone(heroku, database.id) else "Heroku still lists it"

    try:
        Wait(clock, report, 0.2, 5.0).until(f"{database.name} to be gone", there, clock.now() + GOES_WITHIN)
    except ChangeoverError as error:
        raise Incomplete(f"Heroku was asked to remove {database.name}; {error}. Run this again") from error
    report(f"{database.name} is deleted")


def _is_gone(heroku: Heroku, database_id: str) -> bool:
    try:
        heroku.get(f"/addons/{database_id}")
    except NotFound as error:
        return error.error_id == "not_found"
    return False
