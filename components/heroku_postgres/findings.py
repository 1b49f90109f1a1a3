"""
Everything a reviewer has to know before a changeover: errors, which fail the preview, and warnings.

Each finding has a stable id, what was found, why it matters and what to do. They are read from facts only.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from heroku_changeover.terms.facts import POOLER, App, Attachment, Database, Facts, ProcessType
from heroku_postgres.wish import Wish

GB = 2**30
LIMITS_GB = {0: 64, 2: 256, 3: 512, 4: 768, 5: 1024, 6: 1536, 7: 2048, 8: 3072, 9: 4096}
"""Disk of a Standard, Premium, Private or Shield plan by its number (devcenter: heroku-postgres-plans, plan tables)."""

MOST_BELOW, MOST_BELOW_ON_0 = 4, 1
"""
How many rows of the plan table a follower may be below its leader, and how many on a `-0` plan (devcenter:
heroku-postgres-follower-databases).
"""

FOLLOWABLE = re.compile(r"(standard|premium|private|shield)-(l-|xl-)?(\d+)$")
"""
Plans that can lead and follow; Essential, mini, basic, hobby and Advanced cannot (devcenter:
heroku-postgres-follower-databases).
"""

SCALERS = frozenset({"adept-scale", "hirefire", "judoscale", "rails-autoscale"})
"""Add-on services that scale dynos."""


@dataclass(frozen=True, slots=True)
class Finding:
    """`what` was found, `why` it matters, what to `do`; `id` never changes its meaning."""

    id: str
    is_error: bool
    what: str
    why: str
    do: str

    def __str__(self) -> str:
        return f"[{self.id}] {self.what}: {self.why}. {self.do[:1].upper()}{self.do[1:]}."


@dataclass(frozen=True, slots=True)
class Outlook:
    """A changeover that is wanted: from the primary to the target, which is None while it has yet to be made."""

    wish: Wish
    facts: Facts
    primary: Database
    target_name: str
    target: Database | None


def finding(id_: str, what: str, why: str, do: str, *, error: bool = True) -> Finding:
    return Finding(id_, error, what, why, do)


def warning(id_: str, what: str, why: str, do: str) -> Finding:
    return finding(id_, what, why, do, error=False)


def has_errors(findings: "tuple[Finding, ...] | list[Finding]") -> bool:
    return any(f.is_error for f in findings)


def standing_findings(wish: Wish, facts: Facts, primary: Database | None) -> list[Finding]:
    """What is wrong whether or not a changeover is wanted."""
    found = list(_unreadable(facts))
    if primary is None or primary.plan != wish.plan:
        found += _plan_unknown(wish, facts)
    return found


def changeover_findings(outlook: Outlook) -> list[Finding]:
    """All findings about a changeover, errors first, in the order of the list below."""
    found = [f for look in CHANGEOVER for f in look(outlook)]
    return sorted(found, key=lambda f: not f.is_error)


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


def _not_followable(o: Outlook) -> Iterator[Finding]:
    for side, plan in (("the leader's", o.primary.plan), ("the wanted", o.wish.plan)):
        if plan in (*o.facts.plans, o.primary.plan) and not FOLLOWABLE.match(plan):
            yield finding(
                "plan-not-followable",
                f"{side} plan {plan} is of a tier without followers",
                "a changeover goes through a follower",
                "use `heroku addons:upgrade` or `heroku pg:copy` for this move",
            )


def _leader_is_follower(o: Outlook) -> Iterator[Finding]:
    if o.primary.is_follower:
        yield finding(
            "leader-is-follower",
            f"{o.primary.name}, the DATABASE of {o.wish.app}, is itself a follower",
            "a follower takes no writes and cannot be followed",
            f"attach the real leader, or `heroku pg:unfollow {o.primary.name}`",
        )


def _fork_follow(o: Outlook) -> Iterator[Finding]:
    words = o.primary.fork_follow
    if o.target is None and words and words != "Available" and not o.primary.is_follower:
        yield finding(
            "fork-follow-unavailable",
            f"Fork/Follow of {o.primary.name} is {words}",
            "no follower can be made now; for a while after an unfollow or a fork that is normal",
            f"wait until `heroku pg:info {o.primary.name}` says Available",
        )


def _too_small(o: Outlook) -> Iterator[Finding]:
    match, used = FOLLOWABLE.match(o.wish.plan), o.primary.data_bytes
    limit = LIMITS_GB.get(int(match[3])) if match else None
    if limit and used is not None and used > limit * GB:
        yield finding(
            "target-too-small",
            f"{o.primary.name} holds {used / GB:.0f} GB, {o.wish.plan} has {limit} GB",
            "the follower would not fit",
            "choose a larger plan",
        )


def _too_far_below(o: Outlook) -> Iterator[Finding]:
    below = _sizes_below(o.primary.plan, o.wish.plan)
    most = MOST_BELOW_ON_0 if o.wish.plan.endswith("-0") else MOST_BELOW
    if o.target is None and below > most:
        yield finding(
            "target-too-far-below",
            f"{o.wish.plan} is {below} plan sizes below {o.primary.plan}, the plan of {o.primary.name}",
            f"Heroku lets a follower be at most {most} below on that plan",
            "choose a larger plan, or go down in several changes",
        )


def _sizes_below(leader: str, follower: str) -> int:
    """How many rows of the plan table lie between two plans; 0 where one of them is not in it."""
    sizes = list(LIMITS_GB)
    numbers = [int(m[3]) for m in (FOLLOWABLE.match(leader), FOLLOWABLE.match(follower)) if m]
    known = [sizes.index(n) for n in numbers if n in sizes]
    return known[0] - known[1] if len(known) == 2 else 0


def _other_runtime(o: Outlook) -> Iterator[Finding]:
    leader, wanted = (plan.partition("-")[0] for plan in (o.primary.plan, o.wish.plan))
    shielded = "shield" in {leader, wanted} and leader != wanted
    if o.target is None and (shielded or (leader == "private" and wanted in {"standard", "premium"})):
        yield finding(
            "plan-of-another-runtime",
            f"{o.primary.name} is on {o.primary.plan}, and {o.wish.plan} runs elsewhere",
            "Heroku makes no follower out of a Private Space, and none into or out of a Shield one",
            f"choose a {leader} plan, or move the data with `heroku pg:copy`",
        )


def _apps_not_listed(o: Outlook) -> Iterator[Finding]:
    others = sorted({a.app for a in o.primary.attachments if a.is_primary} - set(o.wish.apps))
    if others:
        yield finding(
            "apps-not-listed",
            f"{', '.join(others)} uses {o.primary.name} too",
            "it would go on writing to the old database",
            f"list it: `apps: [{', '.join(others)}]`, or detach it",
        )


def _attached_elsewhere(o: Outlook) -> Iterator[Finding]:
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


def _detach(attachment: Attachment) -> str:
    return f"heroku addons:detach {attachment.name} --app {attachment.app}"


def _other_primary(o: Outlook) -> Iterator[Finding]:
    for app in o.facts.apps:
        if app.primary is None or app.primary.addon_id not in {o.primary.id, o.target.id if o.target else ""}:
            has = app.primary.addon_name if app.primary else "none"
            also = "".join(f", and `{_detach(a)}`" for a in o.primary.attached_to(app.name))
            yield finding(
                "app-on-another-database",
                f"DATABASE of app {app.name} is {has}, not {o.primary.name}",
                "it would be taken to another database's data",
                f"take it out of `apps`{also}, or attach the right database",
            )


def _heroku_maintenance(o: Outlook) -> Iterator[Finding]:
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


def _fir(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: a.generation == "fir"):
        yield finding(
            "fir-generation",
            f"app {app.name} is of the Fir generation",
            "it has no maintenance mode",
            "use `heroku addons:upgrade` for this app",
        )


def _one_offs(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: bool(a.one_offs)):
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


def _other_followers(o: Outlook) -> Iterator[Finding]:
    copies = (d.name for d in o.facts.databases if d.following == o.primary.name)
    named = sorted(name for name in copies if name != o.target_name)
    known = len(named) + (1 if o.target and o.target.is_follower else 0)
    unknown = max(len(o.primary.followers) - known, 0)
    unmanaged = [name for name in named if o.wish.number_of(name) is None]
    if unmanaged or unknown:
        yield warning(
            "other-followers",
            f"{o.primary.name} has other followers: {', '.join(unmanaged) or unknown}",
            "they go on following the old database, which takes no more writes",
            "make new followers of the new primary afterwards",
        )


def _release_phase(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: a.has_release_phase):
        yield warning(
            "release-phase",
            f"app {app.name} has a release command",
            "it runs twice in the window, once while DATABASE is detached, and adds its time to the outage",
            "make sure that it bears that, or take it out for this release",
        )


def _preboot(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: "preboot" in a.features):
        yield warning(
            "preboot",
            f"app {app.name} has preboot on",
            "web dynos are switched over some minutes after they start, which makes the return slower",
            f"`heroku features:disable preboot --app {app.name}` for the changeover",
        )


def _space(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: a.space is not None):
        yield warning(
            "private-space",
            f"app {app.name} runs in the {'Shield' if app.shield else 'Private'} Space {app.space}",
            "with no web dyno users see an error page there, and SQL may not reach the database from here",
            "run this inside the space, or set `verify: api`, which goes on without proof",
        )


def _scheduler(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: "scheduler" in a.services):
        yield warning(
            "scheduler",
            f"app {app.name} has Heroku Scheduler",
            "a job may start in the window; the fence holds its writes until they fail",
            "choose a minute in which none is due",
        )


def _autoscaling(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: bool(SCALERS & a.services) or any(_may_autoscale(p) for p in a.formation)):
        yield warning(
            "autoscaling",
            f"app {app.name} may be scaled by {', '.join(sorted(SCALERS & app.services)) or 'Heroku by itself'}",
            "dynos that it starts in the window write to the old database until they meet the fence, and then fail",
            "switch autoscaling off for the changeover",
        )


def _may_autoscale(p: ProcessType) -> bool:
    """Heroku scales web dynos of these sizes by itself, where that is on, which the Platform API does not tell."""
    return p.type == "web" and p.size.lower().startswith(("performance", "private", "shield"))


def _attachments(o: Outlook) -> Iterator[Finding]:
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


def _copied_vars(o: Outlook) -> Iterator[Finding]:
    for app in _apps(o, lambda a: bool(a.copied_config_vars)):
        yield warning(
            "copied-config-vars",
            f"config vars of {app.name} hold the address of {o.primary.name}: {', '.join(app.copied_config_vars)}",
            "no attachment owns them, so they go on naming the old database",
            "change them by hand afterwards, or read DATABASE_URL instead",
        )


def _schedules(o: Outlook) -> Iterator[Finding]:
    if o.primary.schedules:
        yield warning(
            "backup-schedules",
            f"{o.primary.name} has backup schedules: {', '.join(o.primary.schedules)}",
            "they belong to the old database; restore makes the same ones for the new one",
            "check `heroku pg:backups:schedules` afterwards",
        )


def _apps(o: Outlook, wanted: Callable[[App], bool]) -> list[App]:
    return [app for app in o.facts.apps if wanted(app)]


def _names(attachments: list[Attachment]) -> str:
    return ", ".join(a.name for a in attachments)


CHANGEOVER: tuple[Callable[[Outlook], Iterator[Finding]], ...] = (
    _not_followable,
    _leader_is_follower,
    _fork_follow,
    _too_small,
    _too_far_below,
    _other_runtime,
    _apps_not_listed,
    _attached_elsewhere,
    _other_primary,
    _heroku_maintenance,
    _fir,
    _one_offs,
    _other_followers,
    _release_phase,
    _preboot,
    _space,
    _scheduler,
    _autoscaling,
    _attachments,
    _copied_vars,
    _schedules,
)
"""Every look at a changeover, in the order in which a preview lists what they find."""
