"""Which fault is tried where: enumerated from the acts of the product, so that a new act brings its cases along."""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from heroku_changeover.terms.acts import Act
from kit.acts import OVER_SQL, READS, WRITES
from kit.elsewhere import can_be_had

ENDINGS = ("step-killed", "step-ended", "ctrl-c", "ctrl-c-twice", "cli-killed", "machine-lost")
"""Ways in which a run ends before its time."""

ANSWERS = ("500", "503", "429", "reset-before", "reset-after", "hang", "not-json")
"""Ways in which an API fails once."""


ONCE = (Act.KEEP_ATTACHED, Act.UNFOLLOW, Act.ATTACH)
"""Writes of which a blind second one would do harm: a lost answer is always tried at them."""


@dataclass(frozen=True, slots=True)
class Then:
    """
    The second fault of a pair, at an act of whoever makes good what the first one broke: the keeper, or else the next
    `pulumi up`.
    """

    what: str
    act: Act
    phase: str = "before"
    keeper: bool = True
    nth: int = 1

    def __str__(self) -> str:
        return f"{self.what} {self.phase} {self.act.value} of {'the keeper' if self.keeper else 'the next run'}"


@dataclass(frozen=True, slots=True)
class Case:
    """
    What happens, at which act, before or after it, and whether a rogue writer is at work meanwhile; in which world, if
    it is not the tidy one; and what happens then, while that is made good.

    `nth` is for an act that a step does more than once: at which time of it.
    """

    what: str
    act: Act
    phase: str
    rogue: bool = False
    nth: int = 1
    world: str = ""
    then: Then | None = None

    @property
    def before_unfollow(self) -> bool:
        """Whether everything can still be put back; acts are listed in the order in which they happen."""
        order = list(Act)
        return (order.index(self.act), self.phase) <= (order.index(Act.UNFOLLOW), "before")

    @property
    def unstopped(self) -> bool:
        """Whether the run is not stopped anywhere, because it may well be refused before it comes to an act."""
        return self.world.startswith("held")

    def __str__(self) -> str:
        nth = f" number {self.nth}" if self.nth > 1 else ""
        world = f" in world {self.world}" if self.world else ""
        then = f", then {self.then}" if self.then else ""
        rogue = ", with a rogue writer" if self.rogue else ""
        return f"{self.what} {self.phase} {self.act.value}{nth}{rogue}{world}{then}"


def cases(seed: int) -> list[Case]:
    """
    Every case of a run, in a random order.

    At every act that changes something a run is cancelled, a machine is lost, and one of the other endings happens,
    before it and after it; at every wait a run is cancelled before it and ended otherwise after it. The seed decides
    which.
    """
    chosen = random.Random(seed)  # noqa: S311 - nothing secret
    every = [*_endings(chosen), *_answers(chosen), *_servers(), *_unusual(), *_rogues(chosen)]
    every += [*of_kinds(chosen), *pairs(chosen)]
    chosen.shuffle(every)
    return every


def every_case() -> list[Case]:
    """All that can be chosen of kinds and pairs, and what every run has: to play single ones by their description."""
    kinds = {case: None for kind in KINDS.values() for case in kind}
    pairs_ = dict.fromkeys((*_at_keepers(), *_at_next_runs()))
    return [*{**kinds, **pairs_, **dict.fromkeys(cases(0))}]


def slice_of(seed: int) -> list[Case]:
    """One case for every act, with every way of ending a run among them; and a few worlds that are soon played."""
    chosen = random.Random(seed)  # noqa: S311 - nothing secret
    kinds = list(ENDINGS)
    chosen.shuffle(kinds)
    tidy = [Case(kinds[n % len(kinds)], act, "after" if n % 2 else "before") for n, act in enumerate(_reached())]
    return [*tidy, *IN_SLICE]


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


SOON = (Act.MAINTENANCE_ON, Act.SCALE_DOWN, Act.AWAIT_DYNOS)
FENCED = (Act.LOCK, Act.BARRIER, Act.AWAIT_REPLAY)
CUT = (Act.UNFOLLOW, Act.AWAIT_WRITABLE, Act.SEAL)
MOVING = (Act.ATTACH, Act.AWAIT_RELEASE, Act.SCALE_UP)
OF_API = (Act.MAINTENANCE_ON, Act.AWAIT_DYNOS, Act.AWAIT_REPLAY, Act.UNFOLLOW, Act.ATTACH, Act.SCALE_UP)
"""The acts of a changeover without SQL that a fault is tried at."""

OF_EACH = 4
"""How many cases of a kind a run has, where there are more."""


def of_kinds(chosen: random.Random) -> Iterator[Case]:
    """Of each kind some: the first one always, since it is what went wrong before, and others by the seed."""
    for first, *others in (kind for name, kind in KINDS.items() if name != NO_GOODBYE or can_be_had()):
        yield from (first, *chosen.sample(others, min(OF_EACH - 1, len(others))))


def _in_world(world: str, acts: Sequence[Act] = (*FENCED, *CUT, *MOVING)) -> tuple[Case, ...]:
    """A run that nothing else happens to, and one that ends at each of these acts."""
    faults = (("ctrl-c", "before"), ("machine-lost", "after"), ("cli-killed", "after"))
    ended = (Case(what, act, phase, world=world) for act in acts for what, phase in faults)
    return (Case("nothing", acts[0], "before", world=world), *ended)


def _each(whats: Sequence[str], acts: Sequence[Act], phase: str = "before", **more: str) -> tuple[Case, ...]:
    return tuple(Case(what, act, phase, world=more.get("world", "")) for what in whats for act in acts)


def _settings() -> tuple[Case, ...]:
    worlds = ("datestyle", "serializable", "timeouts", "shadow", "set-role", "libpq")
    plain = tuple(Case("nothing", Act.LOCK, "before", world=world) for world in worlds)
    return plain + tuple(Case("cli-killed", act, "after", world=w) for w in worlds for act in (Act.LOCK, Act.SEAL))


RIVALS = ("second-machine", "second-machine-beside", "second-machine-while-stopped", "second-machine-after-loss")
NO_GOODBYE = "a machine that says no goodbye"
"""It takes a network namespace, which not everybody may make."""

KINDS: dict[str, tuple[Case, ...]] = {
    "two machines": (
        Case("second-machine-beside", Act.BARRIER, "before", world="rival"),
        Case("second-machine-beside", Act.SEAL, "before", world="rival"),
        *_each(RIVALS, (Act.ATTACH, Act.UNFOLLOW, Act.LOCK, Act.SCALE_DOWN, Act.SCALE_UP), world="rival"),
    ),
    "a cancelled run that lives": _each(("second-run",), (Act.ATTACH, Act.LOCK, Act.BARRIER, Act.UNFOLLOW, Act.SEAL)),
    "transactions of a credential": _in_world("transactions"),
    "a partition under another role's parent": _in_world("partition"),
    "unlogged tables": (
        *_each(("unlogged-filled",), (Act.AWAIT_DYNOS, Act.MAINTENANCE_ON, Act.SCALE_DOWN), world="unlogged"),
        Case("unlogged-filled", Act.LOCK, "before", world="unlogged"),
    ),
    "verify: api": (
        Case("worker-scales-up", Act.UNFOLLOW, "before", world="api"),
        Case("worker-scales-up", Act.AWAIT_REPLAY, "before", world="api"),
        *_in_world("api", OF_API),
    ),
    "DATABASE by a credential": _in_world("credential"),
    "several apps": _in_world("apps"),
    "a companion is refused": (
        *_each(("companion-refused",), (Act.ATTACH, Act.UNFOLLOW, Act.LOCK)),
        Case("companion-refused", Act.ATTACH, "before", nth=2),
    ),
    "settings": _settings(),
    "a step stands still": _each(
        ("step-stopped",), (Act.BARRIER, Act.AWAIT_UNFOLLOWED, Act.SCALE_DOWN, Act.LOCK, Act.SEAL, Act.ATTACH)
    ),
    "a server stalls": _each(("server-stalls",), (Act.BARRIER, Act.LOCK, Act.SEAL)),
    "come back later": _each(("retry-after",), (Act.AWAIT_DYNOS, Act.AWAIT_ONE_OFFS, Act.AWAIT_WEB)),
    "the keeper's world": (
        *_each(("keeper-401", "record-removed", "record-cut", "environment-removed"), (Act.LOCK, Act.ATTACH)),
    ),
    "a job that is ended": _each(
        ("job-ended",), (Act.SCALE_DOWN, Act.LOCK, Act.UNFOLLOW, Act.ATTACH), "after", world="ci"
    ),
    "taken down by hand": tuple(
        Case("nothing", Act.MAINTENANCE_ON, "before", world=world)
        for world in ("held", "held-maintenance", "held-scaled")
    ),
    "put back on a sealed database": (
        Case("attach-refused", Act.ATTACH, "before"),
        *_each(("recovered-by-hand",), (Act.SEAL, Act.ATTACH), "after"),
        *_each(("recovered-by-hand",), (Act.LOCK, Act.UNFOLLOW, Act.SCALE_UP), "after"),
    ),
    NO_GOODBYE: (
        *_each(("wire-cut",), (Act.BARRIER, Act.LOCK, Act.UNFOLLOW, Act.SEAL, Act.ATTACH), "after", world="elsewhere"),
        Case("nothing", Act.LOCK, "before", world="elsewhere"),
    ),
    "many tables": _in_world("many-tables", (Act.LOCK, Act.SEAL, Act.ATTACH)),
    "the wall clock": (
        Case("clock-forward", Act.SCALE_DOWN, "before"),
        Case("clock-was-wrong", Act.SCALE_DOWN, "after"),
        Case("clock-was-wrong", Act.UNFOLLOW, "after"),
        *_each(("clock-forward", "clock-back", "clock-set"), (Act.AWAIT_DYNOS, Act.BARRIER, Act.ATTACH)),
    ),
}
"""What people have whose world is not tidy: some cases of each kind are in every run."""

IN_SLICE = (
    Case("cli-killed", Act.LOCK, "after", world="apps"),
    Case("machine-lost", Act.SEAL, "after", world="credential"),
    Case("nothing", Act.LOCK, "before", world="transactions"),
    Case("nothing", Act.LOCK, "before", world="datestyle"),
    Case("record-removed", Act.LOCK, "before"),
    Case("second-machine", Act.ATTACH, "before", world="rival"),
    Case("cli-killed", Act.UNFOLLOW, "after", then=Then("killed", Act.ATTACH)),
)
"""A few of the kinds for every run of the tests."""

BEFORE_KEEPERS = (Act.SCALE_UP, Act.MAINTENANCE_OFF)
"""What a keeper does that puts back."""

AFTER_KEEPERS = (Act.LOCK, Act.ATTACH, Act.AWAIT_RELEASE, Act.SCALE_UP, Act.MAINTENANCE_OFF, Act.CARRY_SCHEDULE)
"""What a keeper does that goes forward from the cut."""

SECONDS = ("killed", "401", "503", "reset-after", "hang")
PAIRS = 36


def pairs(chosen: random.Random) -> Iterator[Case]:
    """One fault while another one is made good, by the keeper or by the next run."""
    every = [*_at_keepers(), *_at_next_runs()]
    yield from chosen.sample(every, PAIRS)


def _at_keepers() -> Iterator[Case]:
    back = [(first, act) for first in (Act.SCALE_DOWN, *FENCED) for act in BEFORE_KEEPERS]
    forward = [(Act.UNFOLLOW, act) for act in AFTER_KEEPERS]
    for first, act in (*back, *forward):
        for what in SECONDS:
            yield Case("cli-killed", first, "after", then=Then(what, act))
    for act in (Act.LOCK, Act.SEAL, Act.ATTACH):
        yield Case("cli-killed", Act.UNFOLLOW, "after", then=Then("leader-restarted", act))


def _at_next_runs() -> Iterator[Case]:
    """The machine is lost, and so is, or is cancelled, the run that was to go on."""
    nexts = {
        Act.SCALE_DOWN: (Act.SCALE_UP, Act.LOCK, Act.UNFOLLOW, Act.ATTACH),
        Act.BARRIER: (Act.BARRIER, Act.UNFOLLOW, Act.SEAL),
        Act.UNFOLLOW: (Act.LOCK, Act.SEAL, Act.ATTACH, Act.SCALE_UP),
        Act.ATTACH: (Act.SCALE_UP, Act.MAINTENANCE_OFF),
    }
    for first, seconds in nexts.items():
        for act in seconds:
            for what in ("ctrl-c", "cli-killed", "machine-lost", "step-killed"):
                yield Case("machine-lost", first, "after", then=Then(what, act, keeper=False))
