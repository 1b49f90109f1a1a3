"""
A program of somebody's own: two databases among other resources, with what a program may do to a component.

One has a provider of the program's own, lies below a component of the program's own since its database was moved there
in config, and keeps its state by an alias; every resource goes through a transform.
"""

import pulumi
import pulumi_command as command
import pulumiverse_heroku as heroku

from heroku_postgres import Database, DatabaseArgs

config = pulumi.Config()
plan = config.require("plan")


def with_a_time_limit(args: pulumi.ResourceTransformArgs) -> pulumi.ResourceTransformResult:
    """As a company's platform team hands it down."""
    return pulumi.ResourceTransformResult(
        props=args.props,
        opts=pulumi.ResourceOptions.merge(
            args.opts, pulumi.ResourceOptions(custom_timeouts=pulumi.CustomTimeouts(create="24h"))
        ),
    )


pulumi.runtime.register_resource_transform(with_a_time_limit)


class Team(pulumi.ComponentResource):
    """What belongs together in this company."""

    def __init__(self, name: str) -> None:
        super().__init__("own:index:Team", name)


provider = heroku.Provider(
    "mine",
    timeouts=heroku.ProviderTimeoutsArgs(addon_create_timeout=1440),
    customizations=[heroku.ProviderCustomizationArgs(set_addon_config_vars_in_state=False)],
)
shop = Database("db", DatabaseArgs(app=config.require("app"), plan=plan, adopt=config.require("adopt")))
team = Team("team") if config.get_bool("teams") else None
audit = Database(
    "audit",
    DatabaseArgs(app=config.require("auditApp"), plan=plan, adopt=config.require("auditAdopt")),
    pulumi.ResourceOptions(
        providers=[provider],
        parent=team,
        aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)] if team else None,
    ),
)
settings = command.local.Command(
    "settings", create="cat", stdin=pulumi.Output.concat("PRIMARY=", shop.primary), triggers=[shop.primary]
)
cache = command.local.Command("cache", create="echo filled", opts=pulumi.ResourceOptions(depends_on=[shop, audit]))

pulumi.export("settings", settings.stdout)
pulumi.export("primaries", [shop.primary, audit.primary])
pulumi.export("teardown", pulumi.Output.all(shop.teardown, audit.teardown).apply(lambda both: [*both[0], *both[1]]))
