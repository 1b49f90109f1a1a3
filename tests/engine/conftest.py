"""Stacks of the real program on the real engine, one for each test."""

import itertools
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from kit.project import project_in
from kit.rogue import rogue_on
from local_heroku.launcher import LocalHeroku
from toolchain import Finished, Stack


@dataclass(slots=True)
class Operator:
    """Somebody with a stack of their own, who types what the README says."""

    stack: Stack
    heroku: LocalHeroku
    app: dict[str, Any]

    @property
    def name(self) -> str:
        return str(self.app["name"])

    def config(self, key: str, value: str) -> None:
        self.stack.edit({key: value})

    def up(self, *words: str, code: int = 0) -> Finished:
        return self.run("up", "--yes", "--skip-preview", *words, code=code)

    def preview(self, *words: str, code: int = 0) -> Finished:
        return self.run("preview", *words, code=code)

    def run(self, *words: str, code: int = 0) -> Finished:
        """Runs a command that has to end with this code; otherwise the test shows all that was printed."""
        finished = self.stack.pulumi(*words)
        assert (finished.code != 0) == (code != 0), f"pulumi {' '.join(words)}\n{finished}\n{self.heroku.log_text()}"
        return finished

    def adopt(self, plan: str = "standard-0") -> None:
        self.stack.edit({"plan": plan, "adopt": self.app["addon"]})
        self.up()

    def adopt_and_change(self, plan: str = "standard-2", *, code: int = 0) -> Finished:
        """For a test that is about what comes after."""
        self.adopt()
        self.config("plan", plan)
        return self.up(code=code)

    def change(self, plan: str) -> Finished:
        self.config("plan", plan)
        return self.up()

    def change_while_somebody_writes(self, plan: str = "standard-2") -> None:
        """The first change of plan, under a client that never stops: the new database has all that it was told of."""
        with rogue_on(self.app["database_url"]) as rogue:
            self.change(plan)
        new = f"{self.name}-db-2"
        assert self.heroku.primary(self.name) == new
        assert len(rogue.acknowledged) > 100
        assert rogue.missing_on(self.heroku.database_url(new)) == set()

    def type(self, command: str) -> Finished:
        """A command that was printed, with a yes to what it asks."""
        return self.run(*shlex.split(command)[1:], "--yes", "--skip-preview")

    def names(self) -> list[str]:
        """The last part of each URN in state."""
        return [str(r["urn"]).rpartition("::")[2] for r in self.stack.resources()]

    def resource(self, name: str) -> dict[str, Any]:
        return next(r for r in self.stack.resources() if str(r["urn"]).endswith(f"::{name}"))

    def is_as_found(self) -> bool:
        quantities = {"web": 2, "worker": 1}
        serving = not self.heroku.get(f"/apps/{self.name}")["maintenance"]
        return serving and self.heroku.quantities(self.name) == quantities

    def writes(self) -> list[str]:
        """Every request so far that was no reading, about this operator's app."""
        asked = [r for r in self.heroku.requests() if r["method"] != "GET"]
        return [f"{r['method']} {r['path']}" for r in asked]


@pytest.fixture
def operator_of(new_stack: Stack, heroku: LocalHeroku, tmp_path: Path) -> Callable[[dict[str, Any]], Operator]:
    """Makes an operator with a new stack for an app."""

    numbers = itertools.count(1)

    def make(app: dict[str, Any]) -> Operator:
        home = tmp_path / f"{app['name']}-{next(numbers)}"
        environment = {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(home / "changeover")}
        stack = Stack(new_stack.toolchain, project_in(home), home / "home", home / "state", environment)
        stack.create_like(new_stack)
        operator = Operator(stack, heroku, app)
        operator.config("app", app["name"])
        return operator

    return make


@pytest.fixture
def operator(operator_of: Callable[[dict[str, Any]], Operator], shop: dict[str, Any]) -> Operator:
    """An operator whose app serves on standard-0."""
    return operator_of(shop)
