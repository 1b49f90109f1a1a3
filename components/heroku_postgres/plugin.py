"""
The component as a plugin, for programs in other languages: the engine finds `pulumi-resource-heroku-postgres` on PATH,
or starts what is in the folder `plugin` of the repository.
"""

import json
import sys
from importlib.metadata import PackageMetadata, metadata
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pulumi
from pulumi.errors import InputPropertiesError
from pulumi.provider import ConstructResult
from pulumi.provider import main as serve
from pulumi.provider.experimental.analyzer import ComponentDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.server import ComponentInitError
from pulumi.runtime import settings

from heroku_changeover.terms.errors import ChangeoverError
from heroku_postgres import alone
from heroku_postgres.database import Database

PACKAGE = "heroku-postgres"


class Provider(ComponentProvider):
    """Makes databases for programs in other languages, and tells them what one is."""

    def __init__(self) -> None:
        package = metadata(PACKAGE)
        owner = urlsplit(_repository(package)).path.split("/")[1]
        super().__init__([Database], PACKAGE, namespace=owner, version=package["Version"])
        inferred = json.loads(self.schema or "", object_hook=_with_description_in_one_line)
        self.schema = json.dumps({**inferred, **_about(package)})

    def construct(
        self,
        name: str,
        resource_type: str,
        inputs: pulumi.Inputs,
        options: pulumi.ResourceOptions | None = None,
    ) -> ConstructResult:
        """
        A database, declared as a program in Python declares it.

        Raises:
            InputPropertiesError: why it was refused, which the user reads without a traceback.
            ComponentInitError: an error of ours, with its traceback.
        """
        # The engine starts a plugin where it runs commands, and does not tell it where the project is.
        settings.SETTINGS.root_directory = settings.SETTINGS.root_directory or str(Path.cwd())
        try:
            return super().construct(name, resource_type, inputs, options)
        except ComponentInitError as error:
            if isinstance(error.inner, pulumi.RunError | ChangeoverError):
                raise InputPropertiesError(str(error.inner), []) from error
            raise

    def map_inputs(self, inputs: pulumi.Inputs, component_def: ComponentDefinition) -> pulumi.Inputs:
        """
        All arguments, by their names in Python.

        The component tells at once all that is missing, misspelt or of another type; the SDK would leave out what it
        does not know, and stop at the first that is wrong.
        """
        return {component_def.inputs_mapping.get(name, name): value for name, value in inputs.items()}


def _with_description_in_one_line(part: dict[str, Any]) -> dict[str, Any]:
    """A part of the schema; the SDK leaves a docstring as it is indented in the source."""
    if isinstance(part.get("description"), str):
        part["description"] = " ".join(part["description"].split())
    return part


def _about(package: PackageMetadata) -> dict[str, Any]:
    """
    What the schema says of the package, from its metadata, so that each is written in one place.

    It does not say where to download the package. The engine adds that itself: the address from which it got the
    package. One that is written here would send the users of a fork or a mirror to another place for code to run.
    """
    return {
        "displayName": PACKAGE.replace("-", " ").title(),
        "description": package["Summary"],
        "license": package["License-Expression"],
        "keywords": [*package["Keywords"].split(","), "category/database", "kind/component"],
        "repository": _repository(package),
    }


def _repository(package: PackageMetadata) -> str:
    """Where the source is, `https://<host>/<owner>/<repository>`."""
    urls = dict(str(line).split(", ", 1) for line in package.get_all("Project-URL") or ())
    return urls["Repository"]


def main() -> None:
    """Serves the component until the engine ends."""
    alone.ONE_RUN = provider = Provider()
    serve(provider, sys.argv[1:])
