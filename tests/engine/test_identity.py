"""
Names that have come to mean something else, on the real engine: nothing is destroyed, sealed or moved that is not this
changeover's own, and what a refusal advises leads to the end.
"""

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from kit.readme import README
from local_heroku.launcher import LocalHeroku

from .conftest import Operator
from .test_teardown import is_there, teardown

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]


@pytest.fixture
def moved(operator: Operator) -> Operator:
    """An operator whose database has moved to standard-2; the old one is kept."""
    operator.adopt_and_change()
    operator.up()
    return operator


def old(operator: Operator) -> str:
    return str(operator.app["addon"])


def new(operator: Operator) -> str:
    return f"{operator.name}-db-2"


def follow_advice(operator: Operator, refused: object) -> None:
    """Types every command about config that a refusal names, in its order."""
    commands = re.findall(r"`pulumi (config (?:set|rm) [\w -]+?)`", str(refused))
    assert commands, refused
    for command in dict.fromkeys(commands):
        operator.run(*command.split())


def takes_writes(operator: Operator, addon: str) -> bool:
    with psycopg.connect(operator.heroku.database_url(addon), autocommit=True) as connection:
        (read_only,) = connection.execute("SHOW default_transaction_read_only").fetchone() or ("",)
    return bool(read_only == "off")


def rename_addon(operator: Operator, addon: str, name: str) -> str:
    """As `heroku addons:rename` does it."""
    operator.heroku.patch(f"/apps/{operator.name}/addons/{addon}", {"name": name})
    return name


def promote_by_hand(operator: Operator, leader: str, plan: str, name: str) -> str:
    """A changeover with Heroku's commands alone; the old database stays as it is."""
    heroku, app = operator.heroku, operator.name
    heroku.follow(app, leader, plan, name)
    heroku.put(f"/client/v11/databases/{name}/unfollow")
    heroku.wait_until("the unfollow", lambda: not heroku.get(f"/client/v11/databases/{name}/wait_status")["waiting?"])
    attach(operator, name)
    return name


def attach(operator: Operator, addon: str, name: str = "DATABASE") -> None:
    app = operator.name
    leader = operator.heroku.primary(app)
    if name == "DATABASE":
        operator.heroku.post("/addon-attachments", {"addon": leader, "app": app, "confirm": app})
    operator.heroku.post("/addon-attachments", {"addon": addon, "app": app, "name": name, "confirm": app})


def test_a_renamed_primary_is_gone_on_with(moved: Operator) -> None:
    main = rename_addon(moved, new(moved), f"{moved.name}-main")

    assert "adopt" not in str(moved.preview())
    moved.up()
    moved.up("--expect-no-changes")
    assert moved.stack.outputs()["primary"] == main
    moved.change("standard-4")

    assert moved.heroku.primary(moved.name) == f"{moved.name}-db-3"
    assert is_there(moved, old(moved))
    assert is_there(moved, main)


def test_a_renamed_old_database_goes_with_the_printed_command(moved: Operator) -> None:
    name = rename_addon(moved, old(moved), f"{moved.name}-old")
    moved.up()
    moved.run(*teardown(moved))

    assert not is_there(moved, name)
    moved.up("--expect-no-changes")


def test_a_changeover_by_hand_is_taken_in_by_the_advice_and_nothing_goes(moved: Operator) -> None:
    hand = promote_by_hand(moved, new(moved), "standard-2", f"{moved.name}-by-hand")
    refused = moved.preview(code=1)
    follow_advice(moved, refused)
    moved.up()

    assert moved.heroku.primary(moved.name) == hand
    assert moved.stack.outputs()["retired"] == [old(moved), new(moved)]
    assert is_there(moved, old(moved))
    assert is_there(moved, new(moved))
    moved.up("--expect-no-changes")


@pytest.mark.parametrize("refresh", [(), ("--refresh",)])
@pytest.mark.parametrize("adopt", ["", "postgresql-misspelt-1"])
def test_without_its_line_the_adopted_database_stays(moved: Operator, adopt: str, refresh: tuple[str, ...]) -> None:
    moved.config("adopt", adopt)
    moved.up("--expect-no-changes", *refresh)

    assert is_there(moved, old(moved))
    assert moved.stack.outputs()["retired"] == [old(moved)]


@pytest.mark.parametrize("when", ["before", "after"])
def test_another_app_in_config_is_refused_and_the_first_ones_databases_stay(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str], when: str
) -> None:
    operator.adopt()
    if when == "after":
        operator.change("standard-2")
    primary, plan = heroku.primary(operator.name), operator.stack.outputs()["plan"]
    other = heroku.create_app(new_name(), plan=plan)
    operator.stack.edit({"app": other["name"], "adopt": other["addon"]})

    refused = operator.up(code=1)
    follow_advice(operator, refused)
    operator.stack.edit({"adopt": old(operator)})
    operator.up("--expect-no-changes")

    assert is_there(operator, old(operator))
    assert is_there(operator, primary)
    assert heroku.primary(operator.name) == primary
    assert heroku.primary(other["name"]) == other["addon"]


def test_a_stack_without_state_takes_in_todays_database_and_does_nothing_to_it(
    moved: Operator, operator_of: Callable[[dict[str, Any]], Operator]
) -> None:
    again = operator_of({**moved.app, "addon": new(moved)})
    before = again.writes()
    again.adopt("standard-2")

    assert again.writes() == before
    assert takes_writes(again, new(moved))
    again.up("--expect-no-changes")
    again.change("standard-4")
    assert again.heroku.primary(again.name) == f"{again.name}-db-3"


def test_a_stack_with_the_same_lines_takes_everything_in_and_runs_no_step(
    moved: Operator, operator_of: Callable[[dict[str, Any]], Operator]
) -> None:
    attach(moved, old(moved), "REPORTS")
    again = operator_of(moved.app)
    before = again.writes()
    again.adopt("standard-2")

    assert again.writes() == before
    assert again.stack.outputs()["retired"] == [old(moved)]
    reports = again.heroku.get(f"/apps/{again.name}/addon-attachments/REPORTS")
    assert reports["addon"]["name"] == old(moved)


def test_a_second_stack_does_not_move_back_what_the_first_one_moved(
    operator: Operator, operator_of: Callable[[dict[str, Any]], Operator]
) -> None:
    operator.adopt()
    second = operator_of(operator.app)
    second.adopt()
    operator.change("standard-2")
    before = second.writes()

    refused = second.up(code=1)
    assert second.writes() == before
    follow_advice(second, refused)
    second.up()

    assert second.stack.outputs()["primary"] == new(operator)
    assert second.writes() == before


def test_an_older_state_finds_the_work_done(operator: Operator, tmp_path: Path) -> None:
    operator.adopt()
    exported = tmp_path / "before.json"
    exported.write_text(operator.run("stack", "export").stdout)
    operator.change("standard-2")
    operator.up()
    operator.run("stack", "import", "--file", str(exported), "--force")
    attach(operator, old(operator), "REPORTS")
    before = operator.writes()
    operator.up()

    assert operator.writes() == before
    assert operator.heroku.primary(operator.name) == new(operator)
    assert operator.stack.outputs()["retired"] == [old(operator)]
    assert takes_writes(operator, new(operator))
    operator.up("--expect-no-changes")


def test_after_a_way_back_by_hand_the_advice_accepts_it(moved: Operator) -> None:
    typed = re.search(r"type `(BEGIN READ WRITE;[^`]+)`", README)
    assert typed is not None
    with psycopg.connect(moved.heroku.database_url(old(moved)), autocommit=True) as session:
        session.execute(typed[1].replace(':"DBNAME"', f'"{session.info.dbname}"'))
    attach(moved, old(moved))
    refused = moved.up(code=1)
    follow_advice(moved, refused)
    moved.up()

    assert moved.stack.outputs()["primary"] == old(moved)
    assert moved.stack.outputs()["retired"] == [new(moved)]
    moved.change("standard-2")
    assert moved.heroku.primary(moved.name) == f"{moved.name}-db-3"
    assert is_there(moved, new(moved))


def test_a_renamed_app_is_named_and_then_gone_on_with(moved: Operator) -> None:
    name, later = moved.name, f"{moved.name}-later"
    moved.heroku.patch(f"/apps/{name}", {"name": later})
    try:
        refused = moved.up(code=1)
        follow_advice(moved, refused)
        moved.up("--expect-no-changes")

        assert moved.stack.outputs()["retired"] == [old(moved)]
        moved.change("standard-4")
        assert moved.heroku.primary(later) == f"{later}-db-3"
        (command,) = [c for c in moved.stack.outputs()["teardown"] if f"'remove {old(moved)}'" in c]
        moved.type(command)
        assert not is_there(moved, old(moved))
    finally:
        moved.heroku.patch(f"/apps/{later}", {"name": name})


def test_a_renamed_component_is_refused_and_with_an_alias_gone_on_with(moved: Operator) -> None:
    program = moved.stack.project / "stacks" / "__main__.py"
    text = program.read_text()
    program.write_text(text.replace('Database("db", args)', 'Database("data", args)'))
    refused = moved.up(code=1)

    assert "aliases=[pulumi.Alias(name='db')]" in str(refused)
    options = "pulumi.ResourceOptions(aliases=[pulumi.Alias(name='db')])"
    program.write_text(text.replace('Database("db", args)', f'Database("data", args, {options})'))
    moved.up()
    moved.up("--expect-no-changes")
    assert moved.stack.outputs()["retired"] == [old(moved)]
    moved.run(*teardown(moved))
    assert not is_there(moved, old(moved))
    moved.change("standard-4")
    assert moved.heroku.primary(moved.name) == f"{moved.name}-data-3"


def test_a_plan_that_was_changed_on_heroku_is_said_and_not_changed_back(moved: Operator) -> None:
    moved.heroku.patch(f"/apps/{moved.name}/addons/{new(moved)}", {"plan": "heroku-postgresql:standard-4"})
    moved.heroku.wait_until(
        "the plan to change",
        lambda: moved.heroku.get(f"/addons/{new(moved)}")["plan"]["name"] == "heroku-postgresql:standard-4",
    )
    for words in ((), ("--refresh",)):
        refused = moved.up(*words, code=1)
        assert "[plan-changed]" in str(refused)
    follow_advice(moved, refused)
    before = moved.heroku.primary(moved.name)
    moved.up()

    assert moved.heroku.primary(moved.name) == before
    assert moved.stack.outputs()["plan"] == "standard-4"
    moved.up("--expect-no-changes")


def test_a_first_up_on_another_plan_is_refused_and_the_advice_adopts(operator: Operator) -> None:
    operator.stack.edit({"plan": "standard-2", "adopt": old(operator)})
    before = operator.writes()
    refused = operator.up(code=1)
    assert operator.writes() == before
    follow_advice(operator, refused)
    operator.up()

    assert operator.writes() == before
    assert operator.stack.outputs()["primary"] == old(operator)


@pytest.mark.parametrize(
    "words",
    [
        ("destroy",),
        ("destroy", "--continue-on-error"),
        ("destroy", "--exclude-protected"),
        ("destroy", "--exclude-protected", "--continue-on-error"),
        ("up", "--continue-on-error"),
    ],
    ids=" ".join,
)
@pytest.mark.parametrize("when", ["right after the changeover", "settled"])
def test_nothing_goes_that_nobody_aimed_at(operator: Operator, words: tuple[str, ...], when: str) -> None:
    operator.adopt_and_change()
    if when == "settled":
        operator.up()
    refused = operator.stack.pulumi(*words, "--yes", "--skip-preview")

    assert is_there(operator, old(operator)), str(refused)
    assert is_there(operator, new(operator)), str(refused)
    operator.up()
    operator.up("--expect-no-changes")
    operator.run(*teardown(operator))
    assert not is_there(operator, old(operator))


def test_a_stack_that_is_renamed_has_its_old_database_torn_down(moved: Operator) -> None:
    command = teardown(moved)
    moved.run("stack", "rename", "production")
    renamed = replace(moved, stack=replace(moved.stack, name="production"))
    renamed.run(*command)

    assert not is_there(renamed, old(renamed))
    assert json.loads(renamed.run("stack", "output", "--json").stdout)["primary"] == new(renamed)


@pytest.mark.parametrize("name", ["db-1-retire-guard", "db-2-restore", "db-2-database", "db-1-database"])
def test_a_resource_that_is_tainted_takes_no_database_along(moved: Operator, name: str) -> None:
    urn = moved.resource(name)["urn"]
    moved.run("state", "taint", urn, "--yes")
    moved.up(code=1)

    assert is_there(moved, old(moved))
    assert is_there(moved, new(moved))
    moved.run("state", "untaint", urn, "--yes")
    moved.up("--expect-no-changes")
