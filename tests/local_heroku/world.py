"""What exists in this Heroku: apps, add-ons, attachments, releases; plain data and look-ups, no rules."""

import asyncio
import secrets
import time
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from local_heroku import refusals
from local_heroku.latency import Latency
from local_heroku.plans import Plan
from local_heroku.rate import Bucket

if TYPE_CHECKING:
    from local_heroku.dynos import Dyno
    from local_heroku.faults import Fault
    from local_heroku.postgres import Server

SIZE = "Standard-1X"


def new_id() -> str:
    return str(uuid.uuid4())


def now() -> str:
    """As Heroku writes a moment: in whole seconds."""
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


@dataclass(slots=True)
class ProcessType:
    """A row of the formation."""

    type: str
    command: str
    quantity: int = 0
    size: str = SIZE
    id: str = field(default_factory=new_id)


@dataclass(slots=True)
class Release:
    """A version of an app: its config vars at that moment, and what became of its release phase."""

    version: int
    description: str
    config: dict[str, str]
    status: str = "pending"
    current: bool = False
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=now)


@dataclass(slots=True)
class App:
    """
    An app; `own_vars` are the config vars that no attachment owns, `running` the release that its dynos run.

    `orders_to_fail` is how many of the databases that are ordered next cannot be provisioned.
    """

    name: str
    id: str = field(default_factory=new_id)
    maintenance: bool = False
    routed_to_maintenance: bool = False
    own_vars: dict[str, str] = field(default_factory=dict)
    formation: dict[str, ProcessType] = field(default_factory=dict)
    releases: list[Release] = field(default_factory=list)
    dynos: list["Dyno"] = field(default_factory=list)
    orders_to_fail: int = 0
    features: dict[str, bool] = field(default_factory=lambda: {"preboot": False})
    generation: str = "cedar"
    space: dict[str, Any] | None = None
    web_port: int = 0
    created_at: str = field(default_factory=now)
    releasing: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def running(self) -> Release | None:
        return next((r for r in reversed(self.releases) if r.current), None)


@dataclass(slots=True)
class Addon:
    """
    An add-on; `server` is there when it is a provisioned database. `rows` override info rows of the Data API.

    `waiting` is what the database is busy with, empty when it is available; `trouble` what went wrong with it;
    `upgrade` of PostgreSQL's version is empty, scheduled or running; `window` is when Heroku may maintain it.
    `credentials` are roles beside the default one, with their passwords. `refuses` are names and namespaces under which
    it cannot be attached. Clients come to the server `through` another port of this machine, where one is given.
    """

    name: str
    app: App
    service: str
    plan: Plan
    id: str = field(default_factory=new_id)
    state: str = "provisioning"
    server: "Server | None" = None
    leader: "Addon | None" = None
    forked_from: "Addon | None" = None
    waiting: str = ""
    trouble: str = ""
    known: bool = True
    window: str = "Mondays 20:30 to Tuesdays 00:30 UTC"
    upgrade: str = ""
    maintenance: dict[str, Any] = field(default_factory=dict)
    credentials: dict[str, str] = field(default_factory=dict)
    refuses: list[str] = field(default_factory=list)
    fork_follow_at: float = 0.0
    rows: dict[str, list[Any]] = field(default_factory=dict)
    schedules: list[dict[str, Any]] = field(default_factory=list)
    config_vars: list[str] = field(default_factory=list)
    pooling: bool = False
    through: int | None = None
    created_at: str = field(default_factory=now)

    def url_for(self, namespace: str | None) -> str:
        """The URL of an attachment: the same for all without a namespace, another one for each credential."""
        if self.server is None:
            return ""
        url = self._url_of(self.server, namespace)
        return url.replace(f":{self.server.port}/", f":{self.through}/") if self.through else url

    def _url_of(self, server: "Server", namespace: str | None) -> str:
        kind, _, name = (namespace or "").partition(":")
        if kind == "credential" and name in self.credentials:
            return server.url_of(name, self.credentials[name])
        if kind == "connection-pooling":
            return server.url.replace("@127.0.0.1:", "@localhost:")  # a pooler has an address of its own
        return server.url


@dataclass(slots=True)
class Attachment:
    """An add-on under a name in an app."""

    name: str
    addon: Addon
    app: App
    namespace: str | None = None
    id: str = field(default_factory=new_id)
    created_at: str = field(default_factory=now)


@dataclass(slots=True)
class World:
    """Everything; one a process."""

    token: str = field(default_factory=lambda: secrets.token_hex(16))
    origin: str = ""
    apps: dict[str, App] = field(default_factory=dict)
    addons: dict[str, Addon] = field(default_factory=dict)
    attachments: dict[str, Attachment] = field(default_factory=dict)
    forbidden: set[str] = field(default_factory=set)
    faults: list["Fault"] = field(default_factory=list)
    requests: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    grace: float = 30.0
    latency: Latency = field(default_factory=Latency)
    bucket: Bucket = field(default_factory=Bucket)
    warning: str = ""
    recording: bool = False
    tasks: set["asyncio.Task[Any]"] = field(default_factory=set)

    def event(self, what: str, **details: Any) -> None:
        self.events.append({"at": time.time(), "what": what, **details})

    def in_background(self, coroutine: Any) -> None:
        """Starts work that outlives a request; a failure in it is an event."""
        task = asyncio.get_running_loop().create_task(coroutine)
        self.tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: "asyncio.Task[Any]") -> None:
        self.tasks.discard(task)
        if not task.cancelled() and (error := task.exception()):
            self.event("background work failed", error=repr(error))

    def app(self, key: str) -> App:
        """By name or id."""
        for app in self.apps.values():
            if key in {app.name, app.id}:
                if app.name in self.forbidden:
                    raise refusals.forbidden(app.name)
                return app
        raise refusals.no_app()

    def addon(self, key: str) -> Addon:
        """By name or id."""
        for addon in self.addons.values():
            if key in {addon.name, addon.id}:
                return addon
        raise refusals.no_addon()

    def attachments_of(self, app: App) -> list[Attachment]:
        return [a for a in self.attachments.values() if a.app is app]

    def attachments_to(self, addon: Addon) -> list[Attachment]:
        return [a for a in self.attachments.values() if a.addon is addon]

    def attachment_of(self, app: App, name: str) -> Attachment | None:
        """By exactly this name."""
        return next((a for a in self.attachments_of(app) if a.name == name), None)

    def attachment_named(self, app: App, name: str) -> Attachment | None:
        return next((a for a in self.attachments_of(app) if name in {a.name, a.id, f"{a.name}_URL"}), None)

    def followers_of(self, addon: Addon) -> list[Addon]:
        return [a for a in self.addons.values() if a.leader is addon]

    def config_vars(self, app: App) -> dict[str, str]:
        """The app's own and those of its attachments; a variable appears when its database is provisioned."""
        owned = {f"{a.name}_URL": a.addon.url_for(a.namespace) for a in self.attachments_of(app) if a.addon.server}
        return {**app.own_vars, **owned}
