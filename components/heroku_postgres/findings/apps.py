"""What an app has that makes its way down and up again slower, riskier or impossible."""

from collections.abc import Iterator

from heroku_changeover.terms.facts import ProcessType
from heroku_changeover.terms.finding import Finding, finding, warning
from heroku_postgres.findings.outlook import Outlook

SCALERS = frozenset({"adept-scale", "hirefire", "judoscale", "rails-autoscale"})
"""Add-on services that scale dynos."""


def fir(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: a.generation == "fir"):
        yield finding(
            "fir-generation",
            f"app {app.name} is of the Fir generation",
            "it has no maintenance mode",
            "use `heroku addons:upgrade` for this app",
        )


def one_offs(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: bool(a.one_offs)):
        names = ", ".join(d.name for d in app.one_offs)
        policy = o.wish.one_off_dynos
        yield warning(
            "one-off-dynos",
            f"one-off dynos run in {app.name}: {names}",
            "they may write"
            + (", and are stopped in the window" if policy == "stop" else "; the window waits for their end"),
            "let them end first, or set `oneOffDynos: stop`"
            if policy == "wait"
            else "let them end first if they must not be cut",
        )


def release_phase(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: a.has_release_phase):
        yield warning(
            "release-phase",
            f"app {app.name} has a release command",
            "it runs twice in the window, once while DATABASE is detached, and adds its time to the outage",
            "make sure that it bears that, or take it out for this release",
        )


def preboot(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: "preboot" in a.features):
        yield warning(
            "preboot",
            f"app {app.name} has preboot on",
            "web dynos are switched over some minutes after they start, which makes the return slower",
            f"`heroku features:disable preboot --app {app.name}` for the changeover",
        )


def space(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: a.space is not None):
        yield warning(
            "private-space",
            f"app {app.name} runs in the {'Shield' if app.shield else 'Private'} Space {app.space}",
            "with no web dyno users see an error page there, and SQL may not reach the database from here",
            "run this inside the space, or set `verify: api`, which goes on without proof",
        )


def scheduler(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: "scheduler" in a.services):
        yield warning(
            "scheduler",
            f"app {app.name} has Heroku Scheduler",
            "a job may start in the window; the fence holds its writes until they fail",
            "choose a minute in which none is due",
        )


def autoscaling(o: Outlook) -> Iterator[Finding]:
    for app in o.apps(lambda a: bool(SCALERS & a.services) or any(_may_autoscale(p) for p in a.formation)):
        yield warning(
            "autoscaling",
            f"app {app.name} may be scaled by {', '.join(sorted(SCALERS & app.services)) or 'Heroku by itself'}",
            "dynos that it starts in the window write to the old database until they meet the fence, and then fail",
            "switch autoscaling off for the changeover",
        )


def _may_autoscale(p: ProcessType) -> bool:
    """Heroku scales web dynos of these sizes by itself, where that is on, which the Platform API does not tell."""
    return p.type == "web" and p.size.lower().startswith(("performance", "private", "shield"))
