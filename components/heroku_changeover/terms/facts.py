"""
What a look at Heroku yields: plain facts, no I/O, no secrets.

An *app* is where dynos run. A *database* is a Heroku Postgres add-on. An *attachment* ties a database to an app under a
name; the attachment named DATABASE is the one whose database is the app's primary.
Heroku calls a read-only copy that it keeps up to date a *follower*, and the database that it follows its *leader*.

They are named tuples: a class of them is made in a seventh of the time of a frozen data class, and every step makes
them anew while users wait.
"""

from typing import NamedTuple

SERVICE = "heroku-postgresql"
"""The slug of the Heroku Postgres add-on service, the part of a full plan name before the colon."""

PRIMARY = "DATABASE"
"""The attachment name whose config var, DATABASE_URL, apps read to find their primary database."""

POOLER = "connection-pooling:default"
"""The namespace of an attachment that goes through Heroku's server-side connection pooler."""

LEAVING = frozenset({"deprovisioned", "deprovisioning"})
"""States of an add-on that Heroku could not provision or is removing; neither is ever provisioned again."""

COLOURS = frozenset(
    (
        "AMBER",
        "AQUA",
        "BLACK",
        "BLUE",
        "BRONZE",
        "BROWN",
        "CHARCOAL",
        "COBALT",
        "COPPER",
        "CRIMSON",
        "CYAN",
        "GOLD",
        "GRAY",
        "GREEN",
        "IVORY",
        "JADE",
        "MAGENTA",
        "MAROON",
        "MAUVE",
        "NAVY",
        "OLIVE",
        "ONYX",
        "ORANGE",
        "PINK",
        "PUCE",
        "PURPLE",
        "RED",
        "ROSE",
        "SILVER",
        "TEAL",
        "VIOLET",
        "WHITE",
        "YELLOW",
    )
)
"""
Heroku's own last words of a name that nobody chose. There is no published list: these are the ones that config vars in
public repositories and the articles of devcenter have.
"""

_COLOURED = "HEROKU_POSTGRESQL_"


class ProcessType(NamedTuple):
    """One row of an app's formation: how many dynos (0 or more) of which size run this process type."""

    type: str
    quantity: int
    size: str


class Dyno(NamedTuple):
    """
    A running dyno; `type` is the process type, or `run`, `scheduler`, `release` for one-offs of that kind.

    `boot_seconds` is how long it took from its creation until it was up, None while it is not up or unknown.
    """

    name: str
    type: str
    state: str
    boot_seconds: float | None = None


class Attachment(NamedTuple):
    """A database attached to an app under a name; `namespace` is None for the default credential."""

    id: str
    name: str
    namespace: str | None
    addon_id: str
    addon_name: str
    app: str

    @property
    def is_colour(self) -> bool:
        """
        Whether Heroku chose the name (HEROKU_POSTGRESQL_<COLOUR>): such a name belongs to the database, not to a role
        in the app.

        A colour that the list lacks is taken for a person's name: it moves to the new primary, and the old database
        gets another one; no data is touched. The other way round, a person who chooses HEROKU_POSTGRESQL_RED for a
        role in the app finds it on the old database afterwards, and the preview names it among those that stay.
        """
        return self.name.startswith(_COLOURED) and self.name.removeprefix(_COLOURED) in COLOURS

    @property
    def is_primary(self) -> bool:
        return self.name == PRIMARY

    @property
    def config_var(self) -> str:
        return f"{self.name}_URL"


class Name(NamedTuple):
    """A name under which an app has a database; `namespace` is None for the default credential."""

    name: str
    namespace: str | None


class App(NamedTuple):
    """
    An app as Heroku shows it.

    `generation` is `cedar` or `fir`; `space` is None outside Private Spaces; `features` are the enabled ones (such as
    `preboot`); `copied_config_vars` are names of config vars that hold the primary's host although no attachment owns
    them; `services` are the slugs of the add-on services it has (such as `scheduler`).
    """

    id: str
    name: str
    maintenance: bool
    formation: tuple[ProcessType, ...] = ()
    dynos: tuple[Dyno, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    generation: str = "cedar"
    space: str | None = None
    shield: bool = False
    features: frozenset[str] = frozenset()
    copied_config_vars: tuple[str, ...] = ()
    services: frozenset[str] = frozenset()

    @property
    def primary(self) -> Attachment | None:
        """The attachment named DATABASE, if there is one."""
        return next((a for a in self.attachments if a.is_primary), None)

    def names_of(self, database: str) -> tuple[Name, ...]:
        """The names under which it has the database with this id, but for those that Heroku chose."""
        ours = (a for a in self.attachments if a.addon_id == database and not a.is_colour)
        return tuple(Name(a.name, a.namespace) for a in ours)

    @property
    def writers(self) -> tuple[ProcessType, ...]:
        """The process types that run dynos; `release` is never one: it runs only while a release is made."""
        return tuple(p for p in self.formation if p.type != "release" and p.quantity > 0)

    @property
    def has_release_phase(self) -> bool:
        return any(p.type == "release" for p in self.formation)

    @property
    def one_offs(self) -> tuple[Dyno, ...]:
        """Dynos outside the formation: `heroku run`, the Scheduler's, release commands."""
        types = {p.type for p in self.formation if p.type != "release"}
        return tuple(d for d in self.dynos if d.type not in types)

    @property
    def boot_seconds(self) -> float | None:
        """How long its web dynos took to boot, the slowest of those that are up; None when that is not known."""
        return max((d.boot_seconds for d in self.dynos if d.type == "web" and d.boot_seconds), default=None)

    @property
    def is_serving(self) -> bool:
        """
        Whether a user of the app reaches it; an app that has never been deployed has no formation and counts as
        serving.
        """
        scalable = [p for p in self.formation if p.type != "release"]
        return not self.maintenance and (not scalable or bool(self.writers))


class Database(NamedTuple):
    """
    A Heroku Postgres add-on with what the Data API says of it.

    `plan` is without the service (`standard-0`); `app` is the app that pays for it; `attachments` are those in all
    apps; `is_known` is False while the Data API has nothing on it, as while it is being made;
    `following` is the name of the leader, None for a database that follows nobody (`is_follower` is the fact to
    ask, because a leader outside this account has no name); `behind_by` is in commits, None when Heroku shows no
    figure: unknown, not zero; `data_bytes` is None while unknown; `fork_follow` are the words of the info row, empty
    when there is no such row; `maintenance` is what Heroku itself is about to do to it, in a few words; `followers`
    are names; `schedules` are the config var names of its backup schedules.
    """

    id: str
    name: str
    plan: str
    app: str
    state: str = "provisioned"
    attachments: tuple[Attachment, ...] = ()
    is_known: bool = True
    is_follower: bool = False
    following: str | None = None
    waiting: bool = False
    behind_by: int | None = None
    fork_follow: str = ""
    maintenance: str = ""
    data_bytes: int | None = None
    followers: tuple[str, ...] = ()
    schedules: tuple[str, ...] = ()

    def attached_to(self, app: str) -> tuple[Attachment, ...]:
        return tuple(a for a in self.attachments if a.app == app)

    @property
    def is_being_made(self) -> bool:
        return self.state != "provisioned" or not self.is_known

    @property
    def apps(self) -> frozenset[str]:
        """Every app that has it attached under any name."""
        return frozenset(a.app for a in self.attachments)


class Facts(NamedTuple):
    """
    Everything one look at Heroku found.

    `apps` holds the apps that were asked for, in that order: the first one pays for the databases. `databases` holds
    every Heroku Postgres add-on that the first app pays for, and its primary even if another app pays for it. `plans`
    are the names, without the service, of what Heroku Postgres offers. `past_addons` are the names of add-ons that the
    releases of the first app tell of, gone ones included. `unreadable` names apps of which this token
    may not see all, with the reason.
    """

    apps: tuple[App, ...]
    databases: tuple[Database, ...] = ()
    plans: tuple[str, ...] = ()
    past_addons: frozenset[str] = frozenset()
    unreadable: tuple[tuple[str, str], ...] = ()

    @property
    def app(self) -> App:
        return self.apps[0]

    @property
    def primary(self) -> Database | None:
        """The database attached as DATABASE to the first app."""
        attachment = self.app.primary
        return self.database_with_id(attachment.addon_id) if attachment else None

    def database(self, name: str) -> Database | None:
        return next((d for d in self.databases if d.name == name), None)

    def database_with_id(self, addon_id: str) -> Database | None:
        return next((d for d in self.databases if d.id == addon_id), None)


def plan_without_service(plan: str) -> str:
    """`heroku-postgresql:standard-0` and `standard-0` are the same plan; this is the short spelling."""
    return plan.removeprefix(f"{SERVICE}:")
