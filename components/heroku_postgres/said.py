"""What a run says while it is previewed and carried out: warnings, and the runbook."""

import pulumi
from pulumi.runtime import settings

from heroku_postgres.declared import Decision
from heroku_postgres.generation import Generation

ONE_AT_A_TIME = (
    "[parallel] `--parallel 1` has everything else in the stack wait its turn between two steps, while the apps are in "
    "maintenance mode, another database's changeover too: leave that option out"
)


def say(component: pulumi.Resource, decision: Decision, generations: dict[str, Generation]) -> None:
    """What a reviewer has to read; a settled run without findings says nothing."""
    for finding in decision.findings:
        pulumi.warn(str(finding), component)
    if decision.runbook and decision.until_then and settings.SETTINGS.parallel == 1:
        pulumi.warn(ONE_AT_A_TIME, component)
    if decision.runbook:
        _removal(decision, generations).apply(lambda commands: pulumi.info(_told(decision, commands), component))


def _removal(decision: Decision, generations: dict[str, Generation]) -> pulumi.Output[list[str]]:
    """What removes the database that this run leaves; of those that it left before, the outputs tell."""
    left = [generations[decision.until_then.primary].teardown] if decision.until_then else []
    return pulumi.Output.all(*left).apply(list)


def _told(decision: Decision, teardown: list[str]) -> str:
    """The runbook, with the commands that remove what is kept: a stack output would be cut off on the terminal."""
    lines = [f"{decision.summary}:", *decision.runbook]
    return "\n".join([*lines, *(f"   {command}" for command in teardown)])
