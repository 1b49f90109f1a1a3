"""What a program of the user's own does with a Database: reads it, depends on it, protects it, targets it."""

from textwrap import dedent
from typing import Any

import pytest

from .conftest import Operator
from .test_teardown import is_there, teardown

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

BEGIN = """
import pulumi
import pulumi_command as command
import pulumiverse_heroku as heroku
from heroku_postgres import Database, DatabaseArgs

config = pulumi.Config()
args = DatabaseArgs(app=config.require("app"), plan=config.require("plan"), adopt=config.require("adopt"))
"""
END = """
for name in ("primary", "plan", "retired", "teardown", "summary"):
    pulumi.export(name, getattr(database, name))
"""


@pytest.fixture
def with_program(operator: Operator) -> Any:
    """An operator whose program is this one, before its first run."""

    def make(text: str) -> Operator:
        program = operator.stack.project / "stacks" / "__main__.py"
        program.write_text(BEGIN + dedent(text) + END)
        return operator

    return make


def told(operator: Operator, name: str) -> str:
    """What a resource of the user's own printed when it was made."""
    return str(operator.resource(name)["outputs"]["stdout"])


def plan_a_move_that_fails(operator: Operator) -> None:
    """Another plan in config, and a Heroku that refuses the unfollow."""
    unfollow = f"/client/v11/databases/{operator.name}-db-2/unfollow"
    operator.heroku.fault("status", unfollow, method="PUT", status=422)
    operator.config("plan", "standard-2")


READS = """
    database = Database("db", args)
    command.local.Command(
        "reader",
        create="echo $PRIMARY; date +%s.%N",
        environment={"PRIMARY": database.primary},
        triggers=[database.primary],
    )
"""


def test_what_reads_the_primary_runs_when_it_is_one(with_program: Any) -> None:
    operator = with_program(READS)
    operator.adopt()
    operator.change("standard-2")

    primary, moment = told(operator, "reader").split()
    own = [e for e in operator.heroku.events() if e.get("app") == operator.name and e["what"] == "maintenance"]
    (served_again,) = [e["at"] for e in own if not e["on"]]
    assert primary == f"{operator.name}-db-2"
    assert float(moment) > served_again


def test_a_run_that_put_everything_back_leaves_the_outputs_and_what_reads_them(with_program: Any) -> None:
    operator = with_program(READS)
    operator.adopt()
    before, read = operator.stack.outputs(), told(operator, "reader")
    plan_a_move_that_fails(operator)

    failed = operator.up(code=1)

    assert "every app is as it was found" in str(failed)
    assert operator.stack.outputs() == before
    assert before["primary"] == operator.app["addon"]
    assert before["teardown"] == []
    assert told(operator, "reader") == read


def test_a_failed_run_that_goes_on_with_the_rest_does_not_tell_of_a_move_either(with_program: Any) -> None:
    operator = with_program(READS)
    operator.adopt()
    before, read = operator.stack.outputs(), told(operator, "reader")
    plan_a_move_that_fails(operator)

    operator.up("--continue-on-error", code=1)

    assert operator.stack.outputs() == before
    assert told(operator, "reader") == read


def test_a_teardown_takes_nothing_along_that_depends_on_the_database(with_program: Any) -> None:
    operator = with_program("""
        database = Database("db", args)
        command.local.Command("mine", create="echo mine", opts=pulumi.ResourceOptions(depends_on=[database]))
    """)
    operator.adopt()
    operator.change("standard-2")

    operator.run(*teardown(operator))

    assert not is_there(operator, operator.app["addon"])
    assert is_there(operator, f"{operator.name}-db-2")
    assert "mine" in operator.names()
    operator.up("--expect-no-changes")


def test_a_program_may_go_to_another_folder_before_it_declares_a_database(with_program: Any) -> None:
    """The engine runs the steps where it started the program."""
    operator = with_program("""
        import os, tempfile
        os.chdir(tempfile.mkdtemp(dir="."))
        database = Database("db", args)
    """)
    operator.adopt()
    operator.change("standard-2")

    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-2"
    assert operator.resource("db-2-promote")["inputs"]["create"].startswith('PATH="../.venv/bin:$PATH"; ')


def test_a_run_that_leaves_the_last_step_out_writes_a_state_that_the_next_one_reads(with_program: Any) -> None:
    """The value is the old one then, so nothing ties its reader to a step that is not there."""
    operator = with_program(READS)
    operator.adopt()
    operator.config("plan", "standard-2")

    operator.up("--exclude", "**db-2-restore")

    assert told(operator, "reader").split()[0] == operator.app["addon"]
    operator.up()
    assert told(operator, "reader").split()[0] == f"{operator.name}-db-2"


PROTECTED = 'database = Database("db", args, pulumi.ResourceOptions(protect=True))'


def test_a_protected_database_can_be_torn_down(with_program: Any) -> None:
    operator = with_program(PROTECTED)
    operator.adopt()
    operator.change("standard-2")

    operator.run(*teardown(operator))

    assert not is_there(operator, operator.app["addon"])
    operator.up("--expect-no-changes")


def test_with_a_protected_database_one_can_change_ones_mind(with_program: Any) -> None:
    operator = with_program(PROTECTED.replace("args,", '{**args, "hold": config.get_bool("hold") or False},'))
    operator.adopt()
    operator.config("hold", "true")
    operator.change("standard-2")
    operator.change("standard-0")

    assert not is_there(operator, f"{operator.name}-db-2")
    operator.up("--expect-no-changes")


def test_a_run_that_targets_the_component_moves_nothing_and_does_not_say_that_it_did(with_program: Any) -> None:
    operator = with_program('database = Database("db", args)')
    operator.adopt()
    before = operator.stack.outputs()
    operator.config("plan", "standard-2")
    component = operator.resource("db")["urn"]

    operator.up("--target", component)

    assert operator.heroku.primary(operator.name) == operator.app["addon"]
    assert operator.stack.outputs() == before
    operator.up()
    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-2"


def test_what_fails_elsewhere_in_the_stack_leaves_every_app_as_it_was_found(with_program: Any) -> None:
    """No further step is started, and the keeper closes the window."""
    operator = with_program("""
        database = Database("db", args)
        window_is_open = 'ls "$HEROKU_CHANGEOVER_HOME"/*/' + args["app"] + '.window.json > /dev/null 2>&1'
        if config.require("plan") == "standard-2":
            wait = f"for i in $(seq 1200); do {window_is_open} && break; sleep 0.05; done"
            command.local.Command("elsewhere", create=f"{wait}; exit 1")
    """)
    operator.adopt()
    operator.config("plan", "standard-2")
    operator.heroku.fault("delay", f"/apps/{operator.name}/formation", method="PATCH", seconds=3)

    operator.up(code=1)

    operator.heroku.wait_until("the app to serve as before", operator.is_as_found)
    assert operator.heroku.primary(operator.name) == operator.app["addon"]


def test_with_continue_on_error_a_changeover_ends_whatever_fails_elsewhere(with_program: Any) -> None:
    operator = with_program("""
        database = Database("db", args)
        if config.require("plan") == "standard-2":
            command.local.Command("elsewhere", create="exit 1")
    """)
    operator.adopt()
    operator.config("plan", "standard-2")

    operator.up("--continue-on-error", code=1)

    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-2"
    assert operator.is_as_found()


@pytest.mark.parametrize(("options", "warns"), [(["--parallel", "1"], True), ([], False)])
def test_a_changeover_that_has_to_take_turns_with_the_rest_of_the_stack_is_warned_of(
    with_program: Any, options: list[str], warns: bool
) -> None:
    operator = with_program('database = Database("db", args)')
    operator.adopt()
    operator.config("plan", "standard-2")

    shown = operator.preview(*options).stdout

    assert ("warning: [parallel] `--parallel 1` has everything else in the stack wait its turn" in shown) == warns


def test_a_token_in_config_alone_is_refused_with_where_it_has_to_be(with_program: Any) -> None:
    operator = with_program('database = Database("db", args)')
    operator.stack.edit({"plan": "standard-0", "adopt": operator.app["addon"]})
    operator.stack.pulumi("config", "set", "--secret", "heroku:apiKey", operator.heroku.token, check=True)

    refused = operator.stack.pulumi("preview", env={"HEROKU_API_KEY": ""})

    assert refused.code != 0
    assert "no Heroku token: set HEROKU_API_KEY" in str(refused)
    assert "The one in config `heroku:apiKey` is not read" in str(refused)
    assert "Traceback" not in str(refused)


def test_a_provider_of_the_users_own_can_keep_config_vars_out_of_the_state(with_program: Any) -> None:
    operator = with_program("""
        provider = heroku.Provider(
            "mine",
            timeouts=heroku.ProviderTimeoutsArgs(addon_create_timeout=1440),
            customizations=[heroku.ProviderCustomizationArgs(set_addon_config_vars_in_state=False)],
        )
        database = Database("db", args, pulumi.ResourceOptions(providers=[provider]))
    """)
    operator.adopt()
    operator.change("standard-2")

    values = [r["outputs"]["configVarValues"] for r in operator.stack.resources() if r["type"] == ADDON]
    assert "db-heroku" not in operator.names()
    assert len(values) == 2
    shown = operator.stack.pulumi("stack", "export", "--show-secrets", check=True).stdout
    assert "postgres://" not in shown


ADDON = "heroku:addon/addon:Addon"
