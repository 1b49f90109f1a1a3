"""A program in TypeScript, outside of this repository: the SDK that is made for it, its types, and a whole way."""

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from local_heroku.launcher import LocalHeroku
from toolchain import Stack

from .conftest import Operator
from .packages import INTERNAL, Added, add_package, added_once, copy_repository, shared_folder, somebody_with, tear_down

pytestmark = [pytest.mark.engine, pytest.mark.timeout(600)]

COMPILER = ("node_modules/.bin/tsc", "--noEmit", "--strict", "--skipLibCheck", "--module", "nodenext")
COMPILE_SECONDS = 120.0
WRONG = """\
import { Database } from "@heroku-postgres/heroku-postgres";

new Database("db", { app: "shop", plan: 2 });
"""
AGAINST_THE_TYPES = """\
import * as pulumi from "@pulumi/pulumi";
import { Database } from "@heroku-postgres/heroku-postgres";

const stash = new pulumi.Stash("stash", { input: "standard-2" });
new Database("db", { app: "shop", plan: stash.output as any, windowBuget: 3 } as any);
"""


def needs(*programs: str) -> None:
    """Fails where the machine lacks what a user of TypeScript has."""
    missing = [one for one in programs if not shutil.which(one)]
    assert not missing, f"{', '.join(missing)} not on PATH: install Node.js 20 or newer with npm, then run this again"


@pytest.fixture(scope="session")
def added(tmp_path_factory: pytest.TempPathFactory, new_stack: Stack) -> Added:
    """The package added by path to a program in TypeScript; with that, npm installs what the program names."""
    if not (new_stack.toolchain.folder / "pulumi-language-nodejs").exists():
        pytest.skip(f"the {new_stack.toolchain.origin} toolchain has no language host of Node.js")
    needs("node", "npm")
    folder = shared_folder(tmp_path_factory) / "typescript"

    def add(stack: Stack) -> str:
        copy_repository(folder / "heroku-postgres")
        return add_package(stack, "../heroku-postgres/plugin")

    return added_once(folder, "typescript", add)


@pytest.fixture
def operator(added: Added, heroku: LocalHeroku, shop: dict[str, Any], tmp_path: Path) -> Operator:
    """Somebody with the program and a new stack."""
    return somebody_with(added, heroku, shop, tmp_path)


def compiled(added: Added, file: str | Path) -> "subprocess.CompletedProcess[str]":
    """What the compiler says of a file of the program."""
    words = (*COMPILER, str(file))
    folder = added.stack.project
    return subprocess.run(words, cwd=folder, capture_output=True, text=True, timeout=COMPILE_SECONDS, check=False)


def test_the_sdk_compiles_and_is_imported_by_the_name_that_adding_it_says(added: Added) -> None:
    assert (added.stack.project / "node_modules/@heroku-postgres/heroku-postgres/bin/database.d.ts").is_file()
    assert 'import * as herokuPostgres from "@heroku-postgres/heroku-postgres"' in added.said


def test_the_types_know_every_argument_and_output_and_nothing_else(added: Added) -> None:
    said = compiled(added, "types.ts")

    assert said.returncode == 0, said.stdout


def test_the_compiler_names_what_is_of_another_type(added: Added) -> None:
    wrong = added.stack.project / "wrong.ts"
    wrong.write_text(WRONG)
    said = compiled(added, wrong)

    assert said.returncode != 0
    assert "Type 'number' is not assignable to type 'string'" in said.stdout


def test_a_program_adopts_moves_and_tears_down(operator: Operator) -> None:
    before = operator.writes()
    operator.up()
    assert operator.writes() == before
    operator.change_while_somebody_writes()
    reader = operator.resource("reader")["inputs"]["input"]
    operator.up("--expect-no-changes")
    tear_down(operator)

    assert operator.heroku.primary(operator.name) == reader
    assert operator.heroku.call("GET", f"/addons/{operator.app['addon']}")[0] == 404
    assert {"reader", "after"} <= set(operator.names())
    operator.up("--expect-no-changes")


def test_a_refusal_is_a_sentence(operator: Operator) -> None:
    (operator.stack.project / "index.ts").write_text(AGAINST_THE_TYPES)
    refused = str(operator.preview(code=1))

    assert "plan: is an output or a secret, which is known only while" in refused
    assert [one for one in INTERNAL if one in refused] == []


def test_findings_are_sentences(operator: Operator) -> None:
    operator.config("plan", "standard-99")
    refused = str(operator.preview(code=1))

    assert "Heroku Postgres has no plan standard-99" in refused
    assert [one for one in INTERNAL if one in refused] == []
