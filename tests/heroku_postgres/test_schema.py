"""The component as other languages see it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from pulumi.provider.experimental.component import ComponentProvider

from heroku_postgres import Database, DatabaseArgs
from heroku_postgres.plugin import PACKAGE

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def resource() -> dict[str, Any]:
    """The component in the schema that the engine infers."""
    schema = json.loads(ComponentProvider([Database], PACKAGE).schema or "")
    return dict(schema["resources"]["heroku-postgres:index:Database"])


def in_camel_case(names: dict[str, Any]) -> set[str]:
    return {re.sub(r"_(.)", lambda match: match[1].upper(), name) for name in names}


def test_the_schema_has_every_argument_with_a_description(resource: dict[str, Any]) -> None:
    described = {name for name, p in resource["inputProperties"].items() if p.get("description")}

    assert described == in_camel_case(DatabaseArgs.__annotations__)
    assert resource["requiredInputs"] == ["app", "plan"]


def test_the_schema_has_every_output_with_a_description(resource: dict[str, Any]) -> None:
    described = {name for name, p in resource["properties"].items() if p.get("description")}

    assert described == in_camel_case(Database.__annotations__)


def rows_under(heading: str) -> list[list[str]]:
    """The cells of the table of a section of the README, without its head."""
    section = (ROOT / "README.md").read_text().split(f"\n## {heading}\n")[1].split("\n## ")[0]
    lines = [line.strip("|").split(" | ") for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip(" `") for cell in cells] for cells in lines[2:]]


@pytest.fixture
def config() -> dict[str, Any]:
    """The keys that Pulumi.yaml declares."""
    return dict(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"])


def test_the_readme_has_a_row_for_every_argument_and_no_other(resource: dict[str, Any]) -> None:
    arguments = [row[0] for row in rows_under("Arguments")]

    assert arguments == list(DatabaseArgs.__annotations__)
    assert in_camel_case(dict.fromkeys(arguments)) == set(resource["inputProperties"])


def test_the_readme_has_a_row_for_every_output_and_no_other(resource: dict[str, Any]) -> None:
    outputs = [row[0] for row in rows_under("Outputs")]

    assert outputs == list(Database.__annotations__)
    assert in_camel_case(dict.fromkeys(outputs)) == set(resource["properties"])


def test_the_config_keys_of_the_readme_are_those_of_the_project_and_of_the_arguments(config: dict[str, Any]) -> None:
    keys = {row[0]: row[1] for row in rows_under("Arguments")}

    assert list(keys.values()) == list(config)
    assert [in_camel_case({argument: None}) for argument in keys] == [{key} for key in keys.values()]


def test_the_seconds_that_the_readme_gives_as_defaults_are_those_of_the_project(config: dict[str, Any]) -> None:
    said = {key: meaning for _, key, meaning in rows_under("Arguments") if meaning.startswith("Seconds")}

    assert {key: meaning.rstrip(" .|").split()[-1] for key, meaning in said.items()} == {
        key: str(declared["default"]) for key, declared in config.items() if declared["type"] == "integer"
    }
