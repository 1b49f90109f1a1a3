"""
A Heroku in memory, fast enough for thousands of changeovers: what exists, who writes, and what goes wrong when.

It knows only what the steps can tell apart. Every outward act of a step is one `act` here; before or after any of them
the process can die, or the answer can be lost.
"""

import math
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Self

from heroku_changeover.reach.sql import Blocker, LetGo, Mark, Room
from heroku_changeover.reach.wait import Clock, first_of
from heroku_changeover.terms.errors import Busy, HerokuError, HerokuUnreachable, NotFound, SqlUnreachable
from heroku_changeover.terms.facts import App, Attachment, Database, Dyno, ProcessType
from heroku_changeover.terms.position import Position

LEAST_PAUSE = 5.0
"""Seconds that pass in any pause: waits that run out do so after few looks."""

LEADER, FOLLOWER, OTHER_FOLLOWER = "postgresql-round-1", "shop-db-2", "shop-data-2"
COLOURS = {LEADER: "RED", FOLLOWER: "BLUE", OTHER_FOLLOWER: "PINK"}


class Died(BaseException):
    """The process is gone: it does nothing more, not even what a `finally` would do."""


@dataclass(slots=True)
class Server:
    """A database: the writes that it has, in order; `xids` counts transactions, `barrier` is the one of the fence."""

    name: str
    writes: list[int] = field(default_factory=list)
    following: bool = False
    asked_to_lead: bool = False
    sealed_at: int | None = None
    xids: int = 0
    barrier: int | None = None


@dataclass(slots=True)
class ModelApp:
    """
    An app: what its dynos run with is `running`, which follows DATABASE at the next boot; `readonly` is the database
    of its companion READONLY, None without one.
    """

    name: str
    formation: dict[str, int]
    primary: str | None = LEADER
    running: str = LEADER
    maintenance: bool = False
    booting: bool = False
    readonly: str | None = None
    colours: set[str] = field(default_factory=lambda: {LEADER, FOLLOWER, OTHER_FOLLOWER})


@dataclass(slots=True)
class Fault:
    """At the n-th act from now: the process `dies` before or after it, or the act fails before or after it was done."""

    at: int
    kind: str


@dataclass(slots=True)
class Model:
    """
    The world, and how many acts the process may do until its fault; an `unfollow_on_its_way`, whose sender was killed,
    is carried out in a pause in which no dyno runs. `turn` is called at every act and pause: another run may go on
    there. `fenced` is who holds the fence, None when nobody does. `silent_at` is after how many acts the Data API knows
    nothing of a new database that is being cut off or was, None for never; `refuses` whether Heroku refuses to attach
    it as READONLY.
    """

    apps: dict[str, ModelApp]
    servers: dict[str, Server]
    rogue: bool = False
    fault: Fault | None = None
    fenced: object | None = None
    dead: bool = False
    turn: Callable[[], None] = lambda: None
    time: float = 1000.0
    unfollow_on_its_way: bool = False
    silent_at: int | None = None
    refuses: bool = False
    acknowledged: dict[int, str] = field(default_factory=dict)
    releases: list[dict[str, Any]] = field(default_factory=list)

    @property
    def leader(self) -> Server:
        return self.servers[LEADER]

    @property
    def follower(self) -> Server:
        return self.servers[FOLLOWER]

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.time, self.pass_time, self.pass_time, lambda looks, _: first_of(looks, math.inf))

    def pass_time(self, seconds: float) -> None:
        """Dynos boot or end, an unfollow completes, replication goes on, writers write."""
        self.turn()
        self._require_life()
        self.time += max(seconds, LEAST_PAUSE)
        for app in self.apps.values():
            app.booting = False
        self.replicate()
        late = self.unfollow_on_its_way and not any(sum(app.formation.values()) for app in self.apps.values())
        for server in self.servers.values():
            if server.asked_to_lead or (late and server is self.follower):
                server.following = False
        self.traffic()

    def replicate(self) -> None:
        for server in self.servers.values():
            if server.following:
                server.writes, server.sealed_at = list(self.leader.writes), self.leader.sealed_at
                server.barrier = self.leader.barrier

    def traffic(self) -> None:
        """Every app that runs writes to the database that it runs with; a rogue writes to the old one."""
        for app in self.apps.values():
            if sum(app.formation.values()) and not app.booting:
                self.write(self.servers[app.running])
        if self.rogue:
            self.write(self.leader)

    def write(self, server: Server) -> None:
        if server.following or server.sealed_at is not None or (server is self.leader and self.fenced is not None):
            return
        number = len(self.acknowledged) + 1
        server.xids += 1
        server.writes.append(number)
        self.acknowledged[number] = server.name

    def _require_life(self) -> None:
        if self.dead:
            raise Died

    @contextmanager
    def act(self, *, over_sql: bool = False) -> Iterator[None]:
        """An outward act: between two of them the world goes on."""
        self.turn()
        self._require_life()
        self.traffic()
        if self.silent_at is not None:
            self.silent_at -= 1
        now = self._due()
        if now == "dies-before":
            self.die()
        if now == "fails":
            raise self._failure(over_sql)
        yield
        if now == "dies-after":
            self.die()
        if now == "answer-lost":
            raise self._failure(over_sql)

    def _due(self) -> str | None:
        if self.fault is None:
            return None
        self.fault.at -= 1
        if self.fault.at >= 0:
            return None
        kind, self.fault = self.fault.kind, None
        return kind

    def _failure(self, over_sql: bool) -> Exception:
        if over_sql:
            self.fenced = None
            return SqlUnreachable("the session broke")
        return HerokuUnreachable("a request", "the connection broke")

    @property
    def is_silent(self) -> bool:
        return self.silent_at is not None and self.silent_at <= 0 and self.follower.asked_to_lead

    def die(self) -> None:
        """With the process goes its lock."""
        self.dead, self.fenced = True, None
        raise Died

    # What the steps see of it: facts.

    def app(self, name: str) -> App:
        app = self.apps[name]
        formation = tuple(ProcessType(t, q, "Standard-1X") for t, q in sorted(app.formation.items()))
        names = [(f"HEROKU_POSTGRESQL_{COLOURS[c]}", c) for c in app.colours if c in self.servers]
        named = {"DATABASE": app.primary, "READONLY": app.readonly}
        names += [(name, addon) for name, addon in named.items() if addon]
        attachments = tuple(Attachment(f"{name}-{n}", n, None, f"id-{a}", a, name) for n, a in names)
        return App(f"id-{name}", name, app.maintenance, formation, self.dynos(name), attachments)

    def dynos(self, name: str) -> tuple[Dyno, ...]:
        app = self.apps[name]
        state, boot = ("starting", None) if app.booting else ("up", 1.0)
        return tuple(Dyno(f"{t}.{n}", t, state, boot) for t, q in sorted(app.formation.items()) for n in range(q))

    def database(self, name: str) -> Database:
        server = self.servers[name]
        attached = tuple(a for app in self.apps for a in self.app(app).attachments if a.addon_name == name)
        unknown = self.is_silent and name == FOLLOWER
        follows = server.following and not unknown
        return Database(
            f"id-{name}",
            name,
            "standard-0" if name == LEADER else "standard-2",
            next(iter(self.apps)),
            attachments=attached,
            is_known=not unknown,
            is_follower=follows,
            following=LEADER if follows else None,
            waiting=follows and server.asked_to_lead,
            behind_by=len(self.leader.writes) - len(server.writes) if follows else None,
        )


class ModelHeroku:
    """The client that the steps use, answered by the model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def undisturbed(self) -> "ModelHeroku":
        return self

    def get(self, path: str) -> Any:
        self._model._require_life()
        _, kind, name, *rest = path.split("/")
        if kind == "addons":
            return [_row(a) for a in self._model.database(name.removeprefix("id-")).attachments]
        app = self._model.apps[name]
        if not rest:
            return {"maintenance": app.maintenance}
        if rest == ["formation"]:
            return [{"type": t, "quantity": q, "size": "Standard-1X"} for t, q in app.formation.items()]
        if rest == ["dynos"]:
            return [{"name": d.name, "type": d.type, "state": d.state} for d in self._model.dynos(name)]
        if rest == ["config-vars"]:
            return {
                a.config_var: f"postgres://role:secret@{a.addon_name}:5432/data"
                for a in self._model.app(name).attachments
            }
        if rest == ["addon-attachments"]:
            return [_row(a) for a in self._model.app(name).attachments]
        raise AssertionError(path)

    def newest(self, path: str, count: int) -> Any:
        app = path.split("/")[2]
        return [r for r in reversed(self._model.releases) if r["app"] == app][:count]

    def patch(self, path: str, body: Any) -> None:
        _, _, name, *rest = path.split("/")
        app = self._model.apps[name]
        with self._model.act():
            if rest == ["formation"]:
                for update in body["updates"]:
                    app.formation[update["type"]] = update["quantity"]
                app.running, app.booting = app.primary or app.running, True
            else:
                app.maintenance = body["maintenance"]

    def post(self, path: str, body: Any) -> None:
        app = self._model.apps[body["app"]]
        with self._model.act():
            if body.get("name") == "DATABASE":
                app.primary = app.running = body["addon"]
                description = f"Attach DATABASE (@ref:{body['addon']})"
                version = len(self._model.releases) + 1
                release = {"app": app.name, "version": version, "status": "succeeded", "description": description}
                self._model.releases.append(release)
            elif body.get("name") == "READONLY" and self._model.refuses and body["addon"] == FOLLOWER:
                raise HerokuError("POST", 422, "invalid_params", "it cannot be attached as READONLY")
            elif body.get("name") == "READONLY":
                app.readonly = body["addon"]
            else:
                app.colours.add(body["addon"])

    def data(self, path: str) -> Any:
        self._model._require_life()
        if path.endswith("transfer-schedules"):
            return []
        if self._model.is_silent and FOLLOWER in path:
            raise NotFound("GET", 404, "not_found", "Couldn't find that database.")
        follower = self._server(path)
        busy = follower.following and follower.asked_to_lead
        return {"waiting?": busy, "message": "unfollowing", "following": "somebody" if follower.following else None}

    def put_data(self, path: str) -> None:
        with self._model.act():
            if not self._server(path).following:
                raise HerokuError("PUT", 422, "invalid_params", "it follows nobody")
            self._server(path).asked_to_lead = True

    def _server(self, path: str) -> Server:
        return self._model.servers[path.split("/")[4]]


def _row(a: Attachment) -> dict[str, Any]:
    addon = {"id": a.addon_id, "name": a.addon_name}
    return {"id": a.id, "name": a.name, "namespace": a.namespace, "addon": addon, "app": {"name": a.app}}


@dataclass(slots=True)
class ModelSession:
    """A session on one of the servers."""

    model: Model
    server: Server

    @property
    def database(self) -> str:
        return self.server.name

    def is_alive(self) -> bool:
        return not self.model.dead

    def close(self) -> None: ...

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None: ...

    def owns_the_database(self) -> bool:
        return True

    def refuses_writes(self) -> str | None:
        return "it follows" if self.server.following else None

    def unsealing(self) -> str:
        return ""

    def unlogged_with_rows(self) -> list[str]:
        return []

    def tables_vacuumed_against_wraparound(self) -> list[str]:
        return []

    def room_for_locks(self) -> Room:
        return Room(3, 7680)

    def in_the_way(self) -> list[Blocker]:
        return []

    def flushed(self) -> str:
        return "0/1"

    def missing(self, _: str) -> int:
        """A copy has everything as soon as somebody looks, but for what breaks at that very moment."""
        with self.model.act(over_sql=True):
            self.model.replicate()
        return 0

    def end_sessions_left_over(self) -> int:
        return 0

    def end_sessions_on_a_copy(self) -> None: ...

    def position(self) -> Position:
        server = self.server
        return Position(server.name, server.barrier or 0, server.sealed_at, server.xids + 1)

    def unseal(self) -> None:
        with self.model.act(over_sql=True):
            self.server.sealed_at = None

    def is_sealed(self) -> bool:
        return self.server.sealed_at is not None


@dataclass(slots=True)
class ModelFence:
    """The fence on the leader, of the run that is its `owner`."""

    model: Model
    server: Server
    owner: object
    tables: int = 3
    unlocked: tuple[str, ...] = ()
    at_work: tuple[str, ...] = ()
    is_disturbed: bool = False

    @property
    def database(self) -> str:
        return self.server.name

    def is_held(self) -> bool:
        return self.model.fenced is self.owner

    def unlogged_with_rows(self) -> list[str]:
        return []

    def release(self) -> None:
        if self.is_held():
            self.model.fenced = None

    def let_go(self, _: float) -> LetGo:
        with self.model.act(over_sql=True):
            self.release()
        return LetGo()

    def end_sessions(self) -> frozenset[int]:
        with self.model.act(over_sql=True):
            return frozenset()

    def other_sessions(self) -> list[int]:
        return []

    def other_roles(self) -> list[str]:
        return []  # the model has one role

    def still_waiting(self, _: float) -> list[str]:
        return []

    def set_mark(self, _: float) -> Mark:
        with self.model.act(over_sql=True):
            self.model.time += 1.0
            self.server.xids += 1
            self.server.barrier = self.server.xids
        return Mark("0/1", self.server.xids + 1)

    def position(self) -> Position:
        return ModelSession(self.model, self.server).position()

    def seal(self, _: float) -> int:
        with self.model.act(over_sql=True):
            if self.server.sealed_at is None:
                self.server.xids += 1
                self.server.sealed_at = self.server.xids
                return 1
        return 0

    def unseal(self) -> None:
        with self.model.act(over_sql=True):
            self.server.sealed_at = None


class ModelSql:
    """The port to the databases, answered by the model."""

    def __init__(self, model: Model, owner: object = None) -> None:
        self._model, self._owner = model, owner or self

    def load(self) -> None: ...

    def prepare(self, database: str, url: str) -> None: ...

    def session(self, database: str, _: str) -> ModelSession:
        self._model._require_life()
        return ModelSession(self._model, self._model.servers[database])

    def fence(self, database: str, url: str, deadline: float) -> ModelFence:
        self.await_turn(database, url, deadline)
        with self._model.act(over_sql=True):
            if self._model.fenced not in {None, self._owner}:
                raise Busy("another run was faster")
            self._model.fenced = self._owner
        return ModelFence(self._model, self._model.servers[database], self._owner)

    def await_turn(self, _: str, __: str, deadline: float) -> None:
        while self._model.fenced not in {None, self._owner}:
            if self._model.time >= deadline:
                raise Busy("another run has fenced it")
            self._model.pass_time(1)

    def undisturbed(self) -> Self:
        return self

    def close(self) -> None: ...


def one_after_the_other(act: Callable[[Any], Any], items: Any) -> list[Any]:
    """In place of threads, so that the same numbers give the same run."""
    return [act(item) for item in items]


class InLine:
    """In place of a pool of threads: does at once what is handed in."""

    def __init__(self, _: int) -> None: ...

    def __enter__(self) -> "InLine":
        return self

    def __exit__(self, *_: object) -> None: ...

    def submit(self, act: Callable[..., Any], *arguments: Any) -> "Future[Any]":
        future: Future[Any] = Future()
        future.set_result(act(*arguments))
        return future

    map = staticmethod(one_after_the_other)
