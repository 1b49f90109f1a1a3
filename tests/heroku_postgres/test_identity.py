"""Names that have come to mean something else: what is gone on with by UUID, and what is refused with one advice."""

from typing import Any

import pulumi
import pytest
from pulumi.runtime.invoke import InvokeResult

from heroku_changeover.terms.facts import Database, Facts
from heroku_changeover.terms.order import STEPS
from heroku_postgres.declared import Decision, Kind
from heroku_postgres.known import Known, KnownGeneration, known_from
from heroku_postgres.state import read_known
from kit.heroku_world import OTHER_APP, app, attachment, database, decide, facts, known, wish

LEADER = database("postgresql-round-12345", plan="standard-0")
SECOND = database("shop-db-2", plan="standard-2")
MOVED = facts(app(primary=SECOND), LEADER, SECOND)
KNOWN = known(wish(), MOVED)
SETTLED = wish(plan="standard-2")


def refusal(decision: Decision) -> tuple[str, str]:
    (found,) = [f for f in decision.findings if f.is_error]
    return found.id, found.do


def renamed(seen: Facts, old: str, new: str) -> Facts:
    """The same world after `heroku addons:rename`."""
    databases = tuple(d._replace(name=new) if d.name == old else d for d in seen.databases)
    return seen._replace(databases=databases)


def test_an_add_on_that_was_renamed_stays_its_generation() -> None:
    decision = decide(SETTLED, renamed(MOVED, "shop-db-2", "shop-main"), KNOWN)

    assert decision.kind is Kind.SETTLED
    assert [(g.number, g.addon, g.role) for g in decision.generations] == [
        (1, LEADER.name, "retired"),
        (2, "shop-main", "primary"),
    ]


def test_a_renamed_primary_is_followed_by_the_next_generation() -> None:
    decision = decide(wish(plan="standard-4"), renamed(MOVED, "shop-db-2", "shop-main"), KNOWN)

    assert [(g.number, g.addon, g.follow) for g in decision.generations][-1] == (3, "shop-db-3", "shop-main")


def test_without_its_line_or_with_a_misspelt_one_an_adopted_database_stays_its_generation() -> None:
    for adopt in (None, "postgresql-raund-12345"):
        decision = decide(wish(plan="standard-2", adopt=adopt), MOVED, KNOWN)

        assert decision == decide(SETTLED, MOVED, KNOWN)
        assert decision.findings == ()


def test_another_database_is_not_adopted_while_it_is_not_database() -> None:
    seen = MOVED._replace(databases=(*MOVED.databases, database("postgresql-flat-1")))

    what, do = refusal(decide(wish(plan="standard-2", adopt="postgresql-flat-1"), seen, KNOWN))

    assert what == "adopt-changed"
    assert "pulumi config rm adopt" in do


def test_a_database_that_became_database_by_hand_is_adopted_beside_those_that_the_stack_has() -> None:
    flat = database("postgresql-flat-1", plan="standard-2")
    seen = facts(app(primary=flat), LEADER, SECOND, flat)

    assert refusal(decide(SETTLED, seen, KNOWN))[0] == "not-managed"
    decision = decide(wish(plan="standard-2", adopt=flat.name), seen, KNOWN)
    assert [(g.number, g.addon, g.role, g.steps) for g in decision.generations] == [
        (1, LEADER.name, "retired", ()),
        (2, SECOND.name, "retired", STEPS),
        (3, flat.name, "primary", ()),
    ]


def test_another_app_in_config_is_refused_with_the_one_that_the_stack_has() -> None:
    theirs = database("postgresql-flat-1", owner=OTHER_APP)
    seen = facts(app(OTHER_APP, primary=theirs), theirs, LEADER, SECOND)

    what, do = refusal(decide(wish(plan="standard-2", apps=(OTHER_APP,)), seen, KNOWN))

    assert what == "app-changed"
    assert "pulumi config set app shop" in do


def test_a_component_under_another_name_is_refused_as_long_as_nothing_says_that_it_is_the_same() -> None:
    knowing = Known(others={"data": KNOWN.ids})

    what, do = refusal(decide(SETTLED, MOVED, knowing))

    assert what == "component-renamed"
    assert "aliases=[pulumi.Alias(name='data')]" in do


def test_a_changeover_starts_only_from_a_database_that_the_stack_has() -> None:
    before = facts(app(primary=LEADER), LEADER)

    what, do = refusal(decide(wish(plan="standard-2"), before, Known()))

    assert what == "not-in-stack"
    assert "pulumi config set plan standard-0" in do
    assert decide(wish(plan="standard-0"), before, Known()).kind is Kind.SETTLED


def test_what_another_stack_has_moved_is_not_moved_back() -> None:
    third = database("shop-db-3", plan="standard-4")
    seen = facts(app(primary=third), LEADER, SECOND, third)

    assert refusal(decide(SETTLED, seen, KNOWN))[0] == "not-in-stack"
    assert decide(wish(plan="standard-4"), seen, KNOWN).kind is Kind.SETTLED


def test_a_database_that_was_attached_by_hand_is_not_moved_away_from() -> None:
    back = facts(app(primary=LEADER), LEADER, SECOND)

    what, do = refusal(decide(SETTLED, back, KNOWN))
    accepted = decide(wish(plan="standard-0"), back, KNOWN)

    assert what == "database-changed"
    assert "pulumi config set plan standard-0" in do
    assert (accepted.primary, accepted.retired) == (LEADER.name, (SECOND.name,))


def test_after_a_way_back_by_hand_the_next_changeover_makes_a_new_generation() -> None:
    back = facts(app(primary=LEADER), LEADER, SECOND)
    accepted = KNOWN._replace(primary_id=LEADER.id, plan="standard-0")

    decision = decide(SETTLED, back, accepted)

    assert decision.kind is Kind.CHANGEOVER
    assert (decision.primary, decision.retired) == ("shop-db-3", (LEADER.name, SECOND.name))


def test_a_plan_that_was_changed_by_hand_is_not_changed_back() -> None:
    upgraded = SECOND._replace(plan="standard-4")
    seen = facts(app(primary=upgraded), LEADER, upgraded)

    what, do = refusal(decide(SETTLED, seen, KNOWN))

    assert what == "plan-changed"
    assert "pulumi config set plan standard-4" in do
    assert decide(wish(plan="standard-4"), seen, KNOWN).kind is Kind.SETTLED
    assert decide(wish(plan="premium-4"), seen, KNOWN).kind is Kind.CHANGEOVER


def test_a_database_with_a_name_of_ours_is_another_generation_than_the_one_that_had_it() -> None:
    gone = KNOWN._replace(generations=(KNOWN.generations[0], KnownGeneration(2, "id-of-one-that-is-gone")))

    what, do = refusal(decide(SETTLED, MOVED, gone))

    assert what == "not-managed"
    assert "pulumi config set adopt shop-db-2" in do
    decision = decide(wish(plan="standard-2", adopt=SECOND.name), MOVED, gone)
    assert [(g.number, g.addon) for g in decision.generations] == [(1, LEADER.name), (3, SECOND.name)]


def test_a_stack_that_lost_its_state_takes_in_what_is_there_without_a_single_step() -> None:
    for adopt in (LEADER.name, SECOND.name):
        decision = decide(wish(plan="standard-2", adopt=adopt), MOVED, Known())

        assert decision.kind is Kind.SETTLED
        assert decision.primary == SECOND.name
        assert not any(g.steps for g in decision.generations)


def test_no_step_is_declared_of_a_retired_generation_that_has_not_ended_before() -> None:
    third = database("shop-db-3", plan="standard-4")
    seen = facts(app(primary=third), LEADER, SECOND, third)
    first, second, last = known(wish(), seen).generations
    knowing = Known((first, second._replace(steps=STEPS[:2]), last), third.id, "standard-4")

    decision = decide(wish(plan="standard-4"), seen, knowing)

    assert [g.steps for g in decision.generations] == [(), STEPS[:2], STEPS]


def test_a_database_that_is_gone_is_replaced_by_a_fresh_one_under_a_new_number_and_said() -> None:
    decision = decide(SETTLED, facts(app(primary=None)), KNOWN)

    assert (decision.kind, decision.primary) == (Kind.FRESH, "shop-db-3")
    assert [f.id for f in decision.findings] == ["primary-gone"]


@pytest.mark.parametrize(("primary", "steps"), [(SECOND, STEPS), (LEADER, ())])
def test_an_app_that_is_down_on_a_settled_database_is_said_and_steps_of_a_born_one_look_for_what_is_left(
    primary: Database, steps: tuple[str, ...]
) -> None:
    seen = facts(app(primary=primary, maintenance=True, quantity=0), primary)
    knowing = Known(tuple(g._replace(steps=()) for g in KNOWN.generations), primary.id, primary.plan)

    decision = decide(wish(plan=primary.plan), seen, knowing)

    assert decision.kind is Kind.SETTLED
    assert [f.id for f in decision.findings] == ["app-down"]
    assert "heroku-changeover recover --app shop" in decision.findings[0].do
    assert next(g.steps for g in decision.generations if g.role == "primary") == steps


def test_an_app_that_was_added_while_steps_are_left_to_do_is_not_taken_along() -> None:
    other = database("postgresql-flat-1", owner=OTHER_APP)
    seen = facts(app(primary=SECOND), LEADER, SECOND, other, more=(app(OTHER_APP, primary=other),))
    first, second = KNOWN.generations
    knowing = KNOWN._replace(generations=(first, second._replace(steps=STEPS[:4])), primary_id=LEADER.id)

    what, do = refusal(decide(wish(plan="standard-2", apps=("shop", OTHER_APP)), seen, knowing))

    assert (what, do) == ("app-outside-changeover", "take it out of `apps`")


@pytest.mark.parametrize("listed", [True, False])
def test_an_app_that_has_the_database_under_another_name_is_told_one_thing_to_do(listed: bool) -> None:
    theirs = database("postgresql-flat-1", owner=OTHER_APP)
    shared = SECOND._replace(attachments=(*SECOND.attachments, attachment(SECOND.name, "SHOP_DATABASE", app=OTHER_APP)))
    more = (app(OTHER_APP, primary=theirs),) if listed else ()
    seen = facts(app(primary=shared), shared, theirs, more=more)
    apps = ("shop", OTHER_APP) if listed else ("shop",)

    what, do = refusal(
        decide(wish(plan="standard-4", apps=apps), seen, known(SETTLED, facts(app(primary=shared), shared)))
    )

    assert what == ("app-on-another-database" if listed else "attached-elsewhere")
    assert "`heroku addons:detach SHOP_DATABASE --app admin`" in do
    assert "list it" not in do


def test_the_state_says_which_add_on_a_generation_is_and_which_steps_have_ended() -> None:
    database_type = "own:index:Stack$heroku-postgres:index:Database"
    generation = f"{database_type}$heroku-postgres:index:Generation"

    def urn(kind: str, name: str) -> str:
        return f"urn:pulumi:production::shop::{kind}::{name}"

    known = known_from(
        {
            urn(database_type, "db"): {"outputs": {"primary_id": "two", "plan": "standard-2"}},
            urn(generation, "db-1"): {"outputs": {"database_id": "one", "app_id": "shop-id"}},
            urn(generation, "db-2"): {"outputs": {"database_id": "two", "app_id": "shop-id"}},
            urn(generation, "db-3"): {"outputs": {}},
            urn(f"{generation}$command:local:Command", "db-2-await-database"): {"outputs": {}},
            urn(f"{generation}$command:local:Command", "db-2-retire-guard"): {"outputs": {}},
            urn(generation, "my-db-1"): {"outputs": {"database_id": "mine"}},
            urn("own:index:Thing", "db-2-promote"): {},
        },
        ("db",),
    )

    assert known == Known(
        (KnownGeneration(1, "one", "shop-id"), KnownGeneration(2, "two", "shop-id", STEPS[:1])),
        "two",
        "standard-2",
        {"my-db": frozenset({"mine"})},
    )


@pytest.mark.parametrize(("organization", "asked"), [("organization", "production"), ("acme", "acme/shop/production")])
def test_the_state_of_the_very_stack_is_read(monkeypatch: pytest.MonkeyPatch, organization: str, asked: str) -> None:
    seen = []

    def invoke(token: str, inputs: dict[str, str]) -> InvokeResult:
        seen.append((token, inputs["stackName"]))
        return InvokeResult({"outputs": {}})

    _in_stack(monkeypatch, invoke, organization)

    assert read_known(("db",)) == Known()
    assert seen == [("pulumi:pulumi:readStackResourceOutputs", asked)]


def test_a_state_that_cannot_be_read_is_no_empty_one(monkeypatch: pytest.MonkeyPatch) -> None:
    def invoke(*_: object) -> None:
        raise OSError("the bucket does not answer")

    _in_stack(monkeypatch, invoke)

    with pytest.raises(pulumi.RunError, match="state of this stack could not be read: the bucket does not answer"):
        read_known(("db",))


def _in_stack(monkeypatch: pytest.MonkeyPatch, invoke: Any, organization: str = "organization") -> None:
    monkeypatch.setattr(pulumi.runtime, "invoke", invoke)
    for name, value in (("organization", organization), ("project", "shop"), ("stack", "production")):
        monkeypatch.setattr(pulumi, f"get_{name}", lambda value=value: value)
