"""Who has the database under which name: who would be left on it, and which names move along."""

from collections.abc import Iterator

from heroku_changeover.terms.facts import POOLER, App, Attachment, Database
from heroku_changeover.terms.finding import Finding, finding, warning
from heroku_postgres.findings.outlook import Outlook


def apps_not_listed(o: Outlook) -> Iterator[Finding]:
    others = sorted({a.app for a in o.primary.attachments if a.is_primary} - set(o.wish.apps))
    if others:
        yield finding(
            "apps-not-listed",
            f"{', '.join(others)} uses {o.primary.name} too",
            "it would go on writing to the old database",
            f"list it: `apps: [{', '.join(others)}]`, or detach it",
        )


def attached_elsewhere(o: Outlook) -> Iterator[Finding]:
    """An app whose DATABASE is not the primary, and that has the primary under another name."""
    on_it = {*o.wish.apps, *(a.app for a in o.primary.attachments if a.is_primary)}
    for attachment in o.primary.attachments:
        if attachment.app not in on_it:
            yield finding(
                "attached-elsewhere",
                f"app {attachment.app} has {o.primary.name} as {attachment.name}, and not as its DATABASE",
                "it is not taken down, so it would go on with the old database under that name",
                f"`{_detach(attachment)}` for the changeover, and attach the new one under that name afterwards",
            )


def other_primary(o: Outlook) -> Iterator[Finding]:
    for app in o.facts.apps:
        if app.primary is None or app.primary.addon_id not in {
            o.primary.id,
            o.prospect.target.id if o.prospect.target else "",
        }:
            has = app.primary.addon_name if app.primary else "none"
            also = "".join(f", and `{_detach(a)}`" for a in o.primary.attached_to(app.name))
            yield finding(
                "app-on-another-database",
                f"DATABASE of app {app.name} is {has}, not {o.primary.name}",
                "it would be taken to another database's data",
                f"take it out of `apps`{also}, or attach the right database",
            )


def _detach(attachment: Attachment) -> str:
    return f"heroku addons:detach {attachment.name} --app {attachment.app}"


def attachments(o: Outlook) -> Iterator[Finding]:
    for app in o.facts.apps:
        ours = [a for a in o.primary.attached_to(app.name) if not a.is_primary]
        yield from _moving(app, [a for a in ours if not a.is_colour and a.namespace is None])
        yield from _staying(app, o.primary, [a for a in ours if a.is_colour])
        yield from _pooler(app, [a for a in ours if a.namespace == POOLER and not a.is_colour])
        yield from _credentials(app, [a for a in ours if a.namespace not in {None, POOLER} and not a.is_colour])


def _moving(app: App, attachments: list[Attachment]) -> Iterator[Finding]:
    if attachments:
        yield warning(
            "attachments-move",
            f"{_names(attachments)} of app {app.name} moves along with DATABASE",
            "the name was chosen by a person, so it stands for the primary",
            "nothing, unless it is meant to stay with the old database",
        )


def _staying(app: App, primary: Database, attachments: list[Attachment]) -> Iterator[Finding]:
    if attachments:
        yield warning(
            "attachments-stay",
            f"{_names(attachments)} of app {app.name} stays with {primary.name}",
            "a colour name belongs to its database",
            "make sure that the app does not read it",
        )


def _pooler(app: App, attachments: list[Attachment]) -> Iterator[Finding]:
    if attachments:
        yield warning(
            "pooler",
            f"app {app.name} uses the connection pooler as {_names(attachments)}",
            "it is attached to the new database under the same name",
            "nothing",
        )


def _credentials(app: App, attachments: list[Attachment]) -> Iterator[Finding]:
    if attachments:
        yield warning(
            "credentials",
            f"app {app.name} uses credentials as {_names(attachments)}",
            "tables that only they may write are not in the fence; the attachments move along",
            "stop whoever writes through them",
        )


def _names(attachments: list[Attachment]) -> str:
    return ", ".join(a.name for a in attachments)
