"""
The component as a plugin, for programs in other languages: the engine finds `pulumi-resource-heroku-postgres` on PATH.
"""

from importlib.metadata import version

from pulumi.provider.experimental import component_provider_host

from heroku_postgres.database import Database

PACKAGE = "heroku-postgres"


def main() -> None:
    """Serves the component until the engine ends."""
    component_provider_host(components=[Database], name=PACKAGE, version=version(PACKAGE))
