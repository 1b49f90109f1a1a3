"""One generation of a database: its add-on, its retire guard, and the steps that made it the primary."""

from collections.abc import Awaitable
from typing import NamedTuple, cast

import pulumi
import pulumi_command as command
import pulumiverse_heroku as heroku

from heroku_changeover.terms.command import (
    URN_VARIABLE,
    WINDOW_VARIABLE,
    guard_arguments,
    open_urn,
    shell_text,
    step_arguments,
    teardown_text,
)
from heroku_changeover.terms.facts import SERVICE
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.window import short_enough
from heroku_changeover.ways.listed import way_named
from heroku_postgres.declared import Declared
from heroku_postgres.urns import GENERATION_TYPE
from heroku_postgres.wish import Wish

COMMAND_INPUTS = ["create", "delete", "dir", "environment", "interpreter", "logging", "stdin", "triggers", "update"]
"""Every input of a Command: a step runs once in its life, whatever its text becomes later."""


class Shared(NamedTuple):
    """
    What all generations of a Database share.

    `before` are the names that the Database had before this one; `app_id` is the UUID of the app that pays; `search` is
    the folder with the program of the steps, as a shell text has it.
    """

    wish: Wish
    before: tuple[str, ...]
    app_id: str
    search: str


class Generation(pulumi.ComponentResource):
    """An add-on with what belongs to it."""

    database_id: pulumi.Output[str]
    """The UUID of the add-on; it is an output in the state, so that later runs find the add-on under any name."""

    report: pulumi.Output[str] | None
    """What its restore step printed, None where it has no such step."""

    teardown: pulumi.Output[str]
    """The command that removes it and nothing else."""

    last: pulumi.CustomResource
    """Its restore step, which is the last to be carried out; its add-on where it has no such step."""

    def __init__(self, shared: Shared, declared: Declared, opts: pulumi.ResourceOptions) -> None:
        wish, number = shared.wish, declared.number
        self._name, self._before = f"{wish.name}-{number}", [f"{name}-{number}" for name in shared.before]
        aliases = pulumi.ResourceOptions(aliases=self._earlier())
        super().__init__(GENERATION_TYPE, self._name, {}, pulumi.ResourceOptions.merge(opts, aliases))
        self._wish, self._declared, self._search, self._app_id = wish, declared, shared.search, shared.app_id
        self._addon = self._make_addon()
        self.database_id = self._addon.id
        self._place = _untied(self.urn).apply(open_urn)
        guard = self._make_guard()
        steps = self._make_steps(guard)
        restore = steps.get(STEPS[-1])
        self.report = restore.stdout if restore else None
        self.last = restore or self._addon
        self.teardown = self.urn.apply(lambda urn: teardown_text(urn, steps, declared.addon))
        self.register_outputs({"database_id": self.database_id, "app_id": self._app_id})

    def _earlier(self, part: str = "") -> list[pulumi.Input[str | pulumi.Alias]]:
        """
        What a part of this generation, or this generation itself, was called while the Database had another name.

        The engine derives such aliases by itself, but only until the Database is in the state under its new name. A run
        that broke after that has left parts under their old names.
        """
        return [pulumi.Alias(name=f"{name}{part}") for name in self._before]

    def _make_addon(self) -> heroku.addon.Addon:
        """
        The leader is a plain string: an Output of the old add-on would tie the old one to the new one for good.

        It is retained whatever happens to the resource, a replacement included: only its guard deletes a database.
        """
        declared = self._declared
        return heroku.addon.Addon(
            f"{self._name}-database",
            app_id=self._app_id,
            name=declared.addon,
            plan=f"{SERVICE}:{declared.plan}",
            config={"follow": declared.follow} if declared.follow else None,
            opts=pulumi.ResourceOptions(
                parent=self,
                aliases=self._earlier("-database"),
                import_=declared.import_id,
                ignore_changes=["config"],
                protect=declared.protect,
                retain_on_delete=True,
            ),
        )

    def _make_guard(self) -> command.local.Command:
        """
        Created before any step, so that no moment of a changeover is without it; deleted before its add-on.

        Its environment follows the program, so that it knows where it is after a rename of the component.
        """
        options = self._command_options("-retire-guard", [self._addon])
        options.ignore_changes = [key for key in COMMAND_INPUTS if key != "environment"]
        return command.local.Command(
            f"{self._name}-retire-guard",
            delete=self._guard_text(only_prove=False),
            environment={URN_VARIABLE: self._place},
            logging=command.local.Logging.STDERR,
            opts=options,
        )

    def _guard_text(self, *, only_prove: bool) -> pulumi.Output[str]:
        """Which add-on it is about stands in it for good, by its UUID."""

        def text(database_id: str) -> str:
            arguments = guard_arguments(self._app_id, database_id, self._declared.addon, only_prove=only_prove)
            return self._text(arguments)

        return _untied(self.database_id).apply(text)

    def _make_steps(self, guard: command.local.Command) -> dict[str, command.local.Command]:
        """The steps in a chain; each one gets the window document that the one before it printed."""
        steps: dict[str, command.local.Command] = {}
        before, window = guard, None
        for step in self._declared.steps:
            before = steps[step] = self._make_step(step, before, window)
            window = before.stdout.apply(short_enough)
        return steps

    def _make_step(
        self, step: str, before: command.local.Command, window: pulumi.Output[str] | None
    ) -> command.local.Command:
        """Restore carries the guard too, so that a refusal comes before anything else of its generation goes."""
        return command.local.Command(
            f"{self._name}-{step}",
            create=self._text(step_arguments(step, self._order())),
            delete=self._guard_text(only_prove=True) if step == "restore" else None,
            environment={URN_VARIABLE: self._place, **({WINDOW_VARIABLE: window} if window is not None else {})},
            logging=command.local.Logging.STDERR,
            opts=self._command_options(f"-{step}", [before]),
        )

    def _command_options(self, part: str, after: list[pulumi.Resource]) -> pulumi.ResourceOptions:
        """
        Not as the parent's: a step that is protected could never go, and of one that is retained no guard would run.

        One that is to be replaced goes before its successor comes, so that a guard that refuses leaves all as it was.
        """
        return pulumi.ResourceOptions(
            parent=self,
            aliases=self._earlier(part),
            depends_on=after,
            ignore_changes=COMMAND_INPUTS,
            delete_before_replace=True,
            protect=False,
            retain_on_delete=False,
        )

    def _text(self, arguments: list[str]) -> str:
        return shell_text(arguments, self._search)

    def _order(self) -> Order:
        wish, declared = self._wish, self._declared
        return Order(
            generation=self._name,
            apps=wish.apps,
            leader=declared.leader or "",
            target=declared.addon,
            way=declared.way,
            budget=wish.window_budget or way_named(declared.way).budget,
            ready_limit=wish.ready_limit,
            one_off_dynos=wish.one_off_dynos,
            verify=wish.verify,
            unlogged_rows=wish.unlogged_rows,
        )


def _untied(output: pulumi.Output[str]) -> pulumi.Output[str]:
    """
    The value alone, without the dependency on the resource that it comes from.

    A child that depends on its own component depends on all the children of that, so it would wait for itself. A
    command that depends on the add-on would be replaced whenever the add-on is.
    """
    return pulumi.Output(set(), cast("Awaitable[str]", output.future()), output.is_known())
