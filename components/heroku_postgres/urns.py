"""The types of resources by which Pulumi knows this component and its parts, as they stand in a URN."""

DATABASE_TYPE = "heroku-postgres:index:Database"
GENERATION_TYPE = "heroku-postgres:index:Generation"
ADDON_TYPE = "heroku:addon/addon:Addon"

GENERATION_IN_A_DATABASE = f"{DATABASE_TYPE}${GENERATION_TYPE}"
COMMAND_IN_A_GENERATION = f"{GENERATION_IN_A_DATABASE}$command:local:Command"
"""A URN has the types of all parents before a resource's own, with a dollar sign between them."""
