"""Every look at a changeover that is wanted, in the order in which a preview lists what they find."""

from collections.abc import Callable, Iterator

from heroku_changeover.terms.finding import Finding
from heroku_postgres.findings import apps, attachments, database, heroku
from heroku_postgres.findings.outlook import Outlook


def changeover_findings(outlook: Outlook) -> list[Finding]:
    """All findings about a changeover, errors first, in the order of the list below."""
    found = [f for look in LOOKS for f in look(outlook)]
    return sorted(found, key=lambda f: not f.is_error)


def _of_the_way(outlook: Outlook) -> Iterator[Finding]:
    """What the way of moving the database says, which knows nothing of this component."""
    return outlook.way.findings(outlook.prospect)


LOOKS: tuple[Callable[[Outlook], Iterator[Finding]], ...] = (
    _of_the_way,
    attachments.apps_not_listed,
    attachments.attached_elsewhere,
    attachments.other_primary,
    heroku.heroku_maintenance,
    apps.fir,
    apps.one_offs,
    database.other_followers,
    apps.release_phase,
    apps.preboot,
    apps.space,
    apps.scheduler,
    apps.autoscaling,
    attachments.attachments,
    database.copied_vars,
    database.schedules,
)
