"""What must hold for every decision, whatever is found: hypothesis makes up the worlds."""

from collections.abc import Callable, Mapping
from typing import TypeVar

import pytest
from hypothesis import Phase, find, given, settings
from hypothesis import strategies as st

from heroku_changeover.terms.facts import App, Database, Facts
from heroku_changeover.terms.order import STEPS
from heroku_postgres.basis import basis_of
from heroku_postgres.declared import Decision, Kind
from heroku_postgres.wish import Wish
from kit.heroku_world import PLANS, app, attachment, decide, facts, known, wish

T = TypeVar("T")
ADOPTED = "postgresql-round-12345"
NAMES = (ADOPTED, "shop-db-1", "shop-db-2", "shop-db-3", "shop-db-7", "somebody-elses")


def mostly(usual: T, *others: T) -> st.SearchStrategy[T]:
    """What is usual, more often than not: where everything is odd, every decision is a refusal."""
    return st.sampled_from([usual] * 4 * len(others) + list(others))


plans = st.one_of(st.sampled_from(["standard-0", "standard-2"]), st.sampled_from(PLANS))


any_names = st.lists(st.sampled_from(NAMES), unique=True, max_size=5)
own_names = st.lists(st.sampled_from(NAMES[2:]), unique=True, max_size=3).map(lambda names: [ADOPTED, *names])
"""Where the adopted database is, which is the first generation, so that there is none that was made as such."""


@st.composite
def databases(draw: st.DrawFn) -> tuple[Database, ...]:
    names = draw(own_names | any_names.filter(lambda names: not set(NAMES[:2]) <= set(names)))
    return tuple(draw(database_named(name, names)) for name in names)


@st.composite
def database_named(draw: st.DrawFn, name: str, names: list[str]) -> Database:
    others = [other for other in names if other != name]
    leader = draw(st.sampled_from([*[None] * (8 if name == names[0] else 1), *others]))
    return Database(
        f"id-{name}",
        name,
        draw(plans),
        "shop",
        state=draw(mostly("provisioned", "provisioning")),
        attachments=(attachment(name, "HEROKU_POSTGRESQL_BLUE"),),
        is_known=draw(mostly(True, False)),
        is_follower=leader is not None,
        following=leader,
        fork_follow=draw(mostly("Available", "Unavailable on followers", "")),
    )


@st.composite
def worlds(draw: st.DrawFn) -> Facts:
    there = draw(databases())
    leaders = [d for d in there if not d.is_follower]
    primary = draw(st.sampled_from([*leaders[:1] * 4, *there, None]))
    shop: App = app(primary=primary, quantity=draw(mostly(2, 0)), maintenance=draw(mostly(False, True)))
    return facts(shop, *there)


@st.composite
def wishes(draw: st.DrawFn) -> Wish:
    return wish(plan=draw(plans), adopt=draw(mostly(ADOPTED, None)), hold=draw(st.booleans()))


def managed_databases(wanted: Wish, seen: Facts) -> Mapping[int, Database]:
    return basis_of(wanted, seen, known(wanted, seen)).managed


many = settings(max_examples=300, deadline=None)


def leaves_out(decision: Decision, wanted: Wish, seen: Facts) -> bool:
    return {d.name for d in managed_databases(wanted, seen).values()} > {g.addon for g in decision.generations}


COME_TO: dict[str, Callable[[Decision, Wish, Facts], bool]] = {
    **{kind.name: lambda decision, _, __, kind=kind: decision.kind is kind for kind in Kind},  # type: ignore[misc] # a default binds it
    "a refusal with a primary": lambda decision, _, seen: decision.is_refused and seen.primary is not None,
    "a refusal without one": lambda decision, _, seen: decision.is_refused and not seen.primary,
    "a follower that is left out": leaves_out,
    "a step that is recorded": lambda decision, _, __: (
        decision.kind is Kind.SETTLED and any(g.steps for g in decision.generations)
    ),
    "a changeover to a follower that is there": lambda decision, _, __: (
        decision.kind is Kind.CHANGEOVER and all(g.import_id for g in decision.generations)
    ),
}


@pytest.mark.parametrize("what", COME_TO)
def test_the_worlds_that_are_made_up_come_to_everything_that_a_decision_can_be(what: str) -> None:
    """What holds for every decision would hold for none, if all worlds were refused."""
    is_it = COME_TO[what]

    find(
        st.tuples(wishes(), worlds()),
        lambda world: is_it(decide(*world), *world),
        settings=settings(many, phases=[Phase.generate]),
    )


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
    """The provider would ask Heroku for an upgrade of its own."""
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
    """What is left out is removed, and only of a follower another database has every row."""
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
    """Heroku promises no order in its lists."""
    shuffled = seen._replace(databases=tuple(reversed(seen.databases)))

    assert decide(wanted, seen) == decide(wanted, shuffled)


@many
@given(wishes(), worlds())
def test_generations_are_numbered_once_each(wanted: Wish, seen: Facts) -> None:
    numbers = [g.number for g in decide(wanted, seen).generations]

    assert len(numbers) == len(set(numbers))
