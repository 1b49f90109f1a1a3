"""The program: reads the stack's config, declares one database, exports what an operator asks for."""

import pulumi

from heroku_postgres import Database, DatabaseArgs

config = pulumi.Config()
args: DatabaseArgs = {
    "app": config.require("app"),
    "plan": config.require("plan"),
    "apps": config.get_object("apps") or [],
    "hold": config.get_bool("hold") or False,
    "window_budget": config.require_int("windowBudget"),
    "follower_limit": config.require_int("followerLimit"),
    "one_off_dynos": config.require("oneOffDynos"),
    "verify": config.require("verify"),
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
