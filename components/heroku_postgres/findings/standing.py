"""What is wrong whether or not a changeover is wanted."""

from collections.abc import Iterator

from heroku_changeover.terms.facts import Database, Facts
from heroku_changeover.terms.finding import Finding, finding
from heroku_postgres.wish import Wish


def standing_findings(wish: Wish, facts: Facts, primary: Database | None) -> list[Finding]:
    """Everything that stands; a plan matters only where a database is to be made on it."""
    found = list(_unreadable(facts))
    if primary is None or primary.plan != wish.plan:
        found += _plan_unknown(wish, facts)
    return found


def _unreadable(facts: Facts) -> Iterator[Finding]:
    for app, reason in facts.unreadable:
        yield finding(
            "app-unreadable",
            f"app {app}: {reason}",
            "what cannot be read cannot be brought back as it was",
            "use a token that may read and write it, or take it out of `apps`",
        )


def _plan_unknown(wish: Wish, facts: Facts) -> Iterator[Finding]:
    if wish.plan not in facts.plans:
        near = sorted(p for p in facts.plans if p.split("-")[0] == wish.plan.split("-")[0])
        yield finding(
            "plan-unknown",
            f"Heroku Postgres has no plan {wish.plan}",
            "the database could not be created",
            f"choose one of {', '.join(near or facts.plans)}",
        )
