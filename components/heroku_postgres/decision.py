"""
What is declared, decided from the wish, the facts and what the stack knows alone: no I/O, no Pulumi, no clock.

A *generation* is one add-on in the life of a database: adopted, fresh, or born as a follower. The *primary* is the
generation attached as DATABASE; the *target* the one that is to become it; a *retired* one was primary before; one that
is *cut off* was unfollowed but never promoted, because a changeover broke between the two.
"""

from dataclasses import dataclass, replace
from enum import Enum

from heroku_changeover.terms.facts import App, Database, Facts
from heroku_changeover.terms.order import STEPS
from heroku_postgres.findings import (
    Finding,
    Outlook,
    changeover_findings,
    finding,
    has_errors,
    standing_findings,
    warning,
)
from heroku_postgres.identity import (
    left_by_the_last_run,
    managed_databases,
    next_number,
    not_its_own,
    not_managed,
    of_another,
)
from heroku_postgres.known import Known
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


def decide(wish: Wish, facts: Facts, known: Known) -> Decision:
    """The one decision; the rows of its table are the branches below."""
    managed = managed_databases(wish, facts, known)
    primary = facts.primary
    if stranger := of_another(wish, facts, known, managed):
        return _refused(wish, known, managed, primary, [stranger])
    if primary is None:
        return _without_primary(wish, facts, known, managed)
    if primary not in managed.values():
        problems = [not_managed(wish, known, primary), *standing_findings(wish, facts, primary)]
        return _refused(wish, known, managed, primary, problems)
    if problem := not_its_own(wish, facts, known, managed, primary):
        return _refused(wish, known, managed, primary, [problem, *standing_findings(wish, facts, primary)])
    if primary.plan == wish.plan:
        return _settled(wish, facts, known, managed, primary)
    return _changeover(wish, facts, known, managed, primary)


def _without_primary(wish: Wish, facts: Facts, known: Known, managed: dict[int, Database]) -> Decision:
    problems = [f for f in standing_findings(wish, facts, None) if f.is_error]
    problems += [_on_another(app) for app in facts.apps if app.primary]
    if managed:
        problems.append(_detached(wish, known, managed))
    elif wish.adopt and not known.generations:
        problems.append(_nothing_to_adopt(wish))
    if problems:
        return _refused(wish, known, managed, None, problems)
    number = next_number(wish, facts, known, managed)
    addon = wish.addon_name(number)
    fresh = Declared(number, addon, wish.plan, "primary", protect=True)
    summary, nothing = f"{addon} is created on {wish.plan} for app {wish.app}", Decision(Kind.FRESH, (), (), "", "", "")
    found = (_gone(wish, addon),) if known.generations else ()
    return Decision(Kind.FRESH, (fresh,), found, summary, addon, wish.plan, until_then=nothing)


def _settled(wish: Wish, facts: Facts, known: Known, managed: dict[int, Database], primary: Database) -> Decision:
    """A follower that is left from a changed mind is a pure copy and is not declared; everything else stays."""
    number = _number(managed, primary)
    kept = {n: d for n, d in managed.items() if d is primary or not d.is_follower}
    found = standing_findings(wish, facts, primary) + _left_to_do(wish, facts, known, managed, primary, kept)
    generations = [_standing(known, managed, n, number, protect=True) for n in kept]
    if number > 1 and wish.number_of(primary.name) == number and not _is_serving(facts):
        # a destroy that was refused has taken its steps; those that run again find out what is left to do
        generations = [replace(g, steps=STEPS) if g.role == "primary" else g for g in generations]
    retired = tuple(d.name for d in kept.values() if d is not primary)
    summary = f"{primary.name} is the primary on {primary.plan}"
    kind = Kind.REFUSED if has_errors(found) else Kind.SETTLED
    return Decision(kind, tuple(generations), tuple(found), summary, primary.name, primary.plan, retired)


def _left_to_do(
    wish: Wish, facts: Facts, known: Known, managed: dict[int, Database], primary: Database, kept: dict[int, Database]
) -> list[Finding]:
    """What a changeover that broke may have left, although DATABASE is on the wanted plan."""
    found: list[Finding] = []
    if known.steps(_number(managed, primary)) not in {(), STEPS}:
        ids = {d.id for d in managed.values()}
        found = [_of_others(app, primary) for app in facts.apps if app.primary and app.primary.addon_id not in ids]
    if not _is_serving(facts):
        found += _unfinished(wish, known, managed, primary, kept) or [_left_down(facts)]
    return found


def _changeover(wish: Wish, facts: Facts, known: Known, managed: dict[int, Database], primary: Database) -> Decision:
    number = _number(managed, primary)
    goal = _target(wish, known, managed, primary) or next_number(wish, facts, known, managed)
    existing = managed.get(goal)
    target = _target_declared(wish, goal, existing, primary)
    kept = {n: d for n, d in managed.items() if d is primary or (not d.is_follower and n != goal)}
    found = standing_findings(wish, facts, primary)
    found += changeover_findings(Outlook(wish, facts, primary, target.addon, existing))
    found += _unfinished_findings(wish, facts, primary, existing, _unfinished(wish, known, managed, primary, kept))
    if has_errors(found):
        return _refused(wish, known, managed, primary, found)
    generations = [target, *(_standing(known, managed, n, number, protect=wish.hold) for n in kept)]
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


def _target(wish: Wish, known: Known, managed: dict[int, Database], primary: Database) -> int | None:
    """
    The follower of the primary on the wanted plan; or what was cut off from it on that plan by a changeover that broke.

    Never one with a lower number than the primary: its steps may be recorded in state, and would not run again.
    """
    later = {n: d for n, d in managed.items() if n > _number(managed, primary) and d.plan == wish.plan}
    following = [n for n, d in later.items() if d.is_follower and d.following == primary.name]
    cut_off = [n for n, d in later.items() if not d.is_follower and (_is_cut_off(known, n) or not d.is_known)]
    return max(cut_off or following, default=None)


def _is_cut_off(known: Known, number: int) -> bool:
    """Whether a database that follows nobody was never promoted; only a run of this very stack can have left that."""
    return number in known.numbers and not known.was_promoted(number)


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


def _standing(known: Known, managed: dict[int, Database], number: int, primary: int, *, protect: bool) -> Declared:
    """
    A generation that is there already.

    Those of its steps that have ended are declared again, and none else, so that no step ever runs for a database of
    before; only the primary's may have one left to do, where a run broke after the move. One that was adopted has none.
    """
    database, ended = managed[number], known.steps(number)
    role = _role(known, number, primary)
    return Declared(
        number,
        database.name,
        database.plan,
        role,
        import_id=database.id,
        protect=protect and role == "primary",
        steps={"primary": STEPS if ended else (), "retired": ended}.get(role, ()),
        leader=_leader_before(known, managed, number),
    )


def _role(known: Known, number: int, primary: int) -> str:
    if number == primary:
        return "primary"
    return "retired" if number < primary or known.was_promoted(number) else "cut off"


def _leader_before(known: Known, managed: dict[int, Database], number: int) -> str | None:
    """What a primary was moved from: DATABASE when a run ended well last, or else the generation before it."""
    last = left_by_the_last_run(known, managed)
    before = [d for n, d in managed.items() if n < number]
    leader = last if last and last is not managed[number] else before[-1] if before else None
    return leader.name if leader else None


def _number(managed: dict[int, Database], database: Database) -> int:
    return next(n for n, d in managed.items() if d is database)


def _is_serving(facts: Facts) -> bool:
    return all(app.is_serving for app in facts.apps)


def _refused(
    wish: Wish, known: Known, managed: dict[int, Database], primary: Database | None, problems: list[Finding]
) -> Decision:
    """Nothing is declared away by a run that fails: every live generation stays."""
    number = _number(managed, primary) if primary and primary in managed.values() else 0
    generations = tuple(_standing(known, managed, n, number, protect=True) for n in managed)
    name, plan = (primary.name, primary.plan) if primary else ("", wish.plan)
    return Decision(Kind.REFUSED, generations, tuple(problems), "nothing is done", name, plan)


def _unfinished(
    wish: Wish, known: Known, managed: dict[int, Database], primary: Database, kept: dict[int, Database]
) -> list[Finding]:
    """What a changeover has left that broke between the unfollow and the move."""
    number = _number(managed, primary)
    cut_off = [d for n, d in kept.items() if n > number and not known.was_promoted(n)]
    return [_broken(wish, primary, d, d.id in known.ids) for d in cut_off[:1]]


def _unfinished_findings(
    wish: Wish, facts: Facts, primary: Database, target: Database | None, cut_off: list[Finding]
) -> list[Finding]:
    serving = _is_serving(facts)
    if cut_off and not serving:
        return cut_off
    if not serving and target is None:
        return [_not_serving(facts)]
    if wish.hold and target is not None and not (serving and (target.is_follower or not target.is_known)):
        return [_held(primary, target)]
    return [] if serving else [_resumed(facts)]


def _on_another(app: App) -> Finding:
    return finding(
        "app-on-another-database",
        f"DATABASE of app {app.name} is {app.primary.addon_name if app.primary else 'none'}",
        "a fresh database would not be its DATABASE",
        "take it out of `apps`, or name the app that pays for that database as `app`",
    )


def _detached(wish: Wish, known: Known, managed: dict[int, Database]) -> Finding:
    last = (left_by_the_last_run(known, managed) or managed[max(managed)]).name
    return finding(
        "primary-detached",
        f"app {wish.app} has no DATABASE, although {', '.join(d.name for d in managed.values())} is there",
        "it cannot be told which database the app's data is in",
        f"attach the right one, for all that this stack knows: `heroku addons:attach {last} --as DATABASE --app "
        f"{wish.app}`",
    )


def _gone(wish: Wish, addon: str) -> Finding:
    return warning(
        "primary-gone",
        f"no database that this stack has of app {wish.app} is on Heroku any more, and the app has no DATABASE",
        f"a fresh and empty one, {addon}, is made in its place",
        "stop here if the data is wanted: `heroku pg:backups --app " + wish.app + "` lists what can be restored",
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


def _of_others(app: App, primary: Database) -> Finding:
    return finding(
        "app-on-another-database",
        f"DATABASE of app {app.name} is {app.primary.addon_name if app.primary else 'none'}, and steps of the "
        f"changeover to {primary.name} are left to do",
        "they would take it to another database's data",
        "take it out of `apps`",
    )


def _left_down(facts: Facts) -> Finding:
    return warning(
        "app-down",
        f"app {_down(facts)} is in maintenance mode or scaled to nothing, and `plan` asks for no changeover",
        "a changeover that broke may have left it so, or somebody is at work on it",
        f"if nobody is: `heroku-changeover recover --app {facts.app.name}`",
    )


def _down(facts: Facts) -> str:
    return ", ".join(a.name for a in facts.apps if not a.is_serving)


def _broken(wish: Wish, primary: Database, cut_off: Database, can_be_finished: bool) -> Finding:
    give_up = (
        f"bring the apps back on {primary.name} (scale up, `heroku maintenance:off`) and destroy {cut_off.name}, "
        "`heroku addons:destroy`"
    )
    return finding(
        "unfinished-changeover",
        f"{cut_off.name} ({cut_off.plan}) was unfollowed but never promoted, and the apps are not serving",
        f"an earlier changeover broke between the two; the plan now says {wish.plan}",
        f"to finish it, set plan back to {cut_off.plan}; to give it up, {give_up}" if can_be_finished else give_up,
    )


def _held(primary: Database, target: Database) -> Finding:
    return finding(
        "held-in-the-middle",
        f"hold is set, but the changeover from {primary.name} to {target.name} has begun",
        "holding it now would leave the apps down",
        "set `hold: false`, so that it is finished",
    )
