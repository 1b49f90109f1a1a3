"""
The plans of Heroku Postgres that are known here, with their disk limit (Heroku's plan tables, dev center).

What they cost is not told: the Platform API shows it only to those with an account.
"""

from dataclasses import dataclass

GB = 2**30
SERVICE = "heroku-postgresql"


@dataclass(frozen=True, slots=True)
class Plan:
    """`limit` in bytes; `can_follow` is about either side of following."""

    name: str
    limit: int
    can_follow: bool = True

    @property
    def full_name(self) -> str:
        return f"{SERVICE}:{self.name}"


_SIZES = {0: 64, 2: 256, 3: 512, 4: 768, 5: 1024, 6: 1536, 7: 2048, 8: 3072, 9: 4096}
ESSENTIAL = frozenset({"essential", "mini", "basic"})
"""Tiers on shared servers; mini and basic are what Essential was before."""

_TIERS = ("standard", "premium", "private", "shield")

PLANS = {
    plan.name: plan
    for plan in (
        *(Plan(f"{tier}-{n}", gb * GB) for tier in _TIERS for n, gb in _SIZES.items()),
        Plan("mini", GB, can_follow=False),
        Plan("basic", 10 * GB, can_follow=False),
        Plan("essential-0", GB, can_follow=False),
        Plan("essential-1", 10 * GB, can_follow=False),
        Plan("essential-2", 32 * GB, can_follow=False),
        Plan("advanced-beta", 4096 * GB, can_follow=False),
    )
}


def plan_named(name: str) -> Plan | None:
    return PLANS.get(name.removeprefix(f"{SERVICE}:"))


def tier_of(plan: Plan) -> str:
    return plan.name.partition("-")[0]


def sizes_below(leader: Plan, follower: Plan) -> int:
    """How many sizes of the plan table a follower is below its leader; negative when it is above."""
    sizes = list(_SIZES)
    numbers = [int(plan.name.rpartition("-")[2]) for plan in (leader, follower)]
    return sizes.index(numbers[0]) - sizes.index(numbers[1])
