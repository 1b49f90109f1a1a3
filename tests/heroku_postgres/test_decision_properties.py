"""What must hold for every decision, whatever is found: hypothesis makes up the worlds."""

from collections.abc import Mapping

from hypothesis import given, settings
from hypothesis import strategies as st

from heroku_changeover.terms.facts import App, Database, Facts
from heroku_changeover.terms.order import STEPS
from heroku_postgres.basis import basis_of
from heroku_postgres.declared import Kind
from heroku_postgres.wish import Wish
from kit.heroku_world import PLANS, app, attachment, decide, facts, known, wish

ADOPTED = "postgresql-round-12345"
NAMES = (ADOPTED, "shop-db-1", "shop-db-2", "shop-db-3", "shop-db-7", "somebody-elses")


@st.composite
def databases(draw: st.DrawFn) -> tuple[Database, ...]:
    names = draw(
        st.lists(st.sampled_from(NAMES), unique=True, max_size=5).filter(lambda n: not {ADOPTED, "shop-db-1"} <= set(n))
    )
    return tuple(draw(database_named(name, names)) for name in names)


@st.composite
def database_named(draw: st.DrawFn, name: str, names: list[str]) -> Database:
    leader = draw(st.sampled_from([None, *[n for n in names if n != name]]))
    return Database(
        f"id-{name}",
        name,
        draw(st.sampled_from(PLANS)),
        "shop",
        state=draw(st.sampled_from(["provisioned", "provisioned", "provisioning"])),
        attachments=(attachment(name, "HEROKU_POSTGRESQL_BLUE"),),
        is_known=draw(st.booleans()),
        is_follower=leader is not None,
        following=leader,
        fork_follow=draw(st.sampled_from(["Available", "Available", "Unavailable on followers", ""])),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    there = draw(databases())
    primary = draw(st.sampled_from([None, *there])) if there else None
    shop: App = app(primary=primary, quantity=draw(st.sampled_from([0, 2])), maintenance=draw(st.booleans()))
    return facts(shop, *there)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    return wish(
        plan=draw(st.sampled_from(PLANS)), adopt=draw(st.sampled_from([None, ADOPTED])), hold=draw(st.booleans())
    )


def managed_databases(wanted: Wish, seen: Facts) -> Mapping[int, Database]:
    return basis_of(wanted, seen, known(wanted, seen)).managed


many = settings(max_examples=150, deadline=None)


@many
@given(wishes(), worlds())
def test_never_are_two_databases_protected(wanted: Wish, seen: Facts) -> None:
    assert sum(g.protect for g in decide(wanted, seen).generations) <= 1


@many
@given(wishes(), worlds())
def test_only_the_live_primary_is_protected(wanted: Wish, seen: Facts) -> None:
    decision = decide(wanted, seen)

    protected = {g.addon for g in decision.generations if g.protect}
    primary = {seen.primary.name} if seen.primary else {decision.primary}
    assert protected <= primary


@many
@given(wishes(), worlds())
def test_never_is_the_plan_of_a_live_add_on_changed(wanted: Wish, seen: Facts) -> None:
    for generation in decide(wanted, seen).generations:
        live = seen.database(generation.addon)

        assert live is None or (generation.plan == live.plan and generation.import_id == live.id)


@many
@given(wishes(), worlds())
def test_never_is_a_live_managed_primary_left_out(wanted: Wish, seen: Facts) -> None:
    managed = managed_databases(wanted, seen).values()
    names = {g.addon for g in decide(wanted, seen).generations}

    assert seen.primary not in managed or (seen.primary is not None and seen.primary.name in names)


@many
@given(wishes(), worlds())
def test_only_a_follower_is_ever_left_out(wanted: Wish, seen: Facts) -> None:
    names = {g.addon for g in decide(wanted, seen).generations}

    left_out = [d for d in managed_databases(wanted, seen).values() if d.name not in names]
    assert all(d.is_follower and d is not seen.primary for d in left_out)


@many
@given(wishes(), worlds())
def test_a_refused_run_leaves_nothing_out_and_makes_nothing(wanted: Wish, seen: Facts) -> None:
    decision = decide(wanted, seen)

    if decision.is_refused and decision.kind is Kind.REFUSED and not seen.primary:
        assert {g.addon for g in decision.generations} == {d.name for d in managed_databases(wanted, seen).values()}
    if decision.is_refused:
        assert all(g.import_id for g in decision.generations)


@many
@given(wishes(), worlds())
def test_a_settled_run_has_no_commands_beyond_those_recorded(wanted: Wish, seen: Facts) -> None:
    decision = decide(wanted, seen)

    if decision.kind is Kind.SETTLED:
        assert all(g.import_id for g in decision.generations)
        assert all(g.steps == (STEPS if g.number > 1 and g.role != "cut off" else ()) for g in decision.generations)
        assert decision.runbook == ()


@many
@given(wishes(), worlds())
def test_at_most_one_database_is_made(wanted: Wish, seen: Facts) -> None:
    made = [g for g in decide(wanted, seen).generations if g.import_id is None]

    assert len(made) <= 1


@many
@given(wishes(), worlds())
def test_the_same_facts_give_the_same_decision_in_any_order(wanted: Wish, seen: Facts) -> None:
    shuffled = seen._replace(databases=tuple(reversed(seen.databases)))

    assert decide(wanted, seen) == decide(wanted, shuffled)


@many
@given(wishes(), worlds())
def test_generations_are_numbered_once_each(wanted: Wish, seen: Facts) -> None:
    numbers = [g.number for g in decide(wanted, seen).generations]

    assert len(numbers) == len(set(numbers))
