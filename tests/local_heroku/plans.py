"""The plans of Heroku Postgres that are known here, with price and disk limit (Heroku's plan tables, dev center)."""

from dataclasses import dataclass

GB = 2**30
SERVICE = "heroku-postgresql"


@dataclass(frozen=True, slots=True)
class Plan:
    """`limit` in bytes; `can_follow` is about either side of following."""

    name: str
    cents: int
    limit: int
    can_follow: bool = True

    @property
    def full_name(self) -> str:
        return f"{SERVICE}:{self.name}"


_SIZES = {0: 64, 2: 256, 3: 512, 4: 768, 5: 1024, 6: 1536, 7: 2048, 8: 3072, 9: 4096}
_TIERS = {"standard": 5000, "premium": 20000, "private": 30000, "shield": 35000}

PLANS = {
    plan.name: plan
    for plan in (
        *(Plan(f"{tier}-{n}", base * (n + 1), gb * GB) for tier, base in _TIERS.items() for n, gb in _SIZES.items()),
        Plan("mini", 500, GB, can_follow=False),
        Plan("basic", 900, 10 * GB, can_follow=False),
        Plan("essential-0", 500, GB, can_follow=False),
        Plan("essential-1", 900, 10 * GB, can_follow=False),
        Plan("essential-2", 2000, 32 * GB, can_follow=False),
        Plan("advanced-beta", 60000, 4096 * GB, can_follow=False),
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
