"""What speaks against a move through a follower: a plan, a size or a state with which Heroku makes none."""

import re
from collections.abc import Callable, Iterator

from heroku_changeover.terms.finding import Finding, finding
from heroku_changeover.terms.prospect import Prospect

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


def can_be_followed(prospect: Prospect) -> bool:
    """Whether both plans are of tiers that have followers."""
    return all(FOLLOWABLE.match(plan) is not None for plan in (prospect.primary.plan, prospect.plan))


def findings(prospect: Prospect) -> Iterator[Finding]:
    """Everything that speaks against it, in the order in which a preview lists it."""
    for look in LOOKS:
        yield from look(prospect)


def _not_followable(p: Prospect) -> Iterator[Finding]:
    for side, plan in (("the leader's", p.primary.plan), ("the wanted", p.plan)):
        if plan in (*p.facts.plans, p.primary.plan) and not FOLLOWABLE.match(plan):
            yield finding(
                "plan-not-followable",
                f"{side} plan {plan} is of a tier without followers",
                "a changeover goes through a follower",
                "use `heroku addons:upgrade` or `heroku pg:copy` for this move",
            )


def _leader_is_follower(p: Prospect) -> Iterator[Finding]:
    if p.primary.is_follower:
        yield finding(
            "leader-is-follower",
            f"{p.primary.name}, the DATABASE of {p.facts.app.name}, is itself a follower",
            "a follower takes no writes and cannot be followed",
            f"attach the real leader, or `heroku pg:unfollow {p.primary.name}`",
        )


def _fork_follow(p: Prospect) -> Iterator[Finding]:
    words = p.primary.fork_follow
    if p.target is None and words and words != "Available" and not p.primary.is_follower:
        yield finding(
            "fork-follow-unavailable",
            f"Fork/Follow of {p.primary.name} is {words}",
            "no follower can be made now; for a while after an unfollow or a fork that is normal",
            f"wait until `heroku pg:info {p.primary.name}` says Available",
        )


def _too_small(p: Prospect) -> Iterator[Finding]:
    match, used = FOLLOWABLE.match(p.plan), p.primary.data_bytes
    limit = LIMITS_GB.get(int(match[3])) if match else None
    if limit and used is not None and used > limit * GB:
        yield finding(
            "target-too-small",
            f"{p.primary.name} holds {used / GB:.0f} GB, {p.plan} has {limit} GB",
            "the follower would not fit",
            "choose a larger plan",
        )


def _too_far_below(p: Prospect) -> Iterator[Finding]:
    below = _sizes_below(p.primary.plan, p.plan)
    most = MOST_BELOW_ON_0 if p.plan.endswith("-0") else MOST_BELOW
    if p.target is None and below > most:
        yield finding(
            "target-too-far-below",
            f"{p.plan} is {below} plan sizes below {p.primary.plan}, the plan of {p.primary.name}",
            f"Heroku lets a follower be at most {most} below on that plan",
            "choose a larger plan, or go down in several changes",
        )


def _sizes_below(leader: str, follower: str) -> int:
    """How many rows of the plan table lie between two plans; 0 where one of them is not in it."""
    sizes = list(LIMITS_GB)
    numbers = [int(m[3]) for m in (FOLLOWABLE.match(leader), FOLLOWABLE.match(follower)) if m]
    known = [sizes.index(n) for n in numbers if n in sizes]
    return known[0] - known[1] if len(known) == 2 else 0


def _other_runtime(p: Prospect) -> Iterator[Finding]:
    leader, wanted = (plan.partition("-")[0] for plan in (p.primary.plan, p.plan))
    shielded = "shield" in {leader, wanted} and leader != wanted
    if p.target is None and (shielded or (leader == "private" and wanted in {"standard", "premium"})):
        yield finding(
            "plan-of-another-runtime",
            f"{p.primary.name} is on {p.primary.plan}, and {p.plan} runs elsewhere",
            "Heroku makes no follower out of a Private Space, and none into or out of a Shield one",
            f"choose a {leader} plan, or move the data with `heroku pg:copy`",
        )


LOOKS: tuple[Callable[[Prospect], Iterator[Finding]], ...] = (
    _not_followable,
    _leader_is_follower,
    _fork_follow,
    _too_small,
    _too_far_below,
    _other_runtime,
)
