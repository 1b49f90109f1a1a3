"""The component: a Heroku Postgres database whose plan is one argument."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, NotRequired, TypedDict, TypeVar, cast
from weakref import WeakKeyDictionary

import pulumi
from pulumi.runtime import settings
from pulumi.runtime.sync_await import _sync_await

from heroku_changeover.reach.look import look, name_of_app
from heroku_changeover.terms.errors import ChangeoverError, NoToken, Refused
from heroku_postgres.known import Known, names_before, read_known
from heroku_postgres.program import search_folder
from heroku_postgres.report import in_a_sentence
from heroku_postgres.wish import Wish, wish_from

if TYPE_CHECKING:
    import pulumiverse_heroku as heroku

    from heroku_changeover.terms.facts import Facts
    from heroku_postgres.declared import Decision
    from heroku_postgres.generation import Generation

T = TypeVar("T")

TOKEN = "heroku-postgres:index:Database"  # noqa: S105 - a Pulumi type token
ADDON_TYPE = "heroku:addon/addon:Addon"
STARTED_IN = Path.cwd()
"""Where the engine runs commands; a program may go elsewhere before it declares a database, and the steps do not."""
CREATE_MINUTES = 1440
"""Minutes for an add-on to be provisioned: a large follower takes hours, and a time-out leaves a billed orphan."""

ONE_AT_A_TIME = (
    "[parallel] `--parallel 1` has everything else in the stack wait its turn between two steps, while the apps are in "
    "maintenance mode, another database's changeover too: leave that option out"
)


class DatabaseArgs(TypedDict):
    """What a database is to be."""

    app: str
    """The app whose DATABASE it is, and that pays for it; its name, not its id."""

    plan: str
    """The plan it is to be on, such as `standard-2`; changing it is what starts a changeover."""

    apps: NotRequired[list[str]]
    """Further apps that have the same database attached as DATABASE; all of them move together."""

    adopt: NotRequired[str]
    """
    The name of the add-on that is DATABASE today, such as `postgresql-round-12345`; without it, an app that has none
    gets a fresh one.
    """

    hold: NotRequired[bool]
    """
    True prepares a wanted changeover (the follower is made and catches up) and stops before anything that users notice.
    """

    window_budget: NotRequired[int]
    """Seconds from maintenance mode to unfollow, after which everything is put back; 300 by default, 3600 at most."""

    follower_limit: NotRequired[int]
    """
    Seconds that the follower may take to catch up before the run gives up, with nothing changed; 86400 (a day) by
    default.
    """

    one_off_dynos: NotRequired[str]
    """
    What happens to one-off dynos in the window: `wait` (the default) lets them end within the budget, `stop` stops
    them.
    """

    verify: NotRequired[str]
    """
    How it is made sure that nothing is lost: `sql` (the default) fences and proves; `api` trusts Heroku's figure
    where SQL cannot reach.
    """


class Database(pulumi.ComponentResource):
    """A Heroku Postgres database that changes its plan through a follower, with no committed write lost."""

    primary: pulumi.Output[str]
    """The name of the add-on that is DATABASE when the run has ended well."""

    primary_id: pulumi.Output[str]
    """The UUID of that add-on, which stays when it is renamed."""

    plan: pulumi.Output[str]
    """The plan that the primary is on, without the name of the service."""

    retired: pulumi.Output[list[str]]
    """The names of earlier databases that are kept, read-only and paid for, until they are torn down."""

    teardown: pulumi.Output[list[str]]
    """For each retired database the exact command that removes it, after a live proof that nothing uses it."""

    summary: pulumi.Output[str]
    """One sentence on where the database is."""

    last_changeover: pulumi.Output[str]
    """One sentence on the last changeover: how long maintenance lasted, what was proved; empty before the first one."""

    report: pulumi.Output[str]
    """
    All of the last changeover as one line of JSON: how each app was found, a clock reading at each act, what was
    locked, alarms; empty before the first one.
    """

    def __init__(self, name: str, args: DatabaseArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """
        A Database that the stack does not have, or has under another name, is registered only when nothing speaks
        against it: one that was refused would be in the state under its new name, and the engine would follow no alias.
        """
        with _readable(), ThreadPoolExecutor(1) as pool:
            wish = wish_from(name, args)
            search = search_folder(STARTED_IN, pulumi.get_root_directory())
            before = tuple(names_before((opts.aliases if opts else None) or ()))
            known = _sync_await(read_known((name, *before)))
            looking = pool.submit(_look, wish, known)
            if before or not known.generations:
                _decision(wish, _seen(looking), known)
            super().__init__(TOKEN, name, {}, opts)
            provider = self.get_provider(ADDON_TYPE) or self._make_provider(name, before)
            facts = _seen(looking)
            _require_alone(wish, facts.app.id)
        decision = _decision(wish, facts, known)
        options = pulumi.ResourceOptions(parent=self, providers=[provider], protect=False)
        generations = _declare(wish, before, facts.app.id, decision, search, options)
        self._depend_on(generations[decision.primary])
        self._set_outputs(decision, generations)
        self._say(decision, generations)
        self.register_outputs(
            {
                "primary": self.primary,
                "primary_id": self.primary_id,
                "plan": self.plan,
                "retired": self.retired,
                "teardown": self.teardown,
                "summary": self.summary,
                "last_changeover": self.last_changeover,
                "report": self.report,
            }
        )

    def _depend_on(self, primary: "Generation") -> None:
        """
        What depends on the database waits for its primary alone; the state would tie it to a database that is kept as
        well, and then that one could not be torn down without it.

        By its children Pulumi's SDK knows what `depends_on` means for a component; it has no other word for that.
        """
        self._childResources = {
            child for child in self._childResources if child is primary or not isinstance(child, type(primary))
        }

    def _say(self, decision: "Decision", generations: "dict[str, Generation]") -> None:
        """What a reviewer has to read; a settled run without findings says nothing."""
        for finding in decision.findings:
            pulumi.warn(str(finding), self)
        if decision.runbook and decision.until_then and settings.SETTINGS.parallel == 1:
            pulumi.warn(ONE_AT_A_TIME, self)
        if decision.runbook:
            _removal(decision, generations).apply(lambda commands: pulumi.info(_told(decision, commands), self))

    def _make_provider(self, name: str, before: tuple[str, ...]) -> "heroku.Provider":
        """
        A provider process of its own: one process creates add-ons strictly one after the other, and holds its lock
        meanwhile.

        Its token and address come from the environment, so that neither enters the state.
        """
        import pulumiverse_heroku as heroku

        return heroku.Provider(
            f"{name}-heroku",
            timeouts=heroku.ProviderTimeoutsArgs(addon_create_timeout=CREATE_MINUTES),
            customizations=[heroku.ProviderCustomizationArgs(set_addon_config_vars_in_state=False)],
            opts=pulumi.ResourceOptions(
                parent=self, protect=False, aliases=[pulumi.Alias(name=f"{one}-heroku") for one in before]
            ),
        )

    def _set_outputs(self, decision: "Decision", generations: "dict[str, Generation]") -> None:
        """Each tells what is so: a run that does not reach the end leaves what was true before."""
        now, last = decision.until_then or decision, generations[decision.primary].last
        self.primary = _once(last, decision.primary, now.primary)
        self.primary_id = _once(last, _id_of(decision, generations), _id_of(now, generations))
        self.plan = _once(last, decision.plan, now.plan)
        self.retired = _once(last, list(decision.retired), list(now.retired))
        self.teardown = _once(last, _teardowns(decision, generations), _teardowns(now, generations))
        self.summary = _once(last, decision.outcome, now.outcome)
        self.report = _once(last, _report(decision, generations), _report(now, generations))
        self.last_changeover = self.report.apply(in_a_sentence)


@contextmanager
def _readable() -> Iterator[None]:
    """
    What is wrong, as Pulumi shows it: without the way through our code.

    Raises:
        pulumi.RunError: lists all that is wrong with the arguments, or says why Heroku could not be asked.
    """
    try:
        yield
    except NoToken as error:
        raise pulumi.RunError(f"{error}{_unread_token()}") from error
    except ChangeoverError as error:
        raise pulumi.RunError(str(error)) from error


def _unread_token() -> str:
    """A token in config would have to be handed to each step, and so be in the state; most people keep it there."""
    if pulumi.Config("heroku").get("apiKey") is None:
        return ""
    return ". The one in config `heroku:apiKey` is not read: steps get theirs from the environment, and no state has it"


def _seen(looking: "Future[Facts]") -> "Facts":
    """
    What the look brings; while Heroku answers, the libraries are loaded of what decides and declares, and the engine
    starts the provider's plugin.

    A program that waits sends nothing to the engine. Pulumi's own synchronous invokes wait as this does: what was
    registered goes out meanwhile, and what belongs to the component is complete when its constructor returns, as
    `depends_on` needs it; in an `apply` it would not be.

    Raises:
        ChangeoverError: Heroku could not be asked, or what it answered cannot be used.
    """

    async def seen() -> "Facts":
        return await asyncio.wrap_future(looking)

    import_module("heroku_postgres.generation")
    return _sync_await(seen())


def _look(wish: Wish, known: Known) -> "Facts":
    """
    Raises:
        Refused: the app is not there; if it was renamed, its name of today is said.
        HerokuError: Heroku could not be asked.
    """
    try:
        return look(wish.apps, likely=wish.likely_addons, plan=wish.plan, ids=known.ids)
    except Refused as error:
        for app_id in sorted({g.app_id for g in known.generations} - {""}):
            if (name := name_of_app(app_id)) and name != wish.app:
                raise Refused(
                    f"app {wish.app} is called {name} now: set `app` to that, `pulumi config set app {name}` where "
                    "config has it"
                ) from error
        raise


def _require_alone(wish: Wish, app_id: str) -> None:
    """
    Raises:
        Refused: this program has another Database of the same app; each would take the other's changeover back.
    """
    declared = _DECLARED.setdefault(ONE_RUN or settings.SETTINGS.monitor, {})
    other = declared.setdefault(app_id, wish.name)
    if other != wish.name:
        raise Refused(
            f"the Databases {other!r} and {wish.name!r} are both about DATABASE of app {wish.app}: "
            "take one of them out of the program"
        )


ONE_RUN: object | None = None
"""Set where this process serves one run of the engine alone: a plugin gets a connection for each resource."""

_DECLARED: "WeakKeyDictionary[object, dict[str, str]]" = WeakKeyDictionary()
"""The names of the Databases by their apps' UUIDs, for each run by its connection to the engine."""


def _decision(wish: Wish, facts: "Facts", known: Known) -> "Decision":
    """
    What is to be declared, before any of it is.

    Raises:
        pulumi.RunError: lists all that would make the changeover fail.
    """
    from heroku_postgres.decision import decide

    decision = decide(wish, facts, known)
    if decision.is_refused:
        raise pulumi.RunError(_refusal(wish, decision))
    return decision


def _declare(
    wish: Wish,
    before: tuple[str, ...],
    app_id: str,
    decision: "Decision",
    search: str,
    options: pulumi.ResourceOptions,
) -> "dict[str, Generation]":
    from heroku_postgres.generation import Generation

    return {
        declared.addon: Generation(wish, before, declared, app_id, search, options) for declared in decision.generations
    }


def _teardowns(decision: "Decision", generations: "dict[str, Generation]") -> pulumi.Output[list[str]]:
    return pulumi.Output.all(*(generations[addon].teardown for addon in decision.retired)).apply(list)


def _removal(decision: "Decision", generations: "dict[str, Generation]") -> pulumi.Output[list[str]]:
    """What removes the database that this run leaves; of those that it left before, the outputs tell."""
    left = [generations[decision.until_then.primary].teardown] if decision.until_then else []
    return pulumi.Output.all(*left).apply(list)


def _id_of(decision: "Decision", generations: "dict[str, Generation]") -> pulumi.Input[str]:
    primary = generations.get(decision.primary)
    return primary.database_id if primary else ""


def _report(decision: "Decision", generations: "dict[str, Generation]") -> pulumi.Output[str]:
    primary = generations.get(decision.primary)
    return (primary.report if primary else None) or pulumi.Output.from_input("")


def _once(last: pulumi.CustomResource, then: pulumi.Input[T], until_then: pulumi.Input[T]) -> pulumi.Output[T]:
    """
    A value that comes true when a resource has come to be: whoever reads it runs after that, and never if it fails.

    A run that leaves that resource out, because something else is its target or it goes on after a failure, tells what
    was true before, and ties whoever reads it to nothing: the engine would refuse to run a reader of what is not there,
    or write a state that it then cannot read. A preview shows what will be true.
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


def _told(decision: "Decision", teardown: list[str]) -> str:
    """The runbook, with the commands that remove what is kept: a stack output would be cut off on the terminal."""
    lines = [f"{decision.summary}:", *decision.runbook]
    return "\n".join([*lines, *(f"   {command}" for command in teardown)])


def _refusal(wish: Wish, decision: "Decision") -> str:
    errors = [f"  {f}" for f in decision.findings if f.is_error]
    warnings = [f"  warning: {f}" for f in decision.findings if not f.is_error]
    return "\n".join(
        [f"the database {wish.name!r} of app {wish.app}: nothing was started, because", *errors, *warnings]
    )
