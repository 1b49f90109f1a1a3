"""The five minutes on a real app, from the README, in a checkout and with an engine that know nothing of tests."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from local_heroku.launcher import LocalHeroku
from toolchain import Stack

from .conftest import typed_in
from .test_sandbox import RUN_WHAT_IT_PRINTS, TEARDOWN

pytestmark = [pytest.mark.engine, pytest.mark.timeout(400)]
APP, ADDON = "my-app", "postgresql-round-12345"


@pytest.fixture
def app(heroku: LocalHeroku) -> Iterator[str]:
    """With the names of the README."""
    heroku.create_app(APP, web=1, worker=1, rows=500, addon=ADDON)
    yield APP
    heroku.delete(f"/_control/apps/{APP}")


@pytest.fixture
def type_there(
    checkout: Path, heroku: LocalHeroku, new_stack: Stack, tmp_path: Path
) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Runs commands in the checkout: with Pulumi, with the Python that comes with the system, and no other."""
    environment = {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(tmp_path / "changeover")}
    python = Path(sys.base_prefix) / "bin"
    stack = Stack(new_stack.toolchain, checkout, tmp_path / "home", tmp_path / "state", environment, "")
    stack.pulumi("whoami", check=True)  # makes home and backend
    variables = {
        name: value for name, value in stack.variables().items() if name not in ("PULUMI_STACK", "VIRTUAL_ENV")
    }
    variables["PATH"] = f"{python}:{variables['PATH']}"

    def run(*commands: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            ["bash", "-e", "-c", "\n".join(commands)],
            cwd=checkout,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=360,
            check=False,
        )

    return run


def test_the_five_minutes_of_the_readme_work_after_pulumi_install(
    app: str,
    heroku: LocalHeroku,
    type_there: Callable[..., "subprocess.CompletedProcess[str]"],
    written_in: Callable[[], list[str]],
) -> None:
    commands = typed_in("Use it on a real app, in five minutes")
    assert commands[0].startswith("pulumi install ")
    assert commands[-1] == TEARDOWN

    typed = type_there(*commands, RUN_WHAT_IT_PRINTS, "pulumi preview --expect-no-changes")

    assert typed.returncode == 0, typed.stdout
    assert heroku.primary(app) == "my-app-db-2"
    assert heroku.call("GET", f"/addons/{ADDON}")[0] == 404
    assert written_in() == ["stacks/Pulumi.production.yaml"]
