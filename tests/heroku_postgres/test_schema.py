"""The component as other languages see it."""

import json
import re
import tomllib
from typing import Any

import pytest
import yaml

from heroku_postgres import Database, DatabaseArgs
from heroku_postgres.plugin import Provider
from kit.checkout import ROOT
from kit.readme import table

ARGUMENTS = ("argument", "config key", "meaning")
"""The head of the README's table of them."""


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    """What the engine is told of the package."""
    return dict(json.loads(Provider().schema or ""))


@pytest.fixture(scope="module")
def resource(schema: dict[str, Any]) -> dict[str, Any]:
    """The component in it."""
    return dict(schema["resources"]["heroku-postgres:index:Database"])


def in_camel_case(names: dict[str, Any]) -> set[str]:
    return {re.sub(r"_(.)", lambda match: match[1].upper(), name) for name in names}


def types_of(properties: dict[str, Any]) -> dict[str, str]:
    return {
        name: f"{p['type']} of {p['items']['type']}" if p["type"] == "array" else p["type"]
        for name, p in properties.items()
    }


def descriptions_in(part: Any) -> list[str]:
    """Every description at any depth."""
    if isinstance(part, list):
        return [text for value in part for text in descriptions_in(value)]
    if not isinstance(part, dict):
        return []
    own = [part["description"]] if isinstance(part.get("description"), str) else []
    return own + descriptions_in(list(part.values()))


def test_the_schema_has_every_argument_with_its_type_and_a_description(resource: dict[str, Any]) -> None:
    arguments = resource["inputProperties"]

    assert {name for name, p in arguments.items() if p.get("description")} == in_camel_case(
        DatabaseArgs.__annotations__
    )
    assert types_of(arguments) == {
        "app": "string",
        "plan": "string",
        "apps": "array of string",
        "adopt": "string",
        "hold": "boolean",
        "windowBudget": "integer",
        "readyLimit": "integer",
        "oneOffDynos": "string",
        "verify": "string",
        "unloggedRows": "string",
    }
    assert resource["requiredInputs"] == ["app", "plan"]


def test_an_argument_takes_plain_values_only(resource: dict[str, Any]) -> None:
    assert [name for name, p in resource["inputProperties"].items() if not p.get("plain")] == []


def test_the_schema_has_every_output_with_its_type_and_a_description(resource: dict[str, Any]) -> None:
    outputs = resource["properties"]

    assert {name for name, p in outputs.items() if p.get("description")} == in_camel_case(Database.__annotations__)
    lists = {"retired", "teardown"}
    assert types_of(outputs) == {name: "array of string" if name in lists else "string" for name in outputs}
    assert resource["required"] == sorted(outputs)


def test_a_description_in_the_schema_is_one_line(schema: dict[str, Any]) -> None:
    descriptions = descriptions_in(schema)

    assert len(descriptions) > len(DatabaseArgs.__annotations__) + len(Database.__annotations__)
    assert [text for text in descriptions if text != " ".join(text.split())] == []


def test_the_schema_says_of_the_package_what_the_project_says(schema: dict[str, Any]) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

    assert schema["name"] == project["name"]
    assert schema["version"] == project["version"]
    assert schema["displayName"] == "Heroku Postgres"
    assert schema["description"] == project["description"]
    assert schema["license"] == project["license"]
    assert set(project["keywords"]) <= set(schema["keywords"])
    assert schema["repository"] == project["urls"]["Repository"]


def test_the_namespace_is_the_one_that_the_engine_would_take_from_the_address(schema: dict[str, Any]) -> None:
    """A package that is added by its address is then called as one that is added by its path or found on PATH."""
    owner = re.fullmatch(r"https://[^/]+/([a-z0-9-]+)/[^/]+", schema["repository"])

    assert owner
    assert schema["namespace"] == owner[1]


def test_the_engine_is_not_sent_elsewhere_for_code_to_run(schema: dict[str, Any]) -> None:
    assert "pluginDownloadURL" not in schema


@pytest.fixture
def config() -> dict[str, Any]:
    """The keys that Pulumi.yaml declares."""
    return dict(yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"])


def test_the_readme_has_a_row_for_every_argument_and_no_other(resource: dict[str, Any]) -> None:
    arguments = [row[0] for row in table(*ARGUMENTS)]

    assert arguments == list(DatabaseArgs.__annotations__)
    assert in_camel_case(dict.fromkeys(arguments)) == set(resource["inputProperties"])


def test_the_readme_has_a_row_for_every_output_and_no_other(resource: dict[str, Any]) -> None:
    outputs = [row[0] for row in table("output", "meaning")]

    assert outputs == list(Database.__annotations__)
    assert in_camel_case(dict.fromkeys(outputs)) == set(resource["properties"])


def test_the_config_keys_of_the_readme_are_those_of_the_project_and_of_the_arguments(config: dict[str, Any]) -> None:
    keys = {row[0]: row[1] for row in table(*ARGUMENTS)}

    assert list(keys.values()) == list(config)
    assert [in_camel_case({argument: None}) for argument in keys] == [{key} for key in keys.values()]


def test_the_seconds_that_the_readme_gives_as_defaults_are_those_of_the_project(config: dict[str, Any]) -> None:
    said = {key: meaning for _, key, meaning in table(*ARGUMENTS) if meaning.startswith("Seconds")}

    assert {key: meaning.rstrip(" .|").split()[-1] for key, meaning in said.items()} == {
        key: str(declared["default"]) for key, declared in config.items() if declared["type"] == "integer"
    }


def test_the_program_hands_on_every_argument() -> None:
    """It takes every key that there is an argument for; one that it did not hand on would be ignored in silence."""
    program = (ROOT / "stacks" / "__main__.py").read_text()

    assert [argument for argument in DatabaseArgs.__annotations__ if f'"{argument}"' not in program] == []
