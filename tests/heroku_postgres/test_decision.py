"""The decision table, row by row."""

import pytest

from heroku_changeover.terms.order import STEPS
from heroku_postgres.declared import Decision, Declared, Kind
from heroku_postgres.known import Known
from kit.heroku_world import OTHER_APP, app, attachment, database, decide, facts, follower, wish

LEADER = database("postgresql-round-12345", plan="standard-0")
DOWN = app(maintenance=True, quantity=0)


def names(decision: Decision) -> list[str]:
    return [g.addon for g in decision.generations]


def declared(decision: Decision, addon: str) -> Declared:
    return next(g for g in decision.generations if g.addon == addon)


def ids(decision: Decision) -> set[str]:
    return {f.id for f in decision.findings if f.is_error}


def test_an_app_without_a_database_gets_a_fresh_one() -> None:
    decision = decide(wish(plan="standard-0", adopt=None), facts(app(primary=None)))

    (only,) = decision.generations
    assert decision.kind is Kind.FRESH
    assert (only.number, only.addon, only.plan, only.import_id) == (1, "shop-db-1", "standard-0", None)
    assert only.protect
    assert only.steps == ()


def test_a_primary_that_is_not_managed_is_an_error_that_names_the_line_to_add() -> None:
    decision = decide(wish(adopt=None), facts(app(primary=LEADER), LEADER), Known())

    assert ids(decision) == {"not-managed"}
    assert "pulumi config set adopt postgresql-round-12345" in decision.findings[0].do


def test_a_primary_that_a_database_of_another_name_made_is_not_to_be_adopted() -> None:
    second = database("shop-data-2", plan="standard-2")

    decision = decide(wish(adopt=None), facts(app(primary=second), LEADER, second), Known())

    assert ids(decision) == {"not-managed"}
    assert "adopt" not in decision.findings[0].do
    assert "a Database called 'data' made it: give this one that name" in decision.findings[0].do


def test_a_primary_on_the_wanted_plan_is_settled() -> None:
    decision = decide(wish(plan="standard-0"), facts(app(primary=LEADER), LEADER))

    assert decision.kind is Kind.SETTLED
    assert declared(decision, LEADER.name) == Declared(
        1, LEADER.name, "standard-0", "primary", import_id=LEADER.id, protect=True
    )
    assert decision.runbook == ()


def test_another_plan_starts_a_changeover_to_a_new_generation() -> None:
    decision = decide(wish(plan="standard-2"), facts(app(primary=LEADER), LEADER))

    target = declared(decision, "shop-db-2")
    assert decision.kind is Kind.CHANGEOVER
    assert (target.plan, target.follow, target.import_id, target.steps) == ("standard-2", LEADER.name, None, STEPS)
    assert declared(decision, LEADER.name).plan == "standard-0"
    assert decision.retired == (LEADER.name,)


def test_a_changeover_protects_neither_side() -> None:
    """Whoever changes their mind in the middle has to be able to go either way."""
    decision = decide(wish(plan="standard-2"), facts(app(primary=LEADER), LEADER))

    assert not any(g.protect for g in decision.generations)


def test_a_live_follower_on_the_wanted_plan_is_the_target() -> None:
    there = follower("shop-db-4", LEADER, plan="standard-2")

    decision = decide(wish(plan="standard-2"), facts(app(primary=LEADER), LEADER, there))

    assert declared(decision, "shop-db-4").import_id == there.id
    assert names(decision) == [LEADER.name, "shop-db-4"]


def test_a_follower_that_is_still_being_made_is_the_target() -> None:
    unborn = database("shop-db-2", plan="standard-2")._replace(state="provisioning", is_known=False)

    decision = decide(wish(plan="standard-2"), facts(app(primary=LEADER), LEADER, unborn))

    assert declared(decision, "shop-db-2").import_id == unborn.id
    assert len(decision.generations) == 2


def test_an_app_that_is_down_without_a_target_starts_nothing_new() -> None:
    """An earlier changeover, or somebody else's work, is not finished."""
    decision = decide(wish(plan="standard-2"), facts(DOWN._replace(attachments=LEADER.attachments), LEADER))

    assert ids(decision) == {"app-not-serving"}
    assert names(decision) == [LEADER.name]


def test_an_app_that_is_down_with_a_target_is_finished() -> None:
    there = follower("shop-db-2", LEADER, plan="standard-2")

    decision = decide(wish(plan="standard-2"), facts(DOWN._replace(attachments=LEADER.attachments), LEADER, there))

    assert decision.kind is Kind.CHANGEOVER
    assert declared(decision, "shop-db-2").steps == STEPS
    assert [f.id for f in decision.findings if not f.is_error] == ["changeover-resumed"]


def test_hold_prepares_the_target_and_awaits_it_and_keeps_the_primary_protected() -> None:
    decision = decide(wish(plan="standard-2", hold=True), facts(app(primary=LEADER), LEADER))

    assert decision.kind is Kind.PREPARED
    assert declared(decision, "shop-db-2").steps == ("await-database",)
    assert declared(decision, LEADER.name).protect
    assert decision.primary == LEADER.name


def test_hold_in_the_middle_of_a_changeover_is_an_error() -> None:
    there = follower("shop-db-2", LEADER, plan="standard-2")

    decision = decide(
        wish(plan="standard-2", hold=True), facts(DOWN._replace(attachments=LEADER.attachments), LEADER, there)
    )

    assert ids(decision) == {"held-in-the-middle"}


def test_a_follower_that_is_not_the_target_is_not_declared() -> None:
    """The engine then removes it; it is a pure copy, so that nothing is lost."""
    surplus = follower("shop-db-2", LEADER, plan="standard-2")

    changing = decide(wish(plan="standard-4"), facts(app(primary=LEADER), LEADER, surplus))
    settled = decide(wish(plan="standard-0"), facts(app(primary=LEADER), LEADER, surplus))

    assert names(changing) == [LEADER.name, "shop-db-3"]
    assert names(settled) == [LEADER.name]


def test_a_number_that_a_destroyed_database_had_is_not_given_again() -> None:
    """The state may remember its steps, and would not run them again for another add-on."""
    seen = facts(app(primary=LEADER), LEADER)._replace(past_addons=frozenset({"shop-db-2", "shop-db-5", "redis-1"}))

    assert names(decide(wish(plan="standard-2"), seen)) == [LEADER.name, "shop-db-6"]


def test_a_retired_database_stays_with_its_recorded_steps() -> None:
    second, third = database("shop-db-2", plan="standard-2"), database("shop-db-3", plan="standard-0")

    decision = decide(wish(plan="standard-0"), facts(app(primary=third), LEADER, second, third))

    assert decision.retired == (LEADER.name, "shop-db-2")
    assert declared(decision, "shop-db-2").steps == STEPS
    assert declared(decision, LEADER.name).steps == ()
    assert not declared(decision, "shop-db-2").protect


def test_a_target_that_was_cut_off_but_not_promoted_is_the_target_again() -> None:
    cut_off = database("shop-db-2", plan="standard-2")

    decision = decide(wish(plan="standard-2"), facts(DOWN._replace(attachments=LEADER.attachments), LEADER, cut_off))

    assert decision.kind is Kind.CHANGEOVER
    assert declared(decision, "shop-db-2").import_id == cut_off.id


@pytest.mark.parametrize("plan", ["standard-0", "standard-4"])
def test_a_cut_off_database_on_another_plan_is_an_error_while_the_apps_are_down(plan: str) -> None:
    cut_off = database("shop-db-2", plan="standard-2")

    decision = decide(wish(plan=plan), facts(DOWN._replace(attachments=LEADER.attachments), LEADER, cut_off))

    assert ids(decision) == {"unfinished-changeover"}
    assert "shop-db-2" in names(decision)


def test_a_cut_off_database_that_is_not_wanted_stays_without_steps() -> None:
    cut_off = database("shop-db-2", plan="standard-2")

    decision = decide(wish(plan="standard-0"), facts(app(primary=LEADER), LEADER, cut_off))

    assert decision.kind is Kind.SETTLED
    assert declared(decision, "shop-db-2").steps == ()


def test_a_managed_database_that_is_gone_is_not_declared() -> None:
    second = database("shop-db-2", plan="standard-2")

    decision = decide(wish(plan="standard-2"), facts(app(primary=second), second))

    assert names(decision) == ["shop-db-2"]


def test_nothing_to_adopt_is_an_error() -> None:
    assert ids(decide(wish(), facts(app(primary=None)))) == {"adopt-missing"}


def test_a_primary_that_was_detached_is_an_error_and_nothing_is_declared_away() -> None:
    decision = decide(wish(), facts(app(primary=None), LEADER, database("shop-db-2", plan="standard-2")))

    assert ids(decision) == {"primary-detached"}
    assert names(decision) == [LEADER.name, "shop-db-2"]


def test_a_primary_that_another_app_pays_for_is_an_error_that_names_that_app() -> None:
    foreign = database("postgresql-flat-1", plan="standard-0", owner=OTHER_APP)

    decision = decide(wish(adopt="postgresql-flat-1"), facts(app(primary=foreign), foreign), Known())

    assert ids(decision) == {"not-managed"}
    assert OTHER_APP in decision.findings[0].do


def test_the_outputs_are_the_same_in_the_changeover_and_in_the_settled_run_after_it() -> None:
    """A second `pulumi up` shows no changes."""
    wanted = wish(plan="standard-2")
    during = decide(wanted, facts(app(primary=LEADER), LEADER))
    attached = (attachment("shop-db-2"), attachment("shop-db-2", "BLUE"))
    moved = database("shop-db-2", plan="standard-2")._replace(attachments=attached)
    after = decide(wanted, facts(app(primary=moved), LEADER, moved))

    assert [(d.primary, d.plan, d.retired, d.outcome) for d in (during, after)] == [
        (during.primary, during.plan, during.retired, during.outcome)
    ] * 2


def test_the_runbook_names_every_step_in_order_and_what_stays() -> None:
    text = "\n".join(decide(wish(plan="standard-2"), facts(app(primary=LEADER), LEADER)).runbook)

    places = [text.index(f"{step}:") for step in STEPS]
    assert places == sorted(places)
    assert f"{LEADER.name} stays" in text


def test_the_runbook_says_that_rows_are_left_behind_where_the_user_lets_them_go() -> None:
    told = [
        "rows of UNLOGGED tables are left behind"
        in "\n".join(decide(wanted, facts(app(primary=LEADER), LEADER)).runbook)
        for wanted in (wish(plan="standard-2"), wish(plan="standard-2", unlogged_rows="discard"))
    ]

    assert told == [False, True]


def test_the_runbook_says_what_there_is_not_where_sql_cannot_reach() -> None:
    text = "\n".join(decide(wish(plan="standard-2", verify="api"), facts(app(primary=LEADER), LEADER)).runbook)

    assert "for 20 s, and without the rows of UNLOGGED tables (no proof, because verify is api)" in text
    assert f"{LEADER.name} stays, taking writes still (verify is api) and paid for" in text
