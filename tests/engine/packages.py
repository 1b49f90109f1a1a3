"""
The package as a program in another language gets it: `pulumi package add`, by path and from a git address.

Adding makes a virtual environment and installs the package with all that it needs, so that it is done once for each
way, whatever the number of workers; tests run copies of the program for which it was done, with its Pulumi home.
"""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from kit.checkout import copy_to
from local_heroku.launcher import LocalHeroku
from toolchain import Stack, find

from .conftest import Operator
from .consumer import PROGRAMS, pinned

VERSION = version("heroku-postgres")
INTERNAL = ("Traceback", "Unexpected <class", "File ", ".py")
"""What no refusal shows: the way through the code."""
MODULES = "node_modules"
INSTALL_SECONDS = 240.0


@dataclass(frozen=True)
class Added:
    """A program to which the package was added; `said` is what that printed."""

    stack: Stack
    said: str

    def copy(self, environment: Mapping[str, str]) -> Stack:
        """A new stack of a copy, beside the first one so that a relative path in it means the same."""
        first = self.stack
        project = Path(tempfile.mkdtemp(prefix="program-", dir=first.project.parent))
        shutil.copytree(first.project, project, ignore=shutil.ignore_patterns(MODULES), dirs_exist_ok=True)
        if (first.project / MODULES).exists():
            (project / MODULES).symlink_to(first.project / MODULES)
        stack = Stack(first.toolchain, project, first.home, project / "state", environment)
        stack.create_like(first)
        return stack


def edit_program(stack: Stack, resources: Mapping[str, Any]) -> None:
    """Change a program in YAML as a user does with an editor: each of these resources takes the place of its like."""
    file = stack.project / "Pulumi.yaml"
    program = yaml.safe_load(file.read_text())
    program["resources"].update(resources)
    file.write_text(yaml.safe_dump(program))


def copy_repository(into: Path, number: str = VERSION) -> None:
    """This repository as a user clones it, so that nothing is made in the folder that the tests run in."""
    copy_to(into)
    about = into / "pyproject.toml"
    about.write_text(about.read_text().replace(f'\nversion = "{VERSION}"', f'\nversion = "{number}"'))


def shared_folder(factory: pytest.TempPathFactory) -> Path:
    """One folder for all workers of a run of the tests."""
    base = factory.getbasetemp()
    folder = (base.parent if "PYTEST_XDIST_WORKER" in os.environ else base) / "packages"
    folder.mkdir(exist_ok=True)
    return folder


def added_once(folder: Path, language: str, add: Callable[[Stack], str]) -> Added:
    """The program of a language in that folder, to which the first worker that comes adds the package."""
    stack = Stack(find(print), folder / "program", folder / "home", folder / "state")
    said = folder / "said.txt"
    with folder.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not said.exists():
            shutil.rmtree(folder, ignore_errors=True)  # left by a worker that failed
            shutil.copytree(PROGRAMS / language, stack.project)
            stack.create()
            said.write_text(add(stack))
    return Added(stack, said.read_text())


def add_package(stack: Stack, source: str, environment: Mapping[str, str] = {}) -> str:
    """Types what the README says, in the folder of a program; returns what that printed."""
    pinned = {"PIP_CONSTRAINT": str(_versions_in(stack.home))}
    words = ("package", "add", source)
    return str(stack.pulumi(*words, env={**environment, **pinned}, check=True, timeout=INSTALL_SECONDS))


def _versions_in(folder: Path) -> Path:
    """Says to pip which versions the tests themselves run with, which it has at hand."""
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "constraints.txt"
    file.write_text("\n".join(pinned()))
    return file


def somebody_with(added: Added, heroku: LocalHeroku, app: dict[str, Any], folder: Path) -> Operator:
    """An operator of an app, with a copy of a program and a new stack."""
    stack = added.copy({**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(folder / "changeover")})
    operator = Operator(stack, heroku, app)
    stack.edit({"app": operator.name, "adopt": app["addon"], "plan": "standard-0"})
    return operator


def tear_down(operator: Operator) -> None:
    """With the very command that the stack prints."""
    (command,) = operator.stack.outputs()["teardown"]
    operator.type(command)
