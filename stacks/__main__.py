"""The program: reads the stack's config, declares one database, exports what an operator asks for."""

import pulumi
from pulumi.runtime import get_config_env

from heroku_postgres import Database, DatabaseArgs
from heroku_postgres.arguments import config_key

KEYS = sorted(config_key(argument) for argument in DatabaseArgs.__annotations__)


def refuse_unknown_keys() -> None:
    """The engine takes any key, so that a misspelt one would leave the default in force and say nothing."""
    project = f"{pulumi.get_project()}:"
    own = [key.removeprefix(project) for key in get_config_env() if key.startswith(project)]
    if unknown := sorted(set(own) - set(KEYS)):
        raise pulumi.RunError(f"config {', '.join(unknown)}: there is no such key; there are {', '.join(KEYS)}")


refuse_unknown_keys()
config = pulumi.Config()
args: DatabaseArgs = {
    "app": config.require("app"),
    "plan": config.require("plan"),
    "apps": config.get_object("apps") or [],
    "hold": config.get_bool("hold") or False,
    "window_budget": config.require_int("windowBudget"),
    "ready_limit": config.require_int("readyLimit"),
    "one_off_dynos": config.require("oneOffDynos"),
    "verify": config.require("verify"),
    "unlogged_rows": config.require("unloggedRows"),
}
if adopt := config.get("adopt"):
    args["adopt"] = adopt

database = Database("db", args)

pulumi.export("primary", database.primary)
pulumi.export("plan", database.plan)
pulumi.export("retired", database.retired)
pulumi.export("teardown", database.teardown)
pulumi.export("summary", database.summary)
pulumi.export("last_changeover", database.last_changeover)
