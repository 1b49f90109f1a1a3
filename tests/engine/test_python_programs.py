"""Programs of people's own in Python, each in a project beside the repository, from adoption to the teardown."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kit.rogue import rogue_on
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

from . import consumer
from .conftest import Operator
from .test_teardown import is_there

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it is released."""
    return consumer.built_wheel(tmp_path_factory.mktemp("wheel"))


@pytest.fixture
def owner_of(new_stack: Stack, heroku: LocalHeroku, shop: dict[str, Any], tmp_path: Path) -> Callable[[Path], Operator]:
    """Somebody with a project of their own, whose stack is made and configured for the app `shop`."""

    def make(project: Path) -> Operator:
        path = consumer.path_of_a_user(tmp_path / "tools", new_stack.toolchain.folder)
        changeover = {"HEROKU_CHANGEOVER_HOME": str(tmp_path / "changeover"), "UV_PYTHON_DOWNLOADS": "never"}
        environment = {**heroku.environment, **changeover, "PATH": path}
        stack = Stack(new_stack.toolchain, project, tmp_path / "home", tmp_path / "state", environment)
        stack.create()
        operator = Operator(stack, heroku, shop)
        operator.config("app", shop["name"])
        return operator

    return make


@pytest.fixture
def in_pip(wheel: Path, tmp_path: Path) -> Path:
    """A project with its virtual environment in it."""
    project = consumer.project(tmp_path / "own", {"virtualenv": "venv"}, consumer.program_text())
    consumer.with_pip(project / "venv", wheel)
    return project


@pytest.fixture
def in_uv(wheel: Path, tmp_path: Path) -> Path:
    """A project of uv; `pulumi install` makes the rest."""
    project = consumer.project(tmp_path / "own", {"toolchain": "uv"}, consumer.program_text())
    consumer.uv_project(project, wheel)
    return project


@pytest.fixture
def audited(heroku: LocalHeroku, new_name: Callable[[], str]) -> dict[str, Any]:
    """A second app, with a database of its own."""
    app: dict[str, Any] = heroku.create_app(new_name(), web=1, rows=10)
    return app


def walk_with_two_databases(operator: Operator, audited: dict[str, Any]) -> None:
    """Adoption, a change of plan, a second update without changes, and the teardown of both."""
    operator.stack.edit({"auditApp": audited["name"], "auditAdopt": audited["addon"]})
    operator.adopt()
    with rogue_on(operator.app["database_url"]) as rogue:
        operator.change("standard-2")
    news = [f"{operator.name}-db-2", f"{audited['name']}-audit-2"]
    operator.up("--expect-no-changes")

    assert [operator.heroku.primary(app) for app in (operator.name, audited["name"])] == news
    assert len(rogue.acknowledged) > 50
    assert rogue.missing_on(operator.heroku.database_url(news[0])) == set()
    outputs = operator.stack.outputs()
    assert (outputs["primaries"], outputs["settings"]) == (news, f"PRIMARY={news[0]}")
    tear_down_all(operator, outputs["teardown"], [operator.app["addon"], audited["addon"]])


def tear_down_all(operator: Operator, commands: list[str], old: list[str]) -> None:
    """With the printed commands; nothing else goes."""
    kept = [name for name in operator.names() if not name.startswith(("db-1", "audit-1"))]
    assert len(commands) == len(old)
    for command in commands:
        operator.type(command)

    assert [addon for addon in old if is_there(operator, addon)] == []
    assert operator.names() == kept
    operator.up("--expect-no-changes")


def test_a_program_with_two_databases_changes_their_plan_in_an_environment_of_pip(
    owner_of: Callable[[Path], Operator], in_pip: Path, audited: dict[str, Any]
) -> None:
    walk_with_two_databases(owner_of(in_pip), audited)


def test_a_program_with_two_databases_changes_their_plan_in_a_project_of_uv(
    owner_of: Callable[[Path], Operator], in_uv: Path, audited: dict[str, Any]
) -> None:
    operator = owner_of(in_uv)
    operator.run("install")

    walk_with_two_databases(operator, audited)


def test_a_database_that_moves_below_a_component_by_an_alias_stays_as_it_is(
    owner_of: Callable[[Path], Operator], in_uv: Path, audited: dict[str, Any]
) -> None:
    operator = owner_of(in_uv)
    operator.run("install")
    operator.stack.edit({"auditApp": audited["name"], "auditAdopt": audited["addon"]})
    operator.adopt()
    operator.change("standard-2")
    before = operator.writes()
    operator.config("teams", "true")

    operator.up()

    assert operator.writes() == before
    operator.up("--expect-no-changes")
    outputs = operator.stack.outputs()
    tear_down_all(operator, outputs["teardown"], [operator.app["addon"], audited["addon"]])


SMALL = """
import pulumi
from heroku_postgres import Database, DatabaseArgs

config = pulumi.Config()
args = DatabaseArgs(app=config.require("app"), plan=config.require("plan"), adopt=config.require("adopt"))
pulumi.export("teardown", Database("db", args).teardown)
"""


def walk(operator: Operator) -> None:
    """Adoption, a change of plan, a second update without changes, the teardown."""
    operator.adopt()
    operator.change("standard-2")
    operator.up("--expect-no-changes")

    assert operator.heroku.primary(operator.name) == f"{operator.name}-db-2"
    assert operator.is_as_found()
    tear_down_all(operator, operator.stack.outputs()["teardown"], [operator.app["addon"]])


def test_an_environment_outside_of_the_project_serves(
    owner_of: Callable[[Path], Operator], wheel: Path, tmp_path: Path
) -> None:
    project = consumer.project(tmp_path / "own", {"toolchain": "pip", "virtualenv": "../environment"}, SMALL)
    consumer.with_pip(tmp_path / "environment", wheel)

    walk(owner_of(project))


@pytest.mark.parametrize("in_git", [True, False])
def test_a_member_of_a_workspace_of_uv_serves(
    owner_of: Callable[[Path], Operator], wheel: Path, tmp_path: Path, in_git: bool
) -> None:
    """Its environment is the workspace's, outside of the project."""
    workspace = tmp_path / "workspace"
    project = consumer.project(workspace / "deploy", {"toolchain": "uv"}, SMALL)
    consumer.uv_project(project, wheel)
    (workspace / "pyproject.toml").write_text('[tool.uv.workspace]\nmembers = ["deploy"]\n')
    if in_git:
        consumer.run(["git", "init", "--quiet", workspace])
    operator = owner_of(project)
    operator.run("install")

    walk(operator)

    create = operator.resource("db-2-promote")["inputs"]["create"]
    place = "../.venv/bin" if in_git else str(workspace / ".venv" / "bin")
    assert create.startswith(f'PATH="{place}:$PATH"; exec heroku-changeover promote ')
