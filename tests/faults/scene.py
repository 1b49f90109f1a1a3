"""The parts of one case: apps under traffic, a stack, and the processes of its runs."""

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psutil

from faults.cases import Case
from faults.writers import Writer
from kit.elsewhere import Elsewhere
from kit.injection import Injection
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

REACHED_LIMIT, ENDED_LIMIT, SERVING_LIMIT = 90.0, 150.0, 90.0
LEAVE_LIMIT = 45.0
POLL = 0.05
PROCESS_POLL = 0.4
"""Seconds between two looks through all processes of this machine, which cost more than the cases themselves."""

SIZES = {"web": "Standard-2X", "worker": "Performance-M"}
SECOND = "READONLY"
"""A name that a person gave the old database beside DATABASE."""

LATE_SECONDS = 5.0
"""How long a request is on its way after its sender has been killed."""

PAUSE = 0.1
"""Seconds between two orders: enough for hundreds in a case, and most of the processor is left to the others."""

STATUSES = {"500": 500, "503": 503, "429": 429}


class CaseFailed(Exception):
    """Something that has to be so after this case is not so."""


@dataclass(slots=True)
class Scene:
    """
    The parts of one case, and all that was printed in it.

    `also` are the apps beside the first one that move along. `variables` are in the environment of every run.
    `trouble` is what was seen on the way that should not have been. `busy` is how many times as
    long as alone a process took when the app served again. `ended` is the exit code of the run that something
    happened to. `rival` is the follower of a second changeover, from another machine, and `beside` what runs there
    while the first one goes on. `place` is the machine of the run, if that is
    another one than this. `takes_orders` is whether the
    apps store what they are sent.
    """

    case: Case
    heroku: LocalHeroku
    stack: Stack
    folder: Path
    app: dict[str, Any]
    also: list[dict[str, Any]] = field(default_factory=list)
    writers: list[Writer] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    injection: Injection | None = None
    said: list[str] = field(default_factory=list)
    trouble: list[str] = field(default_factory=list)
    started_over: bool = False
    happened_at: float = 0.0
    down_seconds: float | None = None
    boot_seconds: float = 0.0
    busy: float = 1.0
    ended: int | None = None
    rival: str = ""
    place: Elsewhere | None = None
    beside: threading.Thread | None = None
    takes_orders: bool = True

    @property
    def name(self) -> str:
        return str(self.app["name"])

    @property
    def names(self) -> list[str]:
        return [self.name, *(str(app["name"]) for app in self.also)]

    @property
    def leader(self) -> str:
        return str(self.app["addon"])

    @property
    def follower(self) -> str:
        return f"{self.name}-db-2"

    @property
    def home(self) -> Path:
        return self.folder / "changeover"

    @property
    def database(self) -> str:
        """Its name on the server, as in its address."""
        return urlsplit(str(self.app["database_url"])).path.lstrip("/")

    @property
    def role(self) -> str:
        return str(urlsplit(self.app["database_url"]).username)

    def pulumi(self, *words: str, **variables: str) -> tuple[int, str]:
        finished = self.stack.pulumi(*words, env={**self.variables, **variables})
        self.said += [f"$ pulumi {' '.join(words)}", str(finished)]
        return finished.code, finished.stdout + finished.stderr

    def up(self, **variables: str) -> tuple[int, str]:
        return self.pulumi("up", "--yes", "--skip-preview", **variables)

    def type_sql(self, *statements: str, as_: str | None = None) -> None:
        """On the old database, as somebody with a credential, or as the superuser."""
        body = {"statements": list(statements), "as": as_}
        self.heroku.patch(f"/_control/databases/{self.leader}", body)

    def knob(self, database: str, **knobs: Any) -> None:
        self.heroku.patch(f"/_control/databases/{database}", knobs)

    def must(self, *words: str) -> None:
        if self.pulumi(*words)[0]:
            raise CaseFailed(f"pulumi {' '.join(words)} failed on the way to the case")


def serves(scene: Scene) -> bool:
    return all(_serves(scene.heroku, app, {"web", "worker"} if app is scene.app else {"web"}) for app in apps(scene))


def apps(scene: Scene) -> list[dict[str, Any]]:
    return [scene.app, *scene.also]


def _serves(heroku: LocalHeroku, app: Mapping[str, Any], types: set[str]) -> bool:
    """Whether users reach the app: no maintenance, and dynos up as the formation says."""
    name = app["name"]
    if heroku.get(f"/apps/{name}")["maintenance"]:
        return False
    up = {d["type"] for d in heroku.get(f"/apps/{name}/dynos") if d["state"] == "up"}
    return types <= up


def changeover_processes(scene: Scene) -> list[int]:
    """Steps and keepers of this scene, known by where they keep their record."""
    names = {"heroku-changeover", "heroku_changeover"}
    return [p.pid for p in processes_of(scene) if names & {Path(word).name for word in cmdline(p)}]


def left_behind(scene: Scene) -> list[str]:
    """
    What each step or keeper is at that is still there after a while: a keeper looks ten times a second whether its
    window was closed, but nobody promises it a processor at once.
    """
    try:
        wait("keepers to end", lambda: not changeover_processes(scene), LEAVE_LIMIT, PROCESS_POLL)
    except CaseFailed:
        return [_at_work(pid) for pid in changeover_processes(scene)]
    return []


def _at_work(pid: int) -> str:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        since = datetime.fromtimestamp(process.create_time(), UTC).isoformat()
        return f"{pid}, {process.status()}, since {since}: {' '.join(cmdline(process))}"
    return f"{pid}, gone by now"


def left_by_the_engine(scene: Scene) -> list[int]:
    """Plugins of a killed engine, which find out on their own after minutes."""
    ours = set(changeover_processes(scene))
    return [p.pid for p in processes_of(scene) if p.pid not in ours]


def processes_of(scene: Scene) -> list[psutil.Process]:
    """On whatever machine of this case they are: each has a folder for its records there."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get("HEROKU_CHANGEOVER_HOME", "").startswith(f"{scene.folder}/"):
                found.append(process)
    return found


def cmdline(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def family(pid: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []


def kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def wait(what: str, probe: Callable[[], bool], seconds: float, poll: float = POLL) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise CaseFailed(f"not within {seconds:.0f} s: {what}")
        time.sleep(poll)
