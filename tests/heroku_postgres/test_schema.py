"""The component as other languages see it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from pulumi.provider.experimental.component import ComponentProvider

from heroku_postgres import Database, DatabaseArgs
from heroku_postgres.plugin import PACKAGE

README = Path(__file__).parents[2] / "README.md"


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


def test_the_readme_has_a_row_for_every_argument_and_every_output() -> None:
    rows = {line.split("|")[1].strip(" `") for line in README.read_text().splitlines() if line.startswith("| `")}

    assert set(DatabaseArgs.__annotations__) | set(Database.__annotations__) <= rows
