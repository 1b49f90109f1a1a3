"""The shape of the graph: what is registered, in which order, tied to what."""

import json
import shlex
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pulumi
import pulumiverse_heroku as heroku
import pytest

from heroku_changeover.terms.errors import HerokuUnreachable, NoToken
from heroku_changeover.terms.facts import Facts
from heroku_changeover.terms.order import STEPS
from heroku_postgres.generation import COMMAND_INPUTS
from kit.heroku_world import app, database, facts, follower, known, wish

from .conftest import Nothing, Recorder

LEADER = database("postgresql-round-12345", plan="standard-0")
SECOND = database("shop-db-2", plan="standard-2")
BEFORE = facts(app(primary=LEADER), LEADER)
AFTER = facts(app(primary=SECOND), LEADER, SECOND)
ADOPT = LEADER.name
GUARDS = ("db-1-retire-guard", "db-2-retire-guard", "db-2-restore")
ADDON, COMMAND = "heroku:addon/addon:Addon", "command:local:Command"


def test_a_changeover_registers_the_runbook_in_order(declare: Any) -> None:
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    wanted = ["db-2", "db-2-database", "db-2-retire-guard", *(f"db-2-{step}" for step in STEPS)]
    assert [name for name in recorder.names if name.startswith("db-2")] == wanted


def test_everything_lies_below_its_generation_and_the_generations_below_the_database(declare: Any) -> None:
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    assert (recorder["db"].type, recorder["db-2"].type) == (
        "heroku-postgres:index:Database",
        "heroku-postgres:index:Generation",
    )
    assert {recorder[name].parent for name in ("db-1", "db-2", "db-heroku")} == {"db"}
    assert {r.parent for r in recorder.registrations if r.name.startswith("db-2-")} == {"db-2"}


def test_each_step_comes_after_the_one_before_and_the_first_after_the_guard(declare: Any) -> None:
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    chain = ["retire-guard", *STEPS]
    assert recorder["db-2-retire-guard"].depends_on == ["db-2-database"]
    for before, step in pairwise(chain):
        assert f"db-2-{before}" in recorder[f"db-2-{step}"].depends_on


def test_each_step_gets_the_window_document_of_the_one_before(declare: Any) -> None:
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    assert set(recorder["db-2-await-database"].inputs["environment"]) == {"HEROKU_CHANGEOVER_URN"}
    window = recorder["db-2-promote"].inputs["environment"]["HEROKU_CHANGEOVER_WINDOW"]
    assert '"of":"db-2-scale-down"' in window


def test_a_step_is_given_a_document_that_fits_into_its_environment_whatever_was_printed(
    declare: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older program may have printed a longer one, which is in the state; the step could not be started with it."""
    tables = [f"a_table_of_another_role_{number}" for number in range(8000)]
    document = {"version": 3, "generation": "db-2", "apps": {}, "moments": {"captured": 1.0}}
    printed = json.dumps({**document, "report": {"tables_not_locked": tables}})
    came_to_be = Nothing.new_resource

    def new_resource(self: Nothing, args: Any) -> Any:
        name, state = came_to_be(self, args)
        return name, {**state, "stdout": printed}

    monkeypatch.setattr(Nothing, "new_resource", new_resource)
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    given = recorder["db-2-restore"].inputs["environment"]["HEROKU_CHANGEOVER_WINDOW"]
    assert len(printed) > 128 * 1024 > 2 * len(given)
    assert json.loads(given)["report"]["tables_not_locked"][-1].endswith(" more")


def test_a_step_runs_once_in_its_life(declare: Any) -> None:
    """The engine runs a command again when an input has changed: that would be a changeover that nobody asked for."""
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    commands = [r for r in recorder.registrations if r.type == COMMAND]
    steps = [c for c in commands if "create" in c.inputs]
    assert {tuple(sorted(c.ignore_changes)) for c in steps} == {tuple(sorted(COMMAND_INPUTS))}
    assert not [c for c in commands if {"update", "triggers"} & set(c.inputs)]


def test_the_guard_is_delete_only_and_restore_carries_it_too(declare: Any) -> None:
    """The engine removes the last step first, so that a removal that is refused has taken nothing yet."""
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    guard = recorder["db-2-retire-guard"].inputs
    assert "create" not in guard
    assert guard["delete"].endswith("retire-guard --app-id id-shop --database-id db-2-database-id --database shop-db-2")
    assert recorder["db-2-restore"].inputs["delete"] == f"{guard['delete']} --only-prove"
    assert [r.name for r in recorder.registrations if "delete" in r.inputs and r.name not in GUARDS] == []
    types = "heroku-postgres:index:Database$heroku-postgres:index:Generation"
    assert guard["environment"] == {"HEROKU_CHANGEOVER_URN": f"urn:pulumi:*::*::{types}::db-2"}


def test_nothing_of_the_new_generation_depends_on_the_old_one(declare: Any) -> None:
    """The engine removes what depends on a resource along with it."""
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    new = [r for r in recorder.registrations if r.name.startswith("db-2")]
    tied = [name for r in new for name in (*r.depends_on, r.parent, r.provider)]
    assert not [name for name in tied if name.startswith("db-1")]


def test_the_leader_is_named_by_a_plain_string(declare: Any) -> None:
    """An output of the old add-on would tie the new primary to it, and the old one could never be removed alone."""
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    assert recorder["db-2-database"].inputs["config"] == {"follow": LEADER.name}


def test_a_live_add_on_is_imported_with_its_own_name_and_plan(declare: Any) -> None:
    """With any other plan the provider would ask Heroku for an upgrade of its own."""
    addon = declare(BEFORE, plan="standard-2", adopt=ADOPT)["db-1-database"]

    assert addon.import_id == LEADER.id
    assert addon.inputs == {"appId": "id-shop", "name": LEADER.name, "plan": "heroku-postgresql:standard-0"}
    assert addon.ignore_changes == ["config"]


def test_only_a_settled_primary_is_protected(declare: Any) -> None:
    """Protection in the middle of a changeover would stop whoever changes their mind."""
    settled = declare(AFTER, plan="standard-2", adopt=ADOPT)
    changing = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    assert [r.name for r in settled.registrations if r.protect] == ["db-2-database"]
    assert not [r.name for r in changing.registrations if r.protect]


def test_a_settled_run_declares_what_is_recorded_and_says_nothing(declare: Any) -> None:
    recorder = declare(AFTER, plan="standard-2", adopt=ADOPT)

    recorded = ["db-2-retire-guard", *(f"db-2-{step}" for step in STEPS), "db-1-retire-guard"]
    assert sorted(r.name for r in recorder.registrations if r.type == COMMAND) == sorted(recorded)
    assert recorder.said == []


def test_the_component_itself_has_no_inputs_that_could_change(declare: Any) -> None:
    """A preview of a settled stack shows no change."""
    recorder = declare(AFTER, plan="standard-2", adopt=ADOPT)

    assert recorder["db"].inputs == {}
    assert recorder["db-2"].inputs == {}


def test_a_held_changeover_registers_nothing_that_users_would_notice(declare: Any) -> None:
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT, hold=True)

    assert [n for n in recorder.names if n.startswith("db-2-")] == [
        "db-2-database",
        "db-2-retire-guard",
        "db-2-await-database",
    ]


def test_the_runbook_and_the_warnings_are_said(declare: Any) -> None:
    seen = BEFORE._replace(apps=(app(primary=LEADER)._replace(features=frozenset({"preboot"})),))

    recorder = declare(seen, plan="standard-2", adopt=ADOPT)

    assert "[preboot]" in recorder.said[0] or "[preboot]" in recorder.said[1]
    assert any("pulumi destroy --target 'urn:" in line for line in recorder.said)


def test_the_runbook_says_what_removes_the_database_that_is_left_and_not_those_of_before(declare: Any) -> None:
    recorder = declare(AFTER, plan="standard-4", adopt=ADOPT)

    (told,) = [line for line in recorder.said if "pulumi destroy" in line]
    assert told.count("pulumi destroy") == 1
    assert "::db-2' " in told
    assert "::db-1" not in told


def test_errors_are_listed_together_and_no_add_on_and_no_step_is_registered(declare: Any) -> None:
    seen = BEFORE._replace(apps=(app(primary=LEADER)._replace(generation="fir"),))
    recorder = Recorder()

    with pytest.raises(pulumi.RunError, match="fir-generation") as refusal:
        declare(seen, plan="standard-99", adopt=ADOPT, recorder=recorder)

    assert "plan-unknown" in str(refusal.value)
    assert [name for name in recorder.names if name.startswith("db")] == ["db", "db-heroku"]


def test_bad_arguments_register_nothing(declare: Any) -> None:
    recorder = Recorder()

    with pytest.raises(pulumi.RunError, match="plan: is missing"):
        declare(BEFORE, adopt=ADOPT, recorder=recorder)

    assert not [name for name in recorder.names if name.startswith("db")]


def test_the_engine_starts_the_provider_while_heroku_answers(declare: Any) -> None:
    """Both take their time, and a preview has to wait only for the longer one."""
    recorder = Recorder()

    def look() -> Facts:
        recorder.wait_for("db-heroku")
        return BEFORE

    knowing = known(wish(adopt=ADOPT), BEFORE)
    declare(look, plan="standard-2", adopt=ADOPT, recorder=recorder, knowing=knowing)

    assert "db-2-restore" in recorder.names


def test_a_heroku_that_cannot_be_asked_is_one_readable_error(declare: Any) -> None:
    def look() -> Facts:
        raise HerokuUnreachable("GET /apps/shop", "no usable answer")

    with pytest.raises(pulumi.RunError, match="GET /apps/shop"):
        declare(look, plan="standard-2", adopt=ADOPT)


@pytest.mark.parametrize("in_config", [True, False])
def test_a_token_that_is_only_in_config_is_said_to_be_unread(declare: Any, monkeypatch: Any, in_config: bool) -> None:
    def look() -> Facts:
        raise NoToken("no Heroku token: set HEROKU_API_KEY")

    monkeypatch.setattr(pulumi.Config, "get", lambda *_: "token-of-the-config" if in_config else None)

    with pytest.raises(pulumi.RunError, match="no Heroku token: set HEROKU_API_KEY") as refusal:
        declare(look, plan="standard-2", adopt=ADOPT)

    assert ("config `heroku:apiKey` is not read" in str(refusal.value)) == in_config
    assert "token-of-the-config" not in str(refusal.value)


def test_the_database_has_a_provider_of_its_own_without_a_token_in_it(declare: Any, monkeypatch: Any) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "token-that-must-stay-out")

    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT)

    assert {r.provider for r in recorder.registrations if r.type == ADDON} == {"db-heroku"}
    assert "token-that-must-stay-out" not in repr(recorder.registrations)
    assert set(recorder["db-heroku"].inputs) == {"timeouts", "customizations"}


def test_no_password_of_a_database_is_registered_or_said(declare: Any) -> None:
    """Of a follower that is not this component's own Heroku tells the whole address."""
    another = LEADER._replace(followers=("postgres://u:the-password@elsewhere/db",))

    recorder = declare(facts(app(primary=LEADER), another), plan="standard-2", adopt=ADOPT)

    assert "[other-followers]" in "".join(recorder.said)
    assert "the-password" not in repr((recorder.registrations, recorder.outputs, recorder.said))


@pytest.mark.parametrize("seen", [BEFORE, AFTER])
def test_every_command_looks_for_the_program_where_it_was_installed(
    declare: Any, seen: Facts, tmp_path: Path, monkeypatch: Any
) -> None:
    program, prefix = tmp_path / "stacks", tmp_path / ".venv"
    program.mkdir()
    (prefix / "bin").mkdir(parents=True)
    (prefix / "bin" / "heroku-changeover").touch(0o755)
    monkeypatch.setattr(sys, "prefix", str(prefix))
    monkeypatch.setattr(pulumi, "get_root_directory", lambda: str(tmp_path))

    recorder = declare(seen, folder=program, plan="standard-2", adopt=ADOPT)

    inputs = [r.inputs for r in recorder.registrations if r.type == COMMAND]
    texts = [str(row[key]) for row in inputs for key in ("create", "delete") if key in row]
    assert [text for text in texts if not text.startswith('PATH="../.venv/bin:$PATH"; ')] == []
    assert [text for text in texts if " exec heroku-changeover " not in text] == []


def test_a_program_that_is_not_installed_is_refused_before_anything_is_registered(
    declare: Any, tmp_path: Path, monkeypatch: Any
) -> None:
    for name in ("sys.prefix", "sysconfig.get_path"):
        monkeypatch.setattr(name, str(tmp_path) if name == "sys.prefix" else lambda *_: str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    recorder = Recorder()

    with pytest.raises(pulumi.RunError, match="heroku-changeover, which carries out the steps, is neither beside"):
        declare(BEFORE, plan="standard-2", adopt=ADOPT, recorder=recorder)

    assert not [name for name in recorder.names if name.startswith("db")]


def test_a_follower_that_was_made_by_a_run_that_failed_is_adopted(declare: Any) -> None:
    there = follower("shop-db-2", LEADER)

    recorder = declare(facts(app(primary=LEADER), LEADER, there), plan="standard-2", adopt=ADOPT)

    assert recorder["db-2-database"].import_id == there.id


def test_the_outputs_name_what_is_kept_and_how_it_goes(declare: Any) -> None:
    outputs = declare(AFTER, plan="standard-2", adopt=ADOPT).outputs["db"]

    assert (outputs["primary"], outputs["plan"], outputs["retired"]) == ("shop-db-2", "standard-2", [LEADER.name])


def test_the_teardown_names_each_resource_of_its_generation_and_takes_nothing_along(declare: Any) -> None:
    (command,) = declare(AFTER, plan="standard-2", adopt=ADOPT).outputs["db"]["teardown"]

    words = shlex.split(command)
    assert words[:2] == ["pulumi", "destroy"]
    assert words[2::2] == [*["--target"] * 3, "--message"]
    assert [urn.removeprefix("urn:pulumi:*::*::heroku-postgres:index:Database$") for urn in words[3::2]] == [
        "heroku-postgres:index:Generation::db-1",
        "heroku-postgres:index:Generation$heroku:addon/addon:Addon::db-1-database",
        "heroku-postgres:index:Generation$command:local:Command::db-1-retire-guard",
        f"remove {LEADER.name}",
    ]


def test_what_depends_on_the_database_waits_for_its_primary_alone(declare: Any) -> None:
    for seen in (BEFORE, AFTER):
        recorder = declare(seen, plan="standard-2", adopt=ADOPT, consumer=True)

        tied = recorder["consumer"].depends_on
        assert "db-2-restore" in tied
        assert not [name for name in tied if name.startswith("db-1")]


@pytest.mark.parametrize("output", ["primary", "plan", "retired", "teardown", "summary"])
def test_an_output_hangs_on_the_step_that_makes_it_true(declare: Any, output: str) -> None:
    """A run that fails leaves the old values, and what uses the primary runs after the move."""
    recorder = declare(BEFORE, plan="standard-2", adopt=ADOPT, reads=output)

    assert "db-2-restore" in recorder["reader"].depends_on


def test_nothing_below_the_database_is_protected_because_the_database_is(declare: Any) -> None:
    recorder = declare(AFTER, plan="standard-2", adopt=ADOPT, opts=lambda: pulumi.ResourceOptions(protect=True))

    assert [r.name for r in recorder.registrations if r.protect] == ["db", "db-2-database"]


@pytest.mark.parametrize("retain", [True, False])
def test_an_add_on_is_retained_always_and_a_command_never_whatever_the_user_wants(declare: Any, retain: bool) -> None:
    """Only a guard deletes a database, and of a command that is retained none would run."""
    recorder = declare(
        AFTER, plan="standard-2", adopt=ADOPT, opts=lambda: pulumi.ResourceOptions(retain_on_delete=retain)
    )

    retained = {r.name for r in recorder.registrations if r.type in {COMMAND, ADDON} and r.retain_on_delete}
    assert retained == {"db-1-database", "db-2-database"}


def test_the_report_is_what_restore_printed(declare: Any) -> None:
    outputs = declare(AFTER, plan="standard-2", adopt=ADOPT).outputs["db"]

    assert '"of":"db-2-restore"' in outputs["report"]


def test_a_provider_that_is_passed_is_used(declare: Any) -> None:
    recorder = declare(
        BEFORE,
        plan="standard-2",
        adopt=ADOPT,
        opts=lambda: pulumi.ResourceOptions(providers=[heroku.Provider("mine")]),
    )

    assert {r.provider for r in recorder.registrations if r.type == ADDON} == {"mine"}
