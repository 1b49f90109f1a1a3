"""
The retire guard: proof, at the very moment of deletion, that nothing uses a database any more.

It runs before the add-on's deletion, as the `delete` of a resource that depends on it, and refuses with exit code 30;
then the engine stops and nothing is deleted.
"""

from collections.abc import Callable, Iterator, Mapping

from heroku_changeover.command import CONFIRM_VARIABLE
from heroku_changeover.errors import ChangeoverError, Forbidden, NotFound, Refused
from heroku_changeover.facts import SERVICE, Attachment, Database
from heroku_changeover.heroku import Heroku, reads
from heroku_changeover.look import database_named


def guard(heroku: Heroku, app: str, name: str, environ: Mapping[str, str], report: Callable[[str], None]) -> None:
    """
    Returns when the database may go: it is gone already, or was confirmed by name, or nothing uses it.

    Raises:
        Refused: lists everything that uses it, or says that Heroku or the database could not be asked.
    """
    if environ.get(CONFIRM_VARIABLE) == name:
        report(f"{CONFIRM_VARIABLE} names {name}: it goes without further questions")
        return
    try:
        database = database_named(heroku, name)
        reasons = list(_reasons(heroku, app, database)) if database else []
    except ChangeoverError as error:
        raise Refused(
            f"{name} is kept: it could not be proved that nothing uses it: {error}. {_way_out(name)}"
        ) from error
    if reasons:
        raise Refused(f"{name} is kept: {'; '.join(reasons)}. {_way_out(name)}")
    report(f"{name} is used by nobody" if database else f"{name} is gone already")


def _way_out(name: str) -> str:
    return f"To delete it all the same, set {CONFIRM_VARIABLE}={name}"


def _reasons(heroku: Heroku, app: str, database: Database) -> Iterator[str]:
    for attachment in database.attachments:
        if attachment.is_primary:
            yield f"it is DATABASE of app {attachment.app}"
    for other in sorted(database.apps - {app, database.app}):
        yield f"app {other} uses it too"
    if database.followers:
        yield f"{len(database.followers)} databases follow it"
    if not database.is_follower and not _another_primary(heroku, database):
        yield f"app {database.app} has no other primary, so it may be the only copy"
    yield from _open_sessions(heroku, database)


@reads("attachments")
def _another_primary(heroku: Heroku, database: Database) -> bool:
    try:
        rows = heroku.get(f"/apps/{database.app}/addon-attachments")
    except NotFound:
        return False
    primaries = [a["addon"]["name"] for a in rows if a["name"] == "DATABASE" and a["addon"]["id"] != database.id]
    return any(_is_provisioned(heroku, name) for name in primaries)


@reads("an add-on")
def _is_provisioned(heroku: Heroku, name: str) -> bool:
    addon = heroku.get(f"/addons/{name}")
    return bool(addon["state"] == "provisioned" and addon["addon_service"]["name"] == SERVICE)


def _open_sessions(heroku: Heroku, database: Database) -> Iterator[str]:
    """Sessions of anybody but ourselves and Heroku's own roles, which are superusers or replicate."""
    url = _url(heroku, database)
    if not url:
        if database.state == "provisioned" and database.attachments:
            yield "no app that this token opens has its address, so it cannot be seen whether sessions are open on it"
        return  # else nobody can have an address from Heroku
    from heroku_changeover.postgres import NAME, open_session

    with open_session(database.name, url) as session:
        rows = session.rows(
            "SELECT a.usename, count(*) FROM pg_stat_activity a JOIN pg_roles r ON r.rolname = a.usename"
            " WHERE a.datname = current_database() AND a.pid <> pg_backend_pid() AND a.application_name <> %s"
            " AND NOT r.rolsuper AND NOT r.rolreplication GROUP BY 1 ORDER BY 1",
            NAME,
        )
    for role, count in rows:
        yield f"{count} open sessions of role {role}"


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
