"""
What is declared, decided from the wish and the facts alone: no I/O, no Pulumi, no clock.

A *generation* is one add-on in the life of a database: the first one is adopted or fresh, every later one was born as
a follower. The *primary* is the generation attached as DATABASE; the *target* the one that is to become it; a
*retired* one was primary before; one that is *cut off* was unfollowed but never promoted, because a changeover broke
between the two.
"""

import re
from dataclasses import dataclass, replace
from enum import Enum

from heroku_changeover.command import STEPS
from heroku_changeover.facts import App, Database, Facts
from heroku_postgres.findings import (
    Finding,
    Outlook,
    changeover_findings,
    finding,
    has_errors,
    standing_findings,
    warning,
)
from heroku_postgres.runbook import runbook
from heroku_postgres.wish import Wish

AWAIT_ONLY = STEPS[:1]


class Kind(Enum):
    """What a run is about."""

    FRESH = "fresh"
    SETTLED = "settled"
    PREPARED = "prepared"
    CHANGEOVER = "changeover"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Declared:
    """
    A generation to declare.

    `plan` is the live plan, so that no plan change is ever sent; `import_id` the live add-on's UUID; `follow` the
    leader's name for a database that has yet to be made as a follower; `role` is primary, target, retired or cut off.
    """

    number: int
    addon: str
    plan: str
    role: str
    import_id: str | None = None
    follow: str | None = None
    protect: bool = False
    steps: tuple[str, ...] = ()
    leader: str | None = None


@dataclass(frozen=True, slots=True)
class Decision:
    """
    What a run declares and says.

    `primary` and `plan` are as they will be when the run has ended well, `retired` the names of what is then kept
    without use. `until_then` is what holds as long as it has not, None where nothing moves.
    """

    kind: Kind
    generations: tuple[Declared, ...]
    findings: tuple[Finding, ...]
    summary: str
    primary: str
    plan: str
    retired: tuple[str, ...] = ()
    runbook: tuple[str, ...] = ()
    until_then: "Decision | None" = None

    @property
    def outcome(self) -> str:
        """Where the database is after the run: the same sentence in a changeover and in the settled run after it."""
        if not self.primary:
            return "there is no database yet"
        kept = f"; kept: {', '.join(self.retired)}" if self.retired else ""
        return f"{self.primary} is the primary on {self.plan}{kept}"

    @property
    def is_refused(self) -> bool:
        return has_errors(self.findings)


def decide(wish: Wish, facts: Facts) -> Decision:
    """The one decision; the rows of its table are the branches below."""
    managed = managed_databases(wish, facts)
    primary = facts.primary
    if primary is None:
        return _without_primary(wish, facts, managed)
    if primary not in managed.values():
        return _refused(wish, managed, primary, [_not_managed(wish, primary), *standing_findings(wish, facts, primary)])
    if primary.plan == wish.plan:
        return _settled(wish, facts, managed, primary)
    return _changeover(wish, facts, managed, primary)


def managed_databases(wish: Wish, facts: Facts) -> dict[int, Database]:
    """The live databases of this component by their generation."""
    numbered = {d.name: wish.number_of(d.name) for d in facts.databases if d.app == wish.app}
    own = sorted((number, name) for name, number in numbered.items() if number is not None)
    return {number: database for number, name in own if (database := facts.database(name)) is not None}


def _without_primary(wish: Wish, facts: Facts, managed: dict[int, Database]) -> Decision:
    problems = [f for f in standing_findings(wish, facts, None) if f.is_error]
    problems += [_on_another(app) for app in facts.apps if app.primary]
    if managed:
        problems.append(_detached(wish, managed))
    elif wish.adopt:
        problems.append(_nothing_to_adopt(wish))
    if problems:
        return _refused(wish, managed, None, problems)
    addon = wish.addon_name(1)
    fresh = Declared(1, addon, wish.plan, "primary", protect=True)
    summary, nothing = f"{addon} is created on {wish.plan} for app {wish.app}", Decision(Kind.FRESH, (), (), "", "", "")
    return Decision(Kind.FRESH, (fresh,), (), summary, addon, wish.plan, until_then=nothing)


def _settled(wish: Wish, facts: Facts, managed: dict[int, Database], primary: Database) -> Decision:
    """A follower that is left from a changed mind is a pure copy and is not declared; everything else stays."""
    number = _number(managed, primary)
    kept = {n: d for n, d in managed.items() if d is primary or not d.is_follower}
    cut_off = [d for n, d in kept.items() if n > number]
    found = standing_findings(wish, facts, primary)
    if cut_off and not _is_serving(facts):
        found.append(_unfinished(wish, primary, cut_off[0]))
    generations = tuple(_standing(wish, n, d, number, protect=True) for n, d in kept.items())
    retired = tuple(d.name for d in kept.values() if d is not primary)
    summary = f"{primary.name} is the primary on {primary.plan}"
    kind = Kind.REFUSED if has_errors(found) else Kind.SETTLED
    return Decision(kind, generations, tuple(found), summary, primary.name, primary.plan, retired)


def _changeover(wish: Wish, facts: Facts, managed: dict[int, Database], primary: Database) -> Decision:
    number, goal = _number(managed, primary), _target(wish, managed, primary) or _next_number(wish, facts, managed)
    existing = managed.get(goal)
    target = _target_declared(wish, goal, existing, primary)
    kept = {n: d for n, d in managed.items() if d is primary or (not d.is_follower and n != goal)}
    found = standing_findings(wish, facts, primary)
    found += changeover_findings(Outlook(wish, facts, primary, target.addon, existing))
    found += _unfinished_findings(wish, facts, primary, existing, [d for n, d in kept.items() if n > number])
    if has_errors(found):
        return _refused(wish, managed, primary, found)
    generations = [target, *(_standing(wish, n, d, number, protect=wish.hold) for n, d in kept.items())]
    before = Decision(
        kind=Kind.PREPARED,
        generations=tuple(sorted(generations, key=lambda g: g.number)),
        findings=tuple(found),
        summary=f"{target.addon} ({wish.plan}) is prepared as a follower of {primary.name} ({primary.plan}), and held",
        primary=primary.name,
        plan=primary.plan,
        retired=tuple(d.name for d in kept.values() if d is not primary),
        runbook=runbook(wish, target, primary),
    )
    return before if wish.hold else _switched(before, wish, target, primary, kept)


def _switched(before: Decision, wish: Wish, target: Declared, leader: Database, kept: dict[int, Database]) -> Decision:
    """What comes of a prepared changeover when it is not held."""
    moves = f"{', '.join(wish.apps)} {'moves' if len(wish.apps) == 1 else 'move'}"
    return replace(
        before,
        kind=Kind.CHANGEOVER,
        summary=f"{moves} from {leader.name} ({leader.plan}) to {target.addon} ({wish.plan})",
        primary=target.addon,
        plan=wish.plan,
        retired=tuple(d.name for d in kept.values()),
        until_then=before,
    )


def _target(wish: Wish, managed: dict[int, Database], primary: Database) -> int | None:
    """
    The follower of the primary on the wanted plan; or what was cut off from it on that plan by a changeover that broke.

    Never one with a lower number than the primary: its steps may be recorded in state, and would not run again.
    """
    later = {n: d for n, d in managed.items() if n > _number(managed, primary) and d.plan == wish.plan}
    following = [n for n, d in later.items() if d.is_follower and d.following == primary.name]
    cut_off = [n for n, d in later.items() if not d.is_follower]
    return max(cut_off or following, default=None)


def _next_number(wish: Wish, facts: Facts, managed: dict[int, Database]) -> int:
    """
    A number that no generation has had.

    The state may remember the steps of one that was destroyed by hand, and would not run them again for another add-on.
    """
    past = (wish.number_of(name) for name in facts.past_addons)
    return 1 + max([*managed, *(number for number in past if number is not None)])


def _target_declared(wish: Wish, number: int, existing: Database | None, primary: Database) -> Declared:
    return Declared(
        number,
        existing.name if existing else wish.addon_name(number),
        existing.plan if existing else wish.plan,
        "target",
        import_id=existing.id if existing else None,
        follow=primary.name,
        steps=AWAIT_ONLY if wish.hold else STEPS,
        leader=primary.name,
    )


def _standing(wish: Wish, number: int, database: Database, primary: int, *, protect: bool) -> Declared:
    """
    A generation that is there already.

    Its steps are recorded in state and so are declared again; one that was cut off and is not wanted any more has
    none, so that none of them can promote it.
    """
    role = "primary" if number == primary else "retired" if number < primary else "cut off"
    return Declared(
        number,
        database.name,
        database.plan,
        role,
        import_id=database.id,
        protect=protect and role == "primary",
        steps=STEPS if number > 1 and role != "cut off" else (),
        leader=_leader_before(wish, number),
    )


def _leader_before(wish: Wish, number: int) -> str | None:
    """The generation before; only for the text of steps that are recorded in state and never run again."""
    if number < 2:
        return None
    return wish.adopt if number == 2 and wish.adopt else wish.addon_name(number - 1)


def _number(managed: dict[int, Database], database: Database) -> int:
    return next(n for n, d in managed.items() if d is database)


def _is_serving(facts: Facts) -> bool:
    return all(app.is_serving for app in facts.apps)


def _refused(wish: Wish, managed: dict[int, Database], primary: Database | None, problems: list[Finding]) -> Decision:
    """Nothing is declared away by a run that fails: every live generation stays."""
    number = _number(managed, primary) if primary and primary in managed.values() else 0
    generations = tuple(_standing(wish, n, d, number, protect=True) for n, d in managed.items())
    name, plan = (primary.name, primary.plan) if primary else ("", wish.plan)
    return Decision(Kind.REFUSED, generations, tuple(problems), "nothing is done", name, plan)


def _unfinished_findings(
    wish: Wish, facts: Facts, primary: Database, target: Database | None, cut_off: list[Database]
) -> list[Finding]:
    serving = _is_serving(facts)
    if cut_off and not serving:
        return [_unfinished(wish, primary, cut_off[0])]
    if not serving and target is None:
        return [_not_serving(facts)]
    if wish.hold and target is not None and not (serving and (target.is_follower or not target.is_known)):
        return [_held(primary, target)]
    return [] if serving else [_resumed(facts)]


def _not_managed(wish: Wish, primary: Database) -> Finding:
    return finding(
        "not-managed",
        f"DATABASE of app {wish.app} is {primary.name}, which this stack does not manage",
        "only a database that is in the stack can be changed over",
        _how_to_manage(wish, primary),
    )


def _how_to_manage(wish: Wish, primary: Database) -> str:
    """A name that another Database gave is never adopted: its generations would be taken for others."""
    if primary.app != wish.app:
        return f"declare it with app {primary.app}, which pays for it"
    if made := re.fullmatch(rf"{re.escape(wish.app)}-([a-z][a-z0-9-]*)-[1-9][0-9]*", primary.name):
        return f"a Database called {made[1]!r} made it: give this one that name, by which it finds its generations"
    return f"adopt it: that is the argument `adopt`, or `pulumi config set adopt {primary.name}` where config has it"


def _on_another(app: App) -> Finding:
    return finding(
        "app-on-another-database",
        f"DATABASE of app {app.name} is {app.primary.addon_name if app.primary else 'none'}",
        "a fresh database would not be its DATABASE",
        "take it out of `apps`, or name the app that pays for that database as `app`",
    )


def _detached(wish: Wish, managed: dict[int, Database]) -> Finding:
    newest = managed[max(managed)].name
    return finding(
        "primary-detached",
        f"app {wish.app} has no DATABASE, although {', '.join(d.name for d in managed.values())} is there",
        "it cannot be told which database the app's data is in",
        f"attach the right one: `heroku addons:attach {newest} --as DATABASE --app {wish.app}`",
    )


def _nothing_to_adopt(wish: Wish) -> Finding:
    return finding(
        "adopt-missing",
        f"adopt names {wish.adopt}, but app {wish.app} has no such database and no DATABASE",
        "there is nothing to adopt",
        f"see `heroku addons --app {wish.app}`; without `adopt` a fresh database is made",
    )


def _not_serving(facts: Facts) -> Finding:
    return finding(
        "unfinished-changeover",
        f"app {_down(facts)} is in maintenance mode or scaled to nothing, and no follower is there",
        "an earlier changeover or somebody else's work is unfinished, and how the app is to be left cannot be seen",
        "bring it back: scale it up and `heroku maintenance:off`; then run this again",
    )


def _resumed(facts: Facts) -> Finding:
    return warning(
        "changeover-resumed",
        f"app {_down(facts)} is in maintenance mode or scaled to nothing, and the follower of this changeover is there",
        "that is taken for an earlier run's doing: this one goes on and brings it back as that run found it",
        "if somebody else is at work on it, bring it back first",
    )


def _down(facts: Facts) -> str:
    return ", ".join(a.name for a in facts.apps if not a.is_serving)


def _unfinished(wish: Wish, primary: Database, cut_off: Database) -> Finding:
    return finding(
        "unfinished-changeover",
        f"{cut_off.name} ({cut_off.plan}) was unfollowed but never promoted, and the apps are not serving",
        f"an earlier changeover broke between the two; the plan now says {wish.plan}",
        f"to finish it, set plan back to {cut_off.plan}; to give it up, bring the apps back on {primary.name} "
        f"(scale up, `heroku maintenance:off`) and destroy {cut_off.name}",
    )


def _held(primary: Database, target: Database) -> Finding:
    return finding(
        "held-in-the-middle",
        f"hold is set, but the changeover from {primary.name} to {target.name} has begun",
        "holding it now would leave the apps down",
        "set `hold: false`, so that it is finished",
    )
