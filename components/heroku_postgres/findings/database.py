"""What hangs on the database and does not move with DATABASE by itself."""

from collections.abc import Iterator

from heroku_changeover.terms.finding import Finding, warning
from heroku_postgres.findings.outlook import Outlook


def other_followers(o: Outlook) -> Iterator[Finding]:
    copies = (d.name for d in o.facts.databases if d.following == o.primary.name)
    named = sorted(name for name in copies if name != o.prospect.target_name)
    known = len(named) + (1 if o.prospect.target and o.prospect.target.is_follower else 0)
    unknown = max(len(o.primary.followers) - known, 0)
    unmanaged = [name for name in named if o.wish.number_of(name) is None]
    if unmanaged or unknown:
        yield warning(
            "other-followers",
            f"{o.primary.name} has other followers: {', '.join(unmanaged) or unknown}",
            "they go on following the old database, which takes no more writes",
            "make new followers of the new primary afterwards",
        )


def copied_vars(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: bool(a.copied_config_vars)):
        yield warning(
            "copied-config-vars",
            f"config vars of {app.name} hold the address of {o.primary.name}: {', '.join(app.copied_config_vars)}",
            "no attachment owns them, so they go on naming the old database",
            "change them by hand afterwards, or read DATABASE_URL instead",
        )


def schedules(o: Outlook) -> Iterator[Finding]:
    if o.primary.schedules:
        yield warning(
            "backup-schedules",
            f"{o.primary.name} has backup schedules: {', '.join(o.primary.schedules)}",
            "they belong to the old database; restore makes the same ones for the new one",
            "check `heroku pg:backups:schedules` afterwards",
        )
