"""Which slip is tried at which moment, and what is typed after it: each slip at each moment in every run."""

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from heroku_changeover.terms.acts import Act

SLIPS = (
    "app-renamed",
    "primary-renamed",
    "old-renamed",
    "component-renamed",
    "component-aliased",
    "stack-renamed",
    "adopt-another",
    "adopt-dropped",
    "adopt-misspelt",
    "app-another",
    "app-and-adopt-another",
    "apps-added",
    "apps-dropped",
    "state-lost",
    "state-older",
    "state-deleted-old",
    "state-deleted-primary",
    "tainted-guard",
    "tainted-addon",
    "tainted-restore",
    "second-stack",
    "by-hand",
    "upgraded",
    "detached",
    "old-named",
    "empty-attached",
)
"""What happens between two commands; `kinds.KINDS` has what each is."""

MOMENTS = ("settled", "held", "broken before the unfollow", "broken after it")
"""A changeover is done; a second one is prepared and held; or its run was killed in the window."""

BEFORE = ((Act.MAINTENANCE_ON, "after"), (Act.SCALE_DOWN, "after"), (Act.LOCK, "after"), (Act.BARRIER, "after"))
AFTER = ((Act.UNFOLLOW, "after"), (Act.SEAL, "after"), (Act.ATTACH, "after"), (Act.SCALE_UP, "before"))
ENDINGS = ("cli-killed", "machine-lost")
"""With a keeper that closes the window, or finishes it; and without."""

SLICE = {
    "adopt-another": "held",
    "app-and-adopt-another": "broken before the unfollow",
    "component-renamed": "broken after it",
    "state-deleted-primary": "held",
    "state-older": "settled",
}

UPS = ("up", "up --refresh")
DESTROYS = (
    "destroy",
    "destroy the primary",
    "destroy --exclude-protected",
    "destroy --continue-on-error",
    "destroy --exclude-protected --continue-on-error",
    "destroy a retired one",
)
"""Two of them stand for the command that removes one generation: that of the primary, and as it is printed."""


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One slip at one moment, and the commands that follow it; `act`, `phase` and `what` are of the broken run."""

    slip: str
    moment: str
    commands: tuple[str, str]
    act: Act = Act.LOCK
    phase: str = ""
    what: str = ""

    @property
    def is_broken(self) -> bool:
        return bool(self.what)

    def __str__(self) -> str:
        broken = f" ({self.what} {self.phase} {self.act.value})" if self.is_broken else ""
        return f"{self.slip}, {self.moment}{broken}, then {' and '.join(self.commands)}"


def cases(seed: int) -> list[Case]:
    """Every slip at every moment, in a random order; the seed decides which commands follow, and where a run breaks."""
    chosen = random.Random(seed)  # noqa: S311 - nothing secret
    every = list(_every(chosen))
    chosen.shuffle(every)
    return every


def slice_of(seed: int) -> list[Case]:
    """One case for each slip that could cost a database, with every moment among them."""
    return [case for case in sorted(cases(seed)) if SLICE.get(case.slip) == case.moment]


def _every(chosen: random.Random) -> Iterator[Case]:
    """One command that declares and one that destroys, in either order: what one leaves is there for the other."""
    pairs = [(*pair,) for pair in itertools.product(UPS, DESTROYS)]
    orders = [order for up, destroy in pairs for order in ((up, destroy), (destroy, up))]
    for number, (slip, moment) in enumerate(itertools.product(SLIPS, MOMENTS)):
        if not number % len(orders):
            chosen.shuffle(orders)
        commands = orders[number % len(orders)]
        if moment.startswith("broken"):
            act, phase = chosen.choice(BEFORE if "before" in moment else AFTER)
            yield Case(slip, moment, commands, act, phase, chosen.choice(ENDINGS))
        else:
            yield Case(slip, moment, commands)
