"""Who uses a database over SQL, and which other one holds what it holds."""

from typing import Any

from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.retire.uses import url_of
from heroku_changeover.retire.verdict import Verdict
from heroku_changeover.terms.errors import SqlUnreachable
from heroku_changeover.terms.facts import Database


def ask_over_sql(
    heroku: Heroku, database: Database, url: str, candidates: list[Database] | None, verdict: Verdict
) -> None:
    """Open sessions; and, unless it is a pure copy, for which there are no candidates, who holds what it holds."""
    if candidates == []:
        verdict.last.append(f"app {database.app} uses no other database, so it may be the only one with its data")
    if not url:
        if candidates:
            verdict.unproven.append("it could not be proved that another database holds what it holds")
        return
    from heroku_changeover.reach.postgres.session import open_session

    try:
        with open_session(database.name, url) as session:
            _find_sessions(session, verdict)
            if candidates:
                _find_holder(heroku, session, candidates, verdict)
    except SqlUnreachable as error:
        verdict.unproven.append(f"{error}, so it could not be proved who uses it, nor who holds what it holds")


def _find_sessions(session: Any, verdict: Verdict) -> None:
    """Sessions of anybody but ourselves and Heroku's own roles, which are superusers or replicate."""
    from heroku_changeover.reach.postgres.session import NAME

    rows = session.rows(
        "SELECT a.usename, count(*) FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename"
        " WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.application_name <> %s"
        " AND NOT r.rolsuper AND NOT r.rolreplication GROUP BY 1 ORDER BY 1",
        NAME,
    )
    for role, count in rows:
        verdict.used(f"{count} open sessions of role {role}", f"stop what is signed in as {role}")


def _find_holder(heroku: Heroku, session: Any, candidates: list[Database], verdict: Verdict) -> None:
    from heroku_changeover.reach.postgres.lineage import standing

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
    from heroku_changeover.reach.postgres.lineage import is_related, lacking, standing
    from heroku_changeover.reach.postgres.session import open_session

    try:
        with open_session(candidate.name, url_of(heroku, candidate)) as session:
            other = standing(session)
    except SqlUnreachable as error:
        return False, f"{error}, so it could not be proved that it holds what {own.database} holds"
    if not is_related(own, other):
        return True, f"{candidate.name} holds other data, so {own.database} may be the only one with its own"
    return False, lacking(own, other)
