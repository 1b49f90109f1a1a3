"""A program in YAML, outside of this repository, whose package was added by path or from a git address."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from local_heroku.launcher import LocalHeroku
from toolchain import Stack

from .code_host import code_host
from .conftest import Operator
from .packages import (
    INTERNAL,
    VERSION,
    Added,
    add_package,
    added_once,
    copy_repository,
    edit_program,
    shared_folder,
    somebody_with,
    tear_down,
)

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

HOST, REPOSITORY = "git.example", "shop/pulumi-heroku-postgres"
ADDRESS = f"{HOST}/{REPOSITORY}/plugin"
NEXT_VERSION = "99.0.0"
TYPE = "heroku-postgres:index:Database"
STASH = {"type": "pulumi:index:Stash", "properties": {"input": "standard-2"}}


@pytest.fixture(scope="session")
def by_path(tmp_path_factory: pytest.TempPathFactory) -> Added:
    """The package added from a checkout beside the program."""
    folder = shared_folder(tmp_path_factory) / "by-path"

    def add(stack: Stack) -> str:
        copy_repository(folder / "heroku-postgres")
        return add_package(stack, "../heroku-postgres/plugin")

    return added_once(folder, "yaml", add)


@pytest.fixture(scope="session")
def from_git(tmp_path_factory: pytest.TempPathFactory) -> Added:
    """The package added from a host of git repositories, by the tag of its version."""
    folder = shared_folder(tmp_path_factory) / "from-git"

    def add(stack: Stack) -> str:
        with code_host(folder / "host", HOST) as host:
            copy_repository(folder / "source")
            host.publish(folder / "source", REPOSITORY, f"v{VERSION}")
            return add_package(stack, f"https://{ADDRESS}@v{VERSION}", host.environment)

    return added_once(folder, "yaml", add)


@pytest.fixture(params=["by_path", "from_git"])
def added(request: pytest.FixtureRequest) -> Added:
    added = request.getfixturevalue(request.param)
    assert isinstance(added, Added)
    return added


@pytest.fixture
def operator(added: Added, heroku: LocalHeroku, shop: dict[str, Any], tmp_path: Path) -> Operator:
    """Somebody with the program, whose package was added in either way."""
    return somebody_with(added, heroku, shop, tmp_path)


@pytest.fixture
def local(by_path: Added, heroku: LocalHeroku, shop: dict[str, Any], tmp_path: Path) -> Operator:
    """Somebody with the program, whose package was added by path, for tests in which the way does not matter."""
    return somebody_with(by_path, heroku, shop, tmp_path)


def test_adding_the_package_writes_down_where_it_is_from(added: Added) -> None:
    program = yaml.safe_load((added.stack.project / "Pulumi.yaml").read_text())

    assert program["packages"] in (
        {"heroku-postgres": "../heroku-postgres/plugin"},
        {"heroku-postgres": f"{ADDRESS}@v{VERSION}"},
    )
    assert "Added package heroku-postgres/" in added.said


def test_the_first_up_adopts_and_touches_nothing(operator: Operator) -> None:
    before = operator.writes()
    operator.up()

    assert operator.resource("db-1-database")["id"] == operator.app["addon_id"]
    assert operator.writes() == before
    operator.up("--expect-no-changes")


def test_a_preview_of_another_plan_shows_the_runbook(operator: Operator) -> None:
    operator.up()
    before = operator.writes()
    operator.config("plan", "standard-2")
    shown = operator.preview().stdout

    assert f"{operator.name} moves from {operator.app['addon']} (standard-0) to {operator.name}-db-2" in shown
    assert "6. restore: dynos and maintenance mode" in shown
    assert "reader update [diff: ~input]" in shown
    assert operator.writes() == before


def test_a_changed_plan_moves_the_database_with_every_acknowledged_write(operator: Operator) -> None:
    operator.up()
    operator.change_while_somebody_writes()

    assert operator.is_as_found()
    assert operator.resource("reader")["inputs"]["input"] == f"{operator.name}-db-2"
    operator.up("--expect-no-changes")


def test_a_plan_that_was_changed_on_heroku_is_said_here_too(local: Operator) -> None:
    """The plugin reads the state of the stack as well."""
    local.up()
    local.heroku.patch(f"/apps/{local.name}/addons/{local.app['addon']}", {"plan": "heroku-postgresql:standard-4"})
    status = f"/client/v11/databases/{local.app['addon']}/wait_status"
    local.heroku.wait_until("Heroku's own upgrade", lambda: not local.heroku.get(status)["waiting?"])

    assert "[plan-changed]" in str(local.up(code=1))


def test_the_printed_teardown_leaves_what_is_the_users_own(operator: Operator) -> None:
    operator.up()
    operator.change("standard-2")
    kept = [name for name in operator.names() if not name.startswith("db-1")]
    tear_down(operator)

    assert operator.heroku.call("GET", f"/addons/{operator.app['addon']}")[0] == 404
    assert operator.names() == kept
    assert {"reader", "after"} <= set(kept)
    operator.up("--expect-no-changes")


def test_what_depends_on_the_database_waits_for_the_end_of_a_move(local: Operator) -> None:
    local.up()
    edit_program(local.stack, {"later": {**STASH, "options": {"dependsOn": ["${db}"]}}})
    said = local.change("standard-2").stdout

    assert said.index("db-2-restore created") < said.index("reader updating")
    assert said.index("db-2-restore created") < said.index("later creating")


def test_a_move_that_failed_leaves_what_was_read_of_the_database_as_it_was(local: Operator) -> None:
    local.up()
    unfollow = f"/client/v11/databases/{local.name}-db-2/unfollow"
    local.heroku.fault("status", unfollow, method="PUT", status=422)
    local.config("plan", "standard-2")
    said = local.up(code=1)

    assert "every app is as it was found" in str(said)
    assert local.is_as_found()
    assert local.resource("reader")["inputs"]["input"] == local.app["addon"]
    assert local.stack.outputs()["primary"] == local.app["addon"]
    local.up()
    assert local.resource("reader")["inputs"]["input"] == f"{local.name}-db-2"


def test_two_databases_of_one_program_move_in_one_run(
    local: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    other = heroku.create_app(new_name(), web=1, rows=100)
    properties = {"app": other["name"], "plan": "${plan}", "adopt": other["addon"]}
    edit_program(local.stack, {"archive": {"type": TYPE, "properties": properties}})
    local.up()
    local.change("standard-2")

    assert heroku.primary(local.name) == f"{local.name}-db-2"
    assert heroku.primary(other["name"]) == f"{other['name']}-archive-2"
    local.up("--expect-no-changes")


def test_an_old_database_is_torn_down_where_only_a_newer_version_of_the_plugin_is(
    from_git: Added, heroku: LocalHeroku, shop: dict[str, Any], tmp_path: Path
) -> None:
    """The commands in the state were written by the version before, whose folder another machine does not have."""
    operator = somebody_with(from_git, heroku, shop, tmp_path)
    operator.up()
    operator.change("standard-2")
    elsewhere = Operator(replace(operator.stack, home=tmp_path / "home"), heroku, shop)
    with code_host(tmp_path / "host", HOST) as host:
        copy_repository(tmp_path / "source", NEXT_VERSION)
        host.publish(tmp_path / "source", REPOSITORY, f"v{NEXT_VERSION}")
        add_package(elsewhere.stack, f"https://{ADDRESS}@v{NEXT_VERSION}", host.environment)
    elsewhere.up("--expect-no-changes")
    tear_down(elsewhere)

    assert heroku.call("GET", f"/addons/{shop['addon']}")[0] == 404
    elsewhere.up("--expect-no-changes")


@pytest.mark.parametrize(
    ("properties", "sentences"),
    [
        ({"windowBudget": 0}, ["window_budget (windowBudget): 0 is not between 1 and 3600 seconds"]),
        ({"oneOffDynos": "kill", "app": "A"}, ["is not one of wait, stop", "'A' is not of the form shop"]),
        ({"windowBuget": 300}, ["Property windowBuget does not exist"]),
        ({"windowBudget": "soon"}, ["Cannot assign type 'string' to type 'integer'"]),
        ({"plan": None}, ["Missing required property 'plan'"]),
        ({"plan": "standard-99"}, ["nothing was started, because\n", "Heroku Postgres has no plan standard-99"]),
        ({"app": "no-such-app"}, ["app no-such-app: there is no such app"]),
        ({"plan": "${reader.output}"}, ["plan: is an output or a secret, which is known only while"]),
        ({"apps": ["${reader.output}"]}, ["apps: is an output or a secret, which is known only while"]),
    ],
    ids=[
        "a number",
        "two words",
        "unknown",
        "of another type",
        "missing",
        "finding",
        "no app",
        "unknown yet",
        "in list",
    ],
)
def test_a_refusal_is_a_sentence(local: Operator, properties: dict[str, Any], sentences: list[str]) -> None:
    give(local, properties)
    before = local.writes()
    refused = str(local.preview(code=1))

    assert [one for one in sentences if one not in refused] == []
    assert [one for one in INTERNAL if one in refused] == []
    assert local.writes() == before


def test_a_refusal_by_up_is_the_same_sentence(local: Operator) -> None:
    """By then the value is known, but the preview before it could not know it."""
    give(local, {"plan": "${reader.output}"})
    refused = str(local.up(code=1))

    assert "plan: is an output or a secret, which is known only while" in refused
    assert [one for one in INTERNAL if one in refused] == []


def give(operator: Operator, properties: dict[str, Any]) -> None:
    """Writes these properties of the database into a program, and a resource whose output is known after a preview."""
    given = {"app": "${app}", "plan": "${plan}", "adopt": "${adopt}", **properties}
    stated = {key: value for key, value in given.items() if value is not None}
    edit_program(operator.stack, {"db": {"type": TYPE, "properties": stated}, "reader": STASH})
