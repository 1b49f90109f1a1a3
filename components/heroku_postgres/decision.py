"""What is declared, decided from the wish, the facts and what the stack knows alone: no I/O, no Pulumi, no clock."""

from collections.abc import Mapping
from dataclasses import replace

from heroku_changeover.terms.facts import Database, Facts
from heroku_changeover.terms.finding import Finding, has_errors
from heroku_changeover.terms.order import STEPS
from heroku_changeover.terms.prospect import Prospect
from heroku_changeover.ways.listed import way_for
from heroku_changeover.ways.way import Way
from heroku_postgres.basis import Basis, basis_of
from heroku_postgres.declared import Decision, Declared, Kind
from heroku_postgres.findings import missing, unfinished
from heroku_postgres.findings.changeover import changeover_findings
from heroku_postgres.findings.identity import not_managed
from heroku_postgres.findings.outlook import Outlook
from heroku_postgres.findings.standing import standing_findings
from heroku_postgres.identity import not_its_own, of_another
from heroku_postgres.known import Known
from heroku_postgres.runbook import runbook
from heroku_postgres.wish import Wish

AWAIT_ONLY = STEPS[:1]


def decide(wish: Wish, facts: Facts, known: Known) -> Decision:
    """The one decision: each branch is a case, the first that fits counts."""
    b, primary = basis_of(wish, facts, known), facts.primary
    if stranger := of_another(b):
        return _refused(b, [stranger])
    if primary is None:
        return _without_primary(b)
    if primary not in b.managed.values():
        return _refused(b, [not_managed(wish, known, primary), *standing_findings(wish, facts, primary)])
    if problem := not_its_own(b, primary):
        return _refused(b, [problem, *standing_findings(wish, facts, primary)])
    return _settled(b, primary) if primary.plan == wish.plan else _changeover(b, primary)


def _refused(b: Basis, problems: list[Finding]) -> Decision:
    """Nothing is declared away by a run that fails: every live generation stays."""
    generations = tuple(_standing(b, n, protect=True) for n in b.managed)
    primary = b.facts.primary
    name, plan = (primary.name, primary.plan) if primary else ("", b.wish.plan)
    return Decision(Kind.REFUSED, generations, tuple(problems), "nothing is done", name, plan)


def _without_primary(b: Basis) -> Decision:
    problems = [f for f in standing_findings(b.wish, b.facts, None) if f.is_error]
    problems += [missing.has_a_database(app) for app in b.facts.apps if app.primary]
    if b.managed:
        last = b.left_by_the_last_run or b.managed[max(b.managed)]
        problems.append(missing.detached(b.wish, b.managed.values(), last))
    elif b.wish.adopt and not b.known.generations:
        problems.append(missing.nothing_to_adopt(b.wish))
    return _refused(b, problems) if problems else _fresh(b)


def _fresh(b: Basis) -> Decision:
    number, plan = b.next_number, b.wish.plan
    addon = b.wish.addon_name(number)
    fresh = Declared(number, addon, plan, "primary", protect=True)
    found = (missing.gone(b.wish, addon),) if b.known.generations else ()
    summary, nothing = f"{addon} is created on {plan} for app {b.wish.app}", Decision(Kind.FRESH, (), (), "", "", "")
    return Decision(Kind.FRESH, (fresh,), found, summary, addon, plan, until_then=nothing)


def _settled(b: Basis, primary: Database) -> Decision:
    """A follower that is left from a changed mind is a pure copy and is not declared; everything else stays."""
    kept = {n: d for n, d in b.managed.items() if d is primary or not d.is_follower}
    found = standing_findings(b.wish, b.facts, primary) + _left_to_do(b, primary, kept)
    generations = [_standing(b, n, protect=True) for n in kept]
    if b.number > 1 and b.wish.number_of(primary.name) == b.number and not b.is_serving:
        # A destroy that a guard refused has taken steps out of the state: they run again, and find out what is left.
        generations = [replace(g, steps=STEPS) if g.role == "primary" else g for g in generations]
    retired = tuple(d.name for d in kept.values() if d is not primary)
    summary = f"{primary.name} is the primary on {primary.plan}"
    kind = Kind.REFUSED if has_errors(found) else Kind.SETTLED
    return Decision(kind, tuple(generations), tuple(found), summary, primary.name, primary.plan, retired)


def _left_to_do(b: Basis, primary: Database, kept: Mapping[int, Database]) -> list[Finding]:
    """What a changeover that broke may have left, although DATABASE is on the wanted plan."""
    found: list[Finding] = []
    if b.known.steps(b.number) not in {(), STEPS}:
        ids = {d.id for d in b.managed.values()}
        others = [app for app in b.facts.apps if app.primary and app.primary.addon_id not in ids]
        found = [unfinished.outside_the_changeover(app, primary) for app in others]
    if not b.is_serving:
        found += _cut_off(b, primary, kept) or [unfinished.left_down(b.facts)]
    return found


def _changeover(b: Basis, primary: Database) -> Decision:
    way = way_for(Prospect(b.facts, primary, b.wish.plan))
    goal = _target(b, way, primary) or b.next_number
    existing = b.managed.get(goal)
    target = _target_declared(b.wish, way, goal, existing, primary)
    prospect = Prospect(b.facts, primary, b.wish.plan, target.addon, existing)
    kept = {n: d for n, d in b.managed.items() if d is primary or (not d.is_follower and n != goal)}
    found = standing_findings(b.wish, b.facts, primary)
    found += changeover_findings(Outlook(b.wish, prospect, way))
    found += _in_the_middle(b, way, primary, existing, _cut_off(b, primary, kept))
    if has_errors(found):
        return _refused(b, found)
    before = _prepared(b, way, primary, target, kept, found)
    return before if b.wish.hold else _switched(before, b.wish, target, primary, kept)


def _prepared(
    b: Basis, way: Way, leader: Database, target: Declared, kept: Mapping[int, Database], found: list[Finding]
) -> Decision:
    generations = [target, *(_standing(b, n, protect=b.wish.hold) for n in kept)]
    move = f"{target.addon} ({b.wish.plan}) is prepared {way.words.is_born} {leader.name} ({leader.plan})"
    return Decision(
        kind=Kind.PREPARED,
        generations=tuple(sorted(generations, key=lambda g: g.number)),
        findings=tuple(found),
        summary=f"{move}, and held",
        primary=leader.name,
        plan=leader.plan,
        retired=tuple(d.name for d in kept.values() if d is not leader),
        runbook=runbook(b.wish, way, target, leader),
    )


def _switched(
    before: Decision, wish: Wish, target: Declared, leader: Database, kept: Mapping[int, Database]
) -> Decision:
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


def _target(b: Basis, way: Way, primary: Database) -> int | None:
    """
    What an earlier run made for this move; or what was cut off on the wanted plan by a changeover that broke.

    Never one with a lower number than the primary: its steps may be recorded in state, and would not run again.
    """
    later = {n: d for n, d in b.managed.items() if n > b.number and d.plan == b.wish.plan}
    made = [n for n, d in later.items() if way.is_target(d, primary)]
    cut_off = [n for n, d in later.items() if not d.is_follower and (_is_cut_off(b.known, n) or not d.is_known)]
    return max(cut_off or made, default=None)


def _is_cut_off(known: Known, number: int) -> bool:
    """Whether a database that follows nobody was never promoted; only a run of this very stack can have left that."""
    return number in known.numbers and not known.was_promoted(number)


def _target_declared(wish: Wish, way: Way, number: int, existing: Database | None, primary: Database) -> Declared:
    return Declared(
        number,
        existing.name if existing else wish.addon_name(number),
        existing.plan if existing else wish.plan,
        "target",
        import_id=existing.id if existing else None,
        follow=way.follows(primary),
        steps=AWAIT_ONLY if wish.hold else STEPS,
        leader=primary.name,
        way=way.name,
    )


def _standing(b: Basis, number: int, *, protect: bool) -> Declared:
    """
    A generation that is there already.

    Only steps that have ended are declared again, so that none ever runs for a database that was left long ago. The
    primary alone gets all of them: a run that broke after the move has left some to do. An adopted one has no steps.
    """
    database, ended, role = b.managed[number], b.known.steps(number), _role(b, number)
    leader = _leader_before(b, number)
    way = way_for(Prospect(b.facts, leader or database, database.plan))
    return Declared(
        number,
        database.name,
        database.plan,
        role,
        import_id=database.id,
        protect=protect and role == "primary",
        steps={"primary": STEPS if ended else (), "retired": ended}.get(role, ()),
        leader=leader.name if leader else None,
        way=way.name,
    )


def _role(b: Basis, number: int) -> str:
    if number == b.number:
        return "primary"
    return "retired" if number < b.number or b.known.was_promoted(number) else "cut off"


def _leader_before(b: Basis, number: int) -> Database | None:
    """What DATABASE moved from to this one: what the last run that ended well left, else the generation before it."""
    last = b.left_by_the_last_run
    before = [d for n, d in b.managed.items() if n < number]
    return last if last and last is not b.managed[number] else before[-1] if before else None


def _cut_off(b: Basis, primary: Database, kept: Mapping[int, Database]) -> list[Finding]:
    """What a changeover has left that broke after its target was cut off, and before it was promoted."""
    cut_off = [d for n, d in kept.items() if n > b.number and not b.known.was_promoted(n)]
    return [unfinished.broken(b.wish, primary, d, d.id in b.known.ids) for d in cut_off[:1]]


def _in_the_middle(
    b: Basis, way: Way, primary: Database, target: Database | None, cut_off: list[Finding]
) -> list[Finding]:
    """What an earlier run, or somebody at work on an app, has left, and whether this run can go on from it."""
    if cut_off and not b.is_serving:
        return cut_off
    if not b.is_serving and target is None:
        return [unfinished.not_serving(b.facts)]
    is_waiting = target is not None and (way.is_target(target, primary) or not target.is_known)
    if b.wish.hold and target is not None and not (b.is_serving and is_waiting):
        return [unfinished.held_in_the_middle(primary, target)]
    return [] if b.is_serving else [unfinished.resumed(b.facts)]
