"""Which fault is tried where: enumerated from the acts of the product, so that a new act brings its cases along."""

import random
from collections.abc import Iterator
from dataclasses import dataclass

from heroku_changeover.terms.acts import Act
from kit.acts import OVER_SQL, READS, WRITES

ENDINGS = ("step-killed", "step-ended", "ctrl-c", "ctrl-c-twice", "cli-killed", "machine-lost")
"""Ways in which a run ends before its time."""

ANSWERS = ("500", "503", "429", "reset-before", "reset-after", "hang", "not-json")
"""Ways in which an API fails once."""


ONCE = (Act.KEEP_ATTACHED, Act.UNFOLLOW, Act.ATTACH)
"""Writes of which a blind second one would do harm: a lost answer is always tried at them."""


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """
    One fault: what happens, at which act, before or after it, and whether a rogue writer is at work meanwhile.

    `nth` is for an act that a step does more than once: at which time of it.
    """

    what: str
    act: Act
    phase: str
    rogue: bool = False
    nth: int = 1

    @property
    def before_unfollow(self) -> bool:
        """Whether everything can still be put back; acts are listed in the order in which they happen."""
        order = list(Act)
        return (order.index(self.act), self.phase) <= (order.index(Act.UNFOLLOW), "before")

    def __str__(self) -> str:
        nth = f" number {self.nth}" if self.nth > 1 else ""
        return f"{self.what} {self.phase} {self.act.value}{nth}{', with a rogue writer' if self.rogue else ''}"


def cases(seed: int) -> list[Case]:
    """
    Every case of a run, in a random order.

    At every act that changes something a run is cancelled, a machine is lost, and one of the other endings happens,
    before it and after it; at every wait a run is cancelled before it and ended otherwise after it. The seed decides
    which.
    """
    chosen = random.Random(seed)  # noqa: S311 - nothing secret
    every = [*_endings(chosen), *_answers(chosen), *_servers(), *_unusual(), *_rogues(chosen)]
    chosen.shuffle(every)
    return every


def slice_of(seed: int) -> list[Case]:
    """One case for every act, with every way of ending a run among them."""
    chosen = random.Random(seed)  # noqa: S311 - nothing secret
    kinds = list(ENDINGS)
    chosen.shuffle(kinds)
    return [Case(kinds[n % len(kinds)], act, "after" if n % 2 else "before") for n, act in enumerate(_reached())]


def _reached() -> list[Act]:
    """The acts of a changeover in which nothing goes wrong; `Act.UNSEAL` is for a target that stays unproven."""
    return [act for act in Act if act is not Act.UNSEAL]


def _endings(chosen: random.Random) -> Iterator[Case]:
    others = [e for e in ENDINGS if e not in {"ctrl-c", "machine-lost"}]
    for act in _reached():
        if act.name.startswith("AWAIT_"):
            yield Case("ctrl-c", act, "before")
            yield Case(chosen.choice([*others, "machine-lost"]), act, "after")
            continue
        for phase in ("before", "after"):
            for what in ("ctrl-c", "machine-lost", chosen.choice(others)):
                yield Case(what, act, phase)


def _answers(chosen: random.Random) -> Iterator[Case]:
    for act in WRITES:
        always = ("reset-after", "hang") if act in ONCE else ()
        others = [a for a in ANSWERS if a not in always]
        for what in (*always, *chosen.sample(others, 3 - len(always))):
            yield Case(what, act, "before")
    for act in READS:
        for what in chosen.sample([a for a in ANSWERS if a != "reset-after"], 2):
            yield Case(what, act, "before")


def _servers() -> Iterator[Case]:
    for act in (act for act in OVER_SQL if act in _reached()):
        yield Case("leader-restarted", act, "before")
    for act in (Act.REACH, Act.BARRIER, Act.AWAIT_REPLAY):
        yield Case("follower-stopped", act, "before")


def _unusual() -> Iterator[Case]:
    yield Case("release-fails", Act.ATTACH, "before")
    yield Case("sigterm-ignored", Act.SCALE_DOWN, "before")
    yield Case("lag-stays", Act.LOCK, "before")
    yield Case("unprovable", Act.ATTACH, "before")
    for act in (Act.MAINTENANCE_ON, Act.SCALE_DOWN):
        yield Case("late-write", act, "before")
    for act in (Act.AWAIT_DYNOS, Act.AWAIT_UNFOLLOWED, Act.SCALE_UP):
        yield Case("hours-pass", act, "before")
    for what in ("ctrl-c", "machine-lost", "step-killed"):
        yield Case(what, Act.ATTACH, "before", nth=2)  # DATABASE has moved, the other names have not
    for act in (Act.MAINTENANCE_ON, Act.AWAIT_DYNOS, Act.LOCK):
        yield Case("colleague-scales-up", act, "after")
    for act in (Act.SCALE_DOWN, Act.UNFOLLOW, Act.SCALE_UP):
        yield Case("token-expires", act, "before")
        yield Case("api-is-down", act, "before")


def _rogues(chosen: random.Random) -> Iterator[Case]:
    for act in (Act.LOCK, Act.BARRIER, Act.UNFOLLOW, Act.AWAIT_UNFOLLOWED, Act.SEAL, Act.ATTACH, Act.SCALE_UP):
        yield Case("ctrl-c", act, "before", rogue=True)
        yield Case(chosen.choice(["machine-lost", "step-killed", "cli-killed"]), act, "after", rogue=True)
