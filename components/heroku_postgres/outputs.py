"""What each output of a Database is made from, and when it comes true."""

from typing import TypeVar, cast

import pulumi

from heroku_postgres.declared import Decision
from heroku_postgres.generation import Generation

T = TypeVar("T")


def id_of_primary(decision: Decision, generations: dict[str, Generation]) -> pulumi.Input[str]:
    primary = generations.get(decision.primary)
    return primary.database_id if primary else ""


def report_of_primary(decision: Decision, generations: dict[str, Generation]) -> pulumi.Output[str]:
    """The window document of the changeover that made it DATABASE; empty where there was none."""
    primary = generations.get(decision.primary)
    return (primary.report if primary else None) or pulumi.Output.from_input("")


def teardowns(decision: Decision, generations: dict[str, Generation]) -> pulumi.Output[list[str]]:
    return pulumi.Output.all(*(generations[addon].teardown for addon in decision.retired)).apply(list)


def once(last: pulumi.CustomResource, then: pulumi.Input[T], until_then: pulumi.Input[T]) -> pulumi.Output[T]:
    """
    What is true once the resource `last` is there. What reads it runs after that resource, and not at all if it fails.

    Some runs never come to that resource: they have another target, or they go on after a failure. They tell what is
    true until then, and no reader of it depends on the resource. If one did, the engine would refuse to run it, or
    would write a state that it cannot read afterwards. A preview tells what will be true.
    """
    reached, before = pulumi.Output.from_input(then), pulumi.Output.from_input(until_then)

    async def there() -> bool:
        return pulumi.runtime.is_dry_run() or await last.id.is_known()

    async def ties() -> set[pulumi.Resource]:
        return {last} if await there() else set()

    async def value() -> T:
        return cast("T", await (reached if await there() else before).future())

    async def known() -> bool:
        return not pulumi.runtime.is_dry_run() or await reached.is_known()

    return pulumi.Output(ties(), value(), known())
