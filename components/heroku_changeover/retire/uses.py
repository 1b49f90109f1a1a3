"""Who uses a database, as Heroku tells: attachments, followers, config vars that hold its address."""

from typing import Any

from heroku_changeover.reach.answers import reads
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.look import database_from
from heroku_changeover.reach.reading import attachments_from, copies_of, place
from heroku_changeover.retire.verdict import Retirement, Verdict
from heroku_changeover.terms.errors import Forbidden, NotFound
from heroku_changeover.terms.facts import SERVICE, Attachment, Database


@reads("an app")
def attached_to_payer(
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


def find_attachments(database: Database, verdict: Verdict) -> None:
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


def find_copied_vars(heroku: Heroku, database: Database, url: str, verdict: Verdict) -> None:
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


def candidates(heroku: Heroku, database: Database, attached: tuple[Attachment, ...]) -> list[Database]:
    """What the paying app uses under a name that a person chose, and that follows nobody: may hold the same data."""
    ids = {a.addon_id for a in attached if not a.is_colour} - {database.id}
    rows = [heroku.get(f"/addons/{addon_id}") for addon_id in sorted(ids)]
    found = [database_from(heroku, row) for row in rows if _is_provisioned(row)]
    return [candidate for candidate in found if not candidate.is_follower]


@reads("an add-on")
def _is_provisioned(addon: Any) -> bool:
    return bool(addon["state"] == "provisioned" and addon["addon_service"]["name"] == SERVICE)


@reads("config vars")
def url_of(heroku: Heroku, database: Database) -> str:
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
