"""What Heroku itself is about to do to the database."""

from collections.abc import Iterator

from heroku_changeover.terms.finding import Finding, finding, warning
from heroku_postgres.findings.outlook import Outlook


def heroku_maintenance(o: Outlook) -> Iterator[Finding]:
    words = o.primary.maintenance
    if "running" in words.lower():
        yield finding(
            "heroku-maintenance-running",
            f"Heroku is doing maintenance on {o.primary.name} ({words})",
            "it may fail over in the middle of the window",
            "wait until it is done",
        )
    elif words and not words.lower().startswith(("not required", "none", "completed")):
        yield warning(
            "heroku-maintenance-due",
            f"Heroku has maintenance for {o.primary.name} ({words})",
            "if it starts in the window, the window is given up",
            "do the changeover well before it, or run it first: `heroku data:maintenances:run`",
        )
