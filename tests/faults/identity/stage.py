"""One app, one stack, one changeover behind them and maybe a second one begun: where a slip happens."""

import json
import shlex
import shutil
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import psycopg

from faults.cases import Case as Fault
from faults.identity.cases import Case
from faults.play import play
from faults.scene import CaseFailed, Scene
from heroku_changeover.terms.command import teardown_text
from heroku_changeover.terms.order import STEPS
from kit.project import project_in
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

ROWS = 100
FIRST, SECOND, THIRD = "standard-0", "standard-2", "standard-4"
CHOSEN = "READONLY"
"""A name that a person gave the database beside DATABASE."""

MARKER = "CREATE TABLE orders AS SELECT n AS id FROM generate_series(1, 100) n"


@dataclass(slots=True)
class Stage:
    """
    The scene of a broken run, and what the slips need beside it. `apps` are all apps of this case; `aimed` the UUIDs
    of databases that a person has aimed at so far.
    """

    case: Case
    scene: Scene
    new_stack: Stack
    apps: list[dict[str, Any]]
    settings: dict[str, Any] = field(default_factory=dict)
    earlier: Path | None = None
    leader: str = ""
    aimed: set[str] = field(default_factory=set)

    @property
    def heroku(self) -> LocalHeroku:
        return self.scene.heroku

    @property
    def name(self) -> str:
        return self.scene.name

    @property
    def old(self) -> str:
        """The UUID of the database that was adopted."""
        return str(self.scene.app["addon_id"])

    @property
    def primary(self) -> str:
        """The UUID of what is DATABASE."""
        return str(self.heroku.get(f"/apps/{self.name}/addon-attachments/DATABASE")["addon"]["id"])

    def addon(self, database: str) -> dict[str, Any]:
        return dict(self.heroku.get(f"/addons/{database}"))

    def config(self, **settings: Any) -> None:
        self.settings |= settings
        self.scene.stack.edit(settings)

    def pulumi(self, *words: str, **variables: str) -> tuple[int, str]:
        return self.scene.pulumi(*words, **variables)

    def up(self, *words: str) -> tuple[int, str]:
        return self.pulumi("up", "--yes", "--skip-preview", *words)

    def must(self, *words: str) -> str:
        code, said = self.pulumi(*words)
        if code:
            raise CaseFailed(f"pulumi {shlex.join(words)} failed on the way to the case")
        return said

    def resources(self) -> list[dict[str, Any]]:
        """From the file of the state, which is there at once; an export takes as long as a preview."""
        stack = self.scene.stack
        state = json.loads(next(stack.backend.glob(f".pulumi/stacks/*/{stack.name}.json")).read_text())
        return list((state["checkpoint"].get("latest") or {}).get("resources") or ())

    def urn(self, name: str) -> str:
        return next((str(r["urn"]) for r in self.resources() if str(r["urn"]).endswith(f"::{name}")), f"no {name}")

    def database_of(self, generation: str) -> str:
        """The UUID that the state has of a generation; empty where it has none."""
        urns = {str(r["urn"]).rpartition("::")[2]: r for r in self.resources()}
        return str(urns.get(f"{generation}-database", {}).get("id", ""))

    def generation_of(self, database: str) -> str:
        """The URN of the generation that the state has with a UUID; empty where it has none."""
        addons = [str(r["urn"]) for r in self.resources() if r.get("id") == database]
        return self.urn(addons[0].rpartition("::")[2].removesuffix("-database")) if addons else ""

    def attach(self, database: str, name: str = "DATABASE") -> None:
        """By hand; what has the name keeps another attachment, as Heroku wants it."""
        app = self.name
        status, taken = self.heroku.call("GET", f"/apps/{app}/addon-attachments/{name}")
        if status == 200:
            self.spare(taken["addon"]["id"])
        self.heroku.post("/addon-attachments", {"addon": database, "app": app, "name": name, "confirm": app})

    def spare(self, database: str) -> None:
        self.heroku.post("/addon-attachments", {"addon": database, "app": self.name})

    def order(self, plan: str) -> str:
        """A fresh and empty database of the app, under a colour; returns its UUID."""
        addon = self.heroku.post(f"/apps/{self.name}/addons", {"plan": f"heroku-postgresql:{plan}"})
        self.wait("it to be provisioned", lambda: self.addon(addon["id"])["state"] == "provisioned")
        return str(addon["id"])

    def fill(self, database: str) -> None:
        with psycopg.connect(self.heroku.database_url(database), autocommit=True) as connection:
            connection.execute(MARKER)

    def new_app(self, suffix: str, **options: Any) -> dict[str, Any]:
        app: dict[str, Any] = self.heroku.create_app(f"{self.name}-{suffix}", web=1, rows=ROWS, **options)
        self.apps.append(app)
        return app

    def wait(self, what: str, probe: Callable[[], bool]) -> None:
        self.heroku.wait_until(what, probe)

    def another_stack(self) -> Stack:
        """A second stack with the same lines, on another machine."""
        first, folder = self.scene.stack, self.scene.folder / "second"
        environment = {**first.environment, "HEROKU_CHANGEOVER_HOME": str(folder / "changeover")}
        stack = Stack(first.toolchain, project_in(folder), folder / "home", folder / "state", environment)
        stack.create_like(self.new_stack)
        shutil.copy(first.settings, stack.settings)
        return stack


def set_stage(case: Case, heroku: LocalHeroku, new_stack: Stack, folder: Path, name: str) -> Stage:
    """An app that serves, and a new stack for it."""
    app = heroku.create_app(name, web=1, worker=1, rows=ROWS)
    heroku.post("/addon-attachments", {"addon": app["addon"], "app": name, "name": CHOSEN})
    environment = {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(folder / "changeover")}
    stack = Stack(new_stack.toolchain, project_in(folder), folder / "home", folder / "state", environment)
    stack.create_like(new_stack)
    scene = Scene(Fault(case.what, case.act, case.phase), heroku, stack, folder, app, takes_orders=False)
    stage = Stage(case, scene, new_stack, [app])
    stage.config(app=name, adopt=app["addon"], plan=FIRST)
    return stage


def reach_moment(stage: Stage) -> None:
    """One changeover; after that a second run, by which the case is settled, or a second changeover, by which not."""
    up = ("up", "--yes", "--skip-preview")
    stage.must(*up)
    _keep_state(stage)
    stage.config(plan=SECOND)
    stage.must(*up)
    stage.leader = stage.primary
    if stage.case.moment == "settled":
        stage.must(*up)
    elif stage.case.moment == "held":
        stage.config(plan=THIRD, hold="true")
        stage.must(*up)
    else:
        _keep_state(stage)
        stage.config(plan=THIRD)
        play(stage.scene)
        stage.pulumi("cancel", "--yes")


def _keep_state(stage: Stage) -> None:
    """As an export before the last changeover."""
    stage.earlier = stage.scene.folder / "earlier"
    shutil.rmtree(stage.earlier, ignore_errors=True)
    shutil.copytree(stage.scene.stack.backend, stage.earlier)


def words_of(stage: Stage, command: str) -> tuple[str, ...]:
    """What is typed; empty where the state has nothing that it could mean."""
    agreed = ("--yes", "--skip-preview")
    if command == "destroy the primary":
        urn = stage.generation_of(known_primary(stage))
        return (*shlex.split(teardown_text(urn, STEPS, "it"))[1:], *agreed) if urn else ()
    if command == "destroy a retired one":
        printed = json.loads(stage.pulumi("stack", "output", "--json")[1] or "{}").get("teardown") or [""]
        return (*shlex.split(printed[0])[1:], *agreed) if printed[0] else ()
    return (*command.split(), *agreed)


def known_primary(stage: Stage) -> str:
    """The UUID that the state has as the primary's."""
    outputs = [r.get("outputs") or {} for r in stage.resources() if str(r["type"]).endswith(":Database")]
    return str(next((o["primary_id"] for o in outputs if o.get("primary_id")), ""))


def in_another(stage: Stage, **changes: Any) -> None:
    """What is typed from now on is typed in a stack that is different in this."""
    stage.scene.stack = replace(stage.scene.stack, **changes)
