"""The component: a Heroku Postgres database whose plan is one argument."""

from pathlib import Path

import pulumi
import pulumiverse_heroku as heroku

from heroku_postgres.alone import require_alone
from heroku_postgres.arguments import DatabaseArgs, wish_from
from heroku_postgres.declared import Decision
from heroku_postgres.generation import Generation, Shared
from heroku_postgres.looking import look_at_heroku
from heroku_postgres.outputs import id_of_primary, once, report_of_primary, teardowns
from heroku_postgres.program import search_folder
from heroku_postgres.refusal import decided, readable
from heroku_postgres.report import in_a_sentence
from heroku_postgres.said import say
from heroku_postgres.state import names_before, read_known
from heroku_postgres.urns import ADDON_TYPE, DATABASE_TYPE

STARTED_IN = Path.cwd()
"""Where the engine runs commands; a program may go elsewhere before it declares a database, and the steps do not."""

CREATE_MINUTES = 1440
"""Minutes for an add-on to be provisioned: a large follower takes hours, and a time-out leaves a billed orphan."""


class Database(pulumi.ComponentResource):
    """A Heroku Postgres database that changes its plan through a follower, with no committed write lost."""

    primary: pulumi.Output[str]
    """The name of the add-on that is DATABASE when the run has ended well."""

    primary_id: pulumi.Output[str]
    """The UUID of that add-on, which stays when it is renamed."""

    plan: pulumi.Output[str]
    """The plan that the primary is on, without the name of the service."""

    retired: pulumi.Output[list[str]]
    """Earlier databases that are kept and paid for until they are torn down; read-only, unless `verify` was `api`."""

    teardown: pulumi.Output[list[str]]
    """For each retired database the exact command that removes it, after a live proof that nothing uses it."""

    summary: pulumi.Output[str]
    """One sentence on where the database is."""

    last_changeover: pulumi.Output[str]
    """One sentence on the last changeover: how long maintenance lasted, what was proved; empty before the first one."""

    report: pulumi.Output[str]
    """
    All of the last changeover as one line of JSON: how each app was found, a clock reading at each moment, what was
    locked, alarms; empty before the first one.
    """

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """
        A Database that the stack does not have, or has under another name, is registered only when nothing speaks
        against it. If one that was refused were registered, the state would have it under its new name, and the engine
        would follow no alias any more.
        """
        with readable():
            wish, before = wish_from(name, args), names_before(opts)
            search = search_folder(STARTED_IN, pulumi.get_root_directory())
            known = read_known((name, *before))
            with look_at_heroku(wish, known) as seen:
                if before or not known.generations:
                    decided(wish, seen(), known)
                super().__init__(DATABASE_TYPE, name, {}, opts)
                provider = self.get_provider(ADDON_TYPE) or self._make_provider(name, before)
                facts = seen()
            require_alone(wish, facts.app.id)
            decision = decided(wish, facts, known)
        generations = self._declare(decision, Shared(wish, before, facts.app.id, search), provider)
        self._depend_on(generations[decision.primary])
        self._set_outputs(decision, generations)
        say(self, decision, generations)
        self.register_outputs({output: getattr(self, output) for output in Database.__annotations__})

    def _make_provider(self, name: str, before: tuple[str, ...]) -> heroku.Provider:
        """
        A provider process of its own: one process creates add-ons strictly one after the other, and holds its lock
        meanwhile.

        Its token and address come from the environment, so that neither enters the state.
        """
        return heroku.Provider(
            f"{name}-heroku",
            timeouts=heroku.ProviderTimeoutsArgs(addon_create_timeout=CREATE_MINUTES),
            customizations=[heroku.ProviderCustomizationArgs(set_addon_config_vars_in_state=False)],
            opts=pulumi.ResourceOptions(
                parent=self, protect=False, aliases=[pulumi.Alias(name=f"{one}-heroku") for one in before]
            ),
        )

    def _declare(self, decision: Decision, shared: Shared, provider: pulumi.ProviderResource) -> dict[str, Generation]:
        options = pulumi.ResourceOptions(parent=self, providers=[provider], protect=False)
        return {one.addon: Generation(shared, one, options) for one in decision.generations}

    def _depend_on(self, primary: Generation) -> None:
        """
        What depends on the database waits for its primary alone. Tied to a database that is kept as well, it would have
        to go whenever that one is torn down.

        Pulumi's SDK takes `depends_on` a component for `depends_on` its children, and these it finds nowhere else.
        """
        self._childResources = {
            child for child in self._childResources if child is primary or not isinstance(child, type(primary))
        }

    def _set_outputs(self, decision: Decision, generations: dict[str, Generation]) -> None:
        """Each tells what is so: a run that does not reach the end leaves what was true before."""
        now, last = decision.until_then or decision, generations[decision.primary].last
        self.primary = once(last, decision.primary, now.primary)
        self.primary_id = once(last, id_of_primary(decision, generations), id_of_primary(now, generations))
        self.plan = once(last, decision.plan, now.plan)
        self.retired = once(last, list(decision.retired), list(now.retired))
        self.teardown = once(last, teardowns(decision, generations), teardowns(now, generations))
        self.summary = once(last, decision.outcome, now.outcome)
        self.report = once(last, report_of_primary(decision, generations), report_of_primary(now, generations))
        self.last_changeover = self.report.apply(in_a_sentence)
