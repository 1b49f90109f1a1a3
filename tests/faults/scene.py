"""One case on a stage of its own: an app under traffic, a stack, a run that is stopped at an act, and what happens."""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import psycopg

from faults.cases import Case
from kit.acts import READS, WRITES
from kit.orders import Customer
from kit.project import project_in
from kit.rogue import Rogue, rogue_on
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

INJECTED = Path(__file__).parent / "injected"
REACHED_LIMIT, ENDED_LIMIT, SERVING_LIMIT = 90.0, 150.0, 90.0
LEAVE_LIMIT = 10.0
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

START_OVER = re.compile(r"`(\w+)=(\S+) pulumi (destroy --target [^`]+)`")
STATUSES = {"500": 500, "503": 503, "429": 429}


class CaseFailed(Exception):
    """Something that has to be so after this case is not so."""


@dataclass(slots=True)
class Scene:
    """The parts of one case, and all that was printed in it."""

    case: Case
    heroku: LocalHeroku
    stack: Stack
    folder: Path
    app: dict[str, Any]
    said: list[str] = field(default_factory=list)
    started_over: bool = False
    happened_at: float = 0.0
    down_seconds: float | None = None
    boot_seconds: float = 0.0

    @property
    def name(self) -> str:
        return str(self.app["name"])

    @property
    def follower(self) -> str:
        return f"{self.name}-db-2"

    @property
    def home(self) -> Path:
        return self.folder / "changeover"

    def pulumi(self, *words: str, **variables: str) -> tuple[int, str]:
        finished = self.stack.pulumi(*words, env=variables)
        self.said += [f"$ pulumi {' '.join(words)}", str(finished)]
        return finished.code, finished.stdout + finished.stderr


def prepare(case: Case, heroku: LocalHeroku, new_stack: Stack, folder: Path, name: str) -> Scene:
    """
    An app whose database is to move, with a backup schedule and a one-off dyno, so that every act has something to do.
    """
    app = heroku.create_app(name, web=1, worker=1, rows=100)
    heroku.patch(f"/apps/{name}/formation", {"updates": [{"type": t, "size": s} for t, s in SIZES.items()]})
    heroku.post("/addon-attachments", {"addon": app["addon"], "app": name, "name": SECOND})
    schedule = {"hour": 3, "timezone": "UTC", "schedule_name": "DATABASE_URL"}
    heroku.post(f"/client/v11/databases/{app['addon']}/transfer-schedules", schedule)
    environment = {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(folder / "changeover")}
    stack = Stack(new_stack.toolchain, project_in(folder), folder / "home", folder / "state", environment)
    scene = Scene(case, heroku, stack, folder, app)
    stack.create_like(new_stack)
    settings = {"app": name, "plan": "standard-2", "adopt": app["addon"], "oneOffDynos": "stop"}
    stack.edit({**settings, **UNUSUAL_SETTINGS.get(case.what, {})})
    _adopt(scene)
    if case.what == "sigterm-ignored":
        heroku.patch("/_control/world", {"grace": 2})
        heroku.patch(f"/apps/{name}/config-vars", {"IGNORE_SIGTERM": "1"})
    heroku.wait_until("the app to be up again", lambda: _serves(scene))
    heroku.post(f"/apps/{name}/dynos", {"command": "sleep 600"})
    return scene


def _adopt(scene: Scene) -> None:
    scene.stack.edit({"plan": "standard-0"})
    if scene.pulumi("up", "--yes", "--skip-preview")[0]:
        raise CaseFailed("the database could not be adopted")
    scene.stack.edit({"plan": "standard-2"})


UNUSUAL_SETTINGS = {"lag-stays": {"windowBudget": "5"}}


@contextmanager
def traffic(scene: Scene) -> Iterator[tuple[Customer, Rogue | None]]:
    """A client of the app for the length of a block, and one beside the app where the case says so."""
    customer = Customer(scene.app["web_url"], threads=1, pause=PAUSE).start()
    try:
        if scene.case.rogue:
            with rogue_on(scene.app["database_url"], threads=1) as rogue:
                yield customer, rogue
        else:
            yield customer, None
    finally:
        customer.stop()


def play(scene: Scene) -> None:
    """The run with its fault, and what comes after it by itself, up to the end of every process of it."""
    plan = scene.folder / "plan"
    plan.mkdir()
    words = {"folder": str(plan), "act": scene.case.act.value, "phase": scene.case.phase, "nth": scene.case.nth}
    environment = {"PYTHONPATH": str(INJECTED), "FAULT_PLAN": json.dumps(words)}
    output = (scene.folder / "interrupted.log").open("w+")
    with output:
        run = scene.stack.start("up", "--yes", "--skip-preview", env=environment, stdout=output.fileno())
        try:
            stopped = _wait_for_stop(scene, plan / "stopped", run)
            scene.happened_at = time.time()
            HAPPENINGS[scene.case.what](scene, Stopped(run.pid, stopped["pid"], stopped["plugin"], plan / "go"))
            _wait(f"the interrupted run to end after {scene.case}", lambda: run.poll() is not None, ENDED_LIMIT)
        finally:
            if run.poll() is None:
                _kill(*_family(run.pid))
                run.wait()
            output.seek(0)
            scene.said += ["$ pulumi up --yes --skip-preview, with the fault", output.read()]
    _aftermath(scene)


@dataclass(frozen=True, slots=True)
class Stopped:
    """Who is who while the step is stopped at the act; `go` lets it go on."""

    cli: int
    step: int
    plugin: int
    go: Path


def _wait_for_stop(scene: Scene, path: Path, run: "subprocess.Popen[str]") -> dict[str, int]:
    _wait(
        f"a step to reach {scene.case.phase} {scene.case.act.value}",
        lambda: path.exists() or run.poll() is not None,
        REACHED_LIMIT,
    )
    if not path.exists():
        raise CaseFailed(f"the run ended before a step reached {scene.case.phase} {scene.case.act.value}")
    return dict(json.loads(path.read_text()))


def _aftermath(scene: Scene) -> None:
    """What needs nobody: the step that outlived its run, and the keeper."""
    if scene.case.what not in NEEDS_MENDING:
        _wait("steps and keepers to end", lambda: not changeover_processes(scene), ENDED_LIMIT, PROCESS_POLL)
    if scene.case.what not in {*NEEDS_MENDING, *LOST}:
        with suppress(CaseFailed):
            _wait("the app to serve", lambda: _serves(scene), SERVING_LIMIT)
            scene.down_seconds, scene.boot_seconds = _until_it_served(scene), _boot(scene)
    _mend(scene)
    _kill(*_left_by_the_engine(scene))


def _until_it_served(scene: Scene) -> float:
    """Seconds from the fault to the end of maintenance mode and the first web dyno, by the local Heroku's clock."""
    since = [e for e in scene.heroku.events() if e.get("app") == scene.name and e["at"] > scene.happened_at]
    ends = [float(e["at"]) for e in since if e["what"] == "maintenance" and not e["on"]]
    boots = [float(e["at"]) for e in since if e["what"] == "dyno up" and e["dyno"].startswith("web")]
    return round(max([scene.happened_at, *ends[-1:], *boots[:1]]) - scene.happened_at, 2)


def _boot(scene: Scene) -> float:
    """Seconds that the slowest web dyno took to boot, by what Heroku tells of it in whole seconds."""
    dynos = [d for d in scene.heroku.get(f"/apps/{scene.name}/dynos") if d["type"] == "web" and d["state"] == "up"]
    took = (datetime.fromisoformat(d["updated_at"]) - datetime.fromisoformat(d["created_at"]) for d in dynos)
    return max((t.total_seconds() for t in took), default=0.0)


def finish(scene: Scene) -> None:
    """The next `pulumi up`; where it says what a person has to do, that."""
    if scene.case.what in {"cli-killed", *LOST}:
        scene.pulumi("cancel", "--yes")
    for _ in range(3):
        code, said = scene.pulumi("up", "--yes", "--skip-preview")
        if code == 0:
            return
        if scene.case.what == "ctrl-c-twice" and "the stack is currently locked" in said:
            scene.pulumi("cancel", "--yes")  # the second one may hit the engine before it has let its own lock go
            continue
        sentence = START_OVER.search(said)
        if sentence is None:
            raise CaseFailed("`pulumi up` neither finished the job nor said what a person must do")
        scene.started_over = True
        words = (*shlex.split(sentence[3]), "--yes", "--skip-preview")
        if scene.pulumi(*words, **{sentence[1]: sentence[2]})[0]:
            raise CaseFailed(f"what a person was told to do failed: {sentence[0]}")
    raise CaseFailed("`pulumi up` did not finish the job")


def _serves(scene: Scene) -> bool:
    """Whether users reach the app: no maintenance, and dynos up as the formation says."""
    heroku, name = scene.heroku, scene.name
    if heroku.get(f"/apps/{name}")["maintenance"]:
        return False
    up = {d["type"] for d in heroku.get(f"/apps/{name}/dynos") if d["state"] == "up"}
    return {"web", "worker"} <= up


def changeover_processes(scene: Scene) -> list[int]:
    """Steps and keepers of this scene, known by where they keep their record."""
    names = {"heroku-changeover", "heroku_changeover"}
    return [p.pid for p in _processes_of(scene) if names & {Path(word).name for word in _cmdline(p)}]


def left_behind(scene: Scene) -> list[str]:
    """
    What each step or keeper is at that is still there after a while: a keeper looks ten times a second whether its
    window was closed, but nobody promises it a processor at once.
    """
    try:
        _wait("keepers to end", lambda: not changeover_processes(scene), LEAVE_LIMIT, PROCESS_POLL)
    except CaseFailed:
        return [_at_work(pid) for pid in changeover_processes(scene)]
    return []


def _at_work(pid: int) -> str:
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        since = datetime.fromtimestamp(process.create_time(), UTC).isoformat()
        return f"{pid}, {process.status()}, since {since}: {' '.join(_cmdline(process))}"
    return f"{pid}, gone by now"


def _left_by_the_engine(scene: Scene) -> list[int]:
    """Plugins of a killed engine, which find out on their own after minutes."""
    ours = set(changeover_processes(scene))
    return [p.pid for p in _processes_of(scene) if p.pid not in ours]


def _processes_of(scene: Scene) -> list[psutil.Process]:
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            if process.environ().get("HEROKU_CHANGEOVER_HOME") == str(scene.home):
                found.append(process)
    return found


def _cmdline(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def _family(pid: int) -> list[int]:
    with suppress(psutil.NoSuchProcess):
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    return []


def _kill(*pids: int) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def _wait(what: str, probe: Callable[[], bool], seconds: float, poll: float = POLL) -> None:
    deadline = time.monotonic() + seconds
    while not probe():
        if time.monotonic() > deadline:
            raise CaseFailed(f"not within {seconds:.0f} s: {what}")
        time.sleep(poll)


def _go(stopped: Stopped) -> None:
    stopped.go.touch()


def _step_killed(_: Scene, stopped: Stopped) -> None:
    _kill(stopped.step)


def _step_ended(_: Scene, stopped: Stopped) -> None:
    os.kill(stopped.step, signal.SIGTERM)
    _go(stopped)


def _ctrl_c(_: Scene, stopped: Stopped) -> None:
    os.kill(stopped.cli, signal.SIGINT)


def _ctrl_c_twice(_: Scene, stopped: Stopped) -> None:
    os.kill(stopped.cli, signal.SIGINT)
    with suppress(CaseFailed):
        _wait("the step to be ended by the engine", lambda: not psutil.pid_exists(stopped.step), 1)
    with suppress(ProcessLookupError):
        os.kill(stopped.cli, signal.SIGINT)


def _cli_killed(_: Scene, stopped: Stopped) -> None:
    _kill(stopped.cli)
    _go(stopped)


def _machine_lost(scene: Scene, stopped: Stopped) -> None:
    """Everything at once: first the keeper, which would otherwise see the others go."""
    _kill(*changeover_processes(scene), *_family(stopped.cli))


def _hours_pass(scene: Scene, stopped: Stopped) -> None:
    """The machine is lost, and all that its record tells is two hours older when the next run reads it."""
    _machine_lost(scene, stopped)
    for record in scene.home.rglob("*.window.json"):
        told = {**_earlier(json.loads(record.read_text())), "boot": ""}  # the machine was started anew
        record.write_text(json.dumps(told))


def _earlier(told: Any, seconds: float = 7200.0) -> Any:
    """A record with every time in it moved back; times are the only fractions above a milliard."""
    if isinstance(told, dict):
        return {key: _earlier(value, seconds) for key, value in told.items()}
    if isinstance(told, list):
        return [_earlier(value, seconds) for value in told]
    return told - seconds if isinstance(told, float) and told > 1e9 else told


def _late_write(scene: Scene, stopped: Stopped) -> None:
    """The step is killed while its request is on the way; Heroku carries it out when the keeper has looked."""
    method, path = WRITES[scene.case.act]
    path = path.format(app=scene.name)
    scene.heroku.fault("delay", path, method=method, seconds=LATE_SECONDS)
    _go(stopped)
    _wait("the write to be on its way", lambda: _was_delayed(scene, method, path), REACHED_LIMIT)
    _kill(stopped.step)


def _was_delayed(scene: Scene, method: str, path: str) -> bool:
    late = [e for e in scene.heroku.events() if e["what"] == "fault" and e["at"] > scene.happened_at]
    return any((e["kind"], e["method"], e["path"]) == ("delay", method, path) for e in late)


def _answer_fails(scene: Scene, stopped: Stopped) -> None:
    method, path = WRITES.get(scene.case.act) or ("GET", READS.get(scene.case.act, ".*"))
    what = scene.case.what
    options: dict[str, Any] = {"method": method}
    if what in STATUSES:
        options |= {"status": STATUSES[what], "headers": {"Retry-After": "1"} if what != "500" else {}}
    if what == "not-json":
        options["status"] = 200
    kind = "status" if what in STATUSES else what.replace("-", "_")
    scene.heroku.fault(kind, path.format(app=scene.name), **options)
    _go(stopped)


def _leader_restarted(scene: Scene, stopped: Stopped) -> None:
    scene.heroku.patch(f"/_control/databases/{scene.app['addon']}", {"restart": True})
    _go(stopped)


def _follower_stopped(scene: Scene, stopped: Stopped) -> None:
    scene.heroku.patch(f"/_control/databases/{scene.follower}", {"stop": True})
    _go(stopped)


def _release_fails(scene: Scene, stopped: Stopped) -> None:
    scene.heroku.patch(f"/_control/apps/{scene.name}", {"release": "false"})
    _go(stopped)


def _sigterm_ignored(_: Scene, stopped: Stopped) -> None:
    """The dynos ignore it from the start; nothing else happens."""
    _go(stopped)


def _lag_stays(scene: Scene, stopped: Stopped) -> None:
    scene.heroku.patch(f"/_control/databases/{scene.follower}", {"hold_replay": True})
    _go(stopped)


def _colleague_scales_up(scene: Scene, stopped: Stopped) -> None:
    scene.heroku.patch(f"/apps/{scene.name}/formation/web", {"quantity": 2})
    _go(stopped)


def _token_expires(scene: Scene, stopped: Stopped) -> None:
    _change_token(scene, "another-token")
    _go(stopped)


def _change_token(scene: Scene, token: str) -> None:
    scene.heroku.patch("/_control/world", {"token": token})
    scene.heroku.token = token


def _api_is_down(scene: Scene, stopped: Stopped) -> None:
    scene.heroku.fault("status", ".*", status=503, times=100_000)
    _go(stopped)
    time.sleep(8)
    scene.heroku.clear_faults()


def _unprovable(scene: Scene, stopped: Stopped) -> None:
    """Somebody who overrides the read-only setting takes a transaction on the old database, then the run is ended."""
    with psycopg.connect(scene.app["database_url"], autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute("SELECT pg_current_xact_id()")
    os.kill(stopped.cli, signal.SIGINT)


HAPPENINGS: dict[str, Callable[[Scene, Stopped], None]] = {
    "step-killed": _step_killed,
    "step-ended": _step_ended,
    "ctrl-c": _ctrl_c,
    "ctrl-c-twice": _ctrl_c_twice,
    "cli-killed": _cli_killed,
    "machine-lost": _machine_lost,
    "hours-pass": _hours_pass,
    "late-write": _late_write,
    **dict.fromkeys(("500", "503", "429", "reset-before", "reset-after", "hang", "not-json"), _answer_fails),
    "leader-restarted": _leader_restarted,
    "follower-stopped": _follower_stopped,
    "release-fails": _release_fails,
    "sigterm-ignored": _sigterm_ignored,
    "lag-stays": _lag_stays,
    "colleague-scales-up": _colleague_scales_up,
    "token-expires": _token_expires,
    "api-is-down": _api_is_down,
    "unprovable": _unprovable,
}

LOST = {"machine-lost", "hours-pass"}
"""What ends the keeper too: the app is down until the next `pulumi up`."""

NEEDS_MENDING = {"release-fails", "token-expires"}
"""What keeps the app down until a person has mended something outside of this project."""


def _mend(scene: Scene) -> None:
    """What a person does about a cause that lies outside, before the next `pulumi up`."""
    what, heroku, name = scene.case.what, scene.heroku, scene.name
    heroku.clear_faults()
    if what == "token-expires":
        _change_token(scene, scene.stack.environment["HEROKU_API_KEY"])
    if what == "release-fails":
        heroku.patch(f"/_control/apps/{name}", {"release": "true"})
        heroku.patch(f"/apps/{name}/config-vars", {"MENDED": "1"})
    if what == "follower-stopped":
        heroku.patch(f"/_control/databases/{scene.follower}", {"restart": True})
    if what == "lag-stays":
        heroku.patch(f"/_control/databases/{scene.follower}", {"hold_replay": False})
    if what in NEEDS_MENDING:
        _wait("keepers to end", lambda: not changeover_processes(scene), ENDED_LIMIT, PROCESS_POLL)
