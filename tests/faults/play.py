"""One case from its stage to the end of its last run: a run that is stopped at an act, what happens, what follows."""

import re
import shlex
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

from faults.cases import Case, Then
from faults.happenings import HAPPENINGS, Stopped
from faults.rival import end_second_machine
from faults.scene import (
    ENDED_LIMIT,
    PAUSE,
    PROCESS_POLL,
    REACHED_LIMIT,
    SECOND,
    SERVING_LIMIT,
    SIZES,
    CaseFailed,
    Scene,
    apps,
    changeover_processes,
    family,
    kill,
    left_by_the_engine,
    serves,
    wait,
)
from faults.seconds import AT_THE_KEEPER
from faults.worlds import WORLDS, variables_of
from faults.writers import writing
from kit.elsewhere import elsewhere
from kit.injection import Injection, Stop
from kit.orders import Customer
from kit.project import project_in
from kit.rogue import Rogue, rogue_on
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

START_OVER = re.compile(r"`(\w+)=(\S+) pulumi (destroy --target [^`]+)`")
UNUSUAL_SETTINGS = {
    "lag-stays": {"windowBudget": "5"},
    "server-stalls": {"windowBudget": "15"},
    "retry-after": {"windowBudget": "15"},
}
CLOCKED = {"step-stopped", "clock-forward", "clock-back", "clock-set", "clock-was-wrong"}
"""Happenings that move the clocks of the run's processes; but for the last one, later runs have the same time."""

HOURS = 7200.0
"""By how much a clock is wrong."""

LOST = {"machine-lost", "wire-cut", "hours-pass", "recovered-by-hand", "second-machine-after-loss"}
"""What ends the keeper too: the app is down until the next `pulumi up`."""

NEEDS_MENDING = {"release-fails", "token-expires", "attach-refused"}
"""What keeps the app down until a person has mended something outside of this project."""

PASSES = {"server-stalls"}
"""What keeps the keeper waiting too, and is over at some time: after that nobody has to do anything."""

UNLOCKS = {
    "cli-killed",
    "clock-was-wrong",
    "keeper-401",
    "record-removed",
    "record-cut",
    "environment-removed",
    "job-ended",
    *LOST,
}
"""What leaves the stack locked, since the engine could not let it go."""

SPIN = 0.1
"""Seconds of a processor that are asked for, to see how long it takes to get them."""

ORDER_LIMIT = 30.0
"""Seconds for an app that serves to take an order: its dynos may be restarted by a release."""


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
    _settle(scene)
    return scene


def _settle(scene: Scene) -> None:
    case, world = scene.case, WORLDS[scene.case.world]
    settings = {"app": scene.name, "plan": "standard-2", "adopt": scene.leader, "oneOffDynos": "stop"}
    scene.stack.edit({**settings, **UNUSUAL_SETTINGS.get(case.what, {}), **world.settings})
    world.arrange(scene)
    scene.variables |= variables_of(scene)
    _adopt(scene)
    if case.what == "sigterm-ignored":
        scene.heroku.patch("/_control/world", {"grace": 2})
        scene.heroku.patch(f"/apps/{scene.name}/config-vars", {"IGNORE_SIGTERM": "1"})
    scene.heroku.wait_until("the apps to be up again", lambda: serves(scene))
    scene.heroku.post(f"/apps/{scene.name}/dynos", {"command": "sleep 600"})


def _adopt(scene: Scene) -> None:
    scene.stack.edit({"plan": "standard-0"})
    scene.must("up", "--yes", "--skip-preview")
    scene.stack.edit({"plan": "standard-2"})


@contextmanager
def traffic(scene: Scene) -> Iterator[tuple[list[Customer], Rogue | None]]:
    """A client of each app for the length of a block, those with a login of their own, and one that does not stop."""
    customers = [Customer(app["web_url"], threads=1, pause=PAUSE).start() for app in apps(scene)]
    try:
        with writing(scene.writers):
            if scene.case.rogue:
                with rogue_on(scene.app["database_url"], threads=1) as rogue:
                    yield customers, rogue
            else:
                yield customers, None
    finally:
        for customer in customers:
            customer.stop()


def play(scene: Scene) -> None:
    """The run with its fault, and what comes after it by itself, up to the end of every process of it."""
    WORLDS[scene.case.world].begin(scene)
    with _place(scene):
        _play(scene)


@contextmanager
def _place(scene: Scene) -> Iterator[None]:
    """Where the run is: on a machine of its own, where the case has one, whose wire to the databases can be cut."""
    if scene.case.world != "elsewhere":
        yield
        return
    with elsewhere(scene.heroku.api) as scene.place:
        scene.knob(scene.leader, listen_at=scene.place.here)
        scene.app["database_url"] = scene.heroku.database_url(scene.leader)
        yield


def _play(scene: Scene) -> None:
    if scene.case.unstopped:
        scene.ended = scene.up()[0]
    else:
        _interrupted(scene, scene.case, scene.case.then if scene.case.then and scene.case.then.keeper else None)
    _aftermath(scene, scene.case.what)
    if scene.case.then and not scene.case.then.keeper:
        _unlock(scene, scene.case.what)
        _interrupted(scene, scene.case.then, None)
        _aftermath(scene, scene.case.then.what)


def _injected(scene: Scene, first: Case | Then, second: Then | None) -> Injection:
    """Where the run stops, and its keeper; with a clock that moves, where the case is about time."""
    stops = [Stop("first", first.act.value, first.phase, first.nth)]
    stops += [Stop("second", second.act.value, second.phase, keeper=True)] if second else []
    injection = Injection(scene.folder / f"injected-{len(scene.said)}", *stops, clock=first.what in CLOCKED)
    if first.what == "clock-was-wrong":
        injection.step_wall_clock(HOURS)
    elif first.what in CLOCKED:
        scene.variables |= injection.environment
    return injection


def _interrupted(scene: Scene, first: Case | Then, second: Then | None) -> None:
    scene.injection = injection = _injected(scene, first, second)
    with (scene.folder / "interrupted.log").open("w+") as output:
        environment = {**scene.variables, **injection.environment}
        run = scene.stack.start(
            "up",
            "--yes",
            "--skip-preview",
            env=environment,
            stdout=output.fileno(),
            prefix=scene.place.prefix if scene.place else (),
        )
        try:
            stopped = _wait_for_stop(first, injection, run)
            scene.happened_at = time.time()
            HAPPENINGS[first.what](scene, _stopped(run.pid, stopped, injection, "first"))
            if second:
                _strike_again(scene, second)
            wait(f"the interrupted run to end after {first}", lambda: run.poll() is not None, ENDED_LIMIT)
            scene.ended = run.poll()
            end_second_machine(scene)
        finally:
            if run.poll() is None:
                kill(*family(run.pid))
                run.wait()
            output.seek(0)
            scene.said += ["$ pulumi up --yes --skip-preview, with the fault", output.read()]


def _stopped(cli: int, who: dict[str, Any], injection: Injection, name: str) -> Stopped:
    return Stopped(cli, who["pid"], who["plugin"], lambda: injection.go(name))


def _wait_for_stop(at: Case | Then, injection: Injection, run: "subprocess.Popen[str]") -> dict[str, Any]:
    where = f"{at.phase} {at.act.value}"
    there: Callable[[], bool] = lambda: injection.stopped("first") is not None  # noqa: E731 - asked for twice
    wait(f"a step to reach {where}", lambda: there() or run.poll() is not None, REACHED_LIMIT)
    stopped = injection.stopped("first")
    if stopped is None:
        raise CaseFailed(f"the run ended before a step reached {where}")
    return stopped


def _strike_again(scene: Scene, second: Then) -> None:
    """The keeper is at work because of the first fault, and comes to an act."""
    injection = scene.injection
    if injection is None:
        return
    reached: Callable[[], bool] = lambda: injection.stopped("second") is not None  # noqa: E731 - asked for twice
    wait(f"a keeper to reach {second.phase} {second.act.value}", reached, REACHED_LIMIT)
    who = injection.stopped("second")
    if who is not None:
        AT_THE_KEEPER[second.what](scene, second.act, _stopped(who["plugin"], who, injection, "second"))


def _aftermath(scene: Scene, what: str) -> None:
    """What needs nobody: the step that outlived its run, and the keeper."""
    lost = what in LOST or _keeper_is_lost(scene)
    if what in PASSES:
        _mend(scene, what)
    if what not in NEEDS_MENDING:
        wait("steps and keepers to end", lambda: not changeover_processes(scene), ENDED_LIMIT, PROCESS_POLL)
    if what not in NEEDS_MENDING and not lost:
        with suppress(CaseFailed):
            wait("the app to serve", lambda: serves(scene), SERVING_LIMIT)
            scene.down_seconds, scene.boot_seconds = _until_it_served(scene), _boot(scene)
            scene.busy = how_busy()
    scene.trouble += _deaf(scene)
    _mend(scene, what)
    kill(*left_by_the_engine(scene))


def _keeper_is_lost(scene: Scene) -> bool:
    then = scene.case.then
    return bool(then and then.keeper and then.what == "killed")


def _deaf(scene: Scene) -> Iterator[str]:
    """Apps that are not in maintenance and take no orders: nobody who watches them from outside sees it."""
    for app in apps(scene) if scene.takes_orders else ():
        name = app["name"]
        if scene.heroku.get(f"/apps/{name}")["maintenance"]:
            continue
        if not any(scene.heroku.quantities(name).values()):
            if scene.case.world == "held-scaled":
                continue  # that was somebody else
            yield f"{name} is out of maintenance, and none of its dynos is asked for"
        elif not _takes_an_order(str(app["web_url"])):
            yield f"{name} is out of maintenance, and takes no order"


def _takes_an_order(url: str) -> bool:
    deadline = time.monotonic() + ORDER_LIMIT
    while time.monotonic() < deadline:
        with suppress(OSError):
            request = Request(f"{url}orders", b'{"reference": "proof"}', method="POST")
            with urlopen(request, timeout=ORDER_LIMIT) as answer:
                return bool(answer.status == 201)
        time.sleep(PAUSE)
    return False


def how_busy() -> float:
    """How many times as long as alone a process takes on this machine at this moment."""
    began, spent = time.monotonic(), time.process_time()
    while time.process_time() - spent < SPIN:
        pass
    return max(1.0, (time.monotonic() - began) / SPIN)


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
    what = scene.case.then.what if scene.case.then and not scene.case.then.keeper else scene.case.what
    _unlock(scene, what)
    if _rival_has_it(scene):
        return
    mend = WORLDS[scene.case.world].mend
    for _ in range(4):
        code, said = scene.up()
        if code == 0:
            if scene.case.unstopped and mend is not None:
                mend(scene)  # what was taken down by hand may be left so
            return
        if "the stack is currently locked" in said and "ctrl-c-twice" in {scene.case.what, what}:
            scene.pulumi("cancel", "--yes")  # the second one may hit the engine before it has let its own lock go
        elif mend is not None and START_OVER.search(said) is None:
            mend(scene)
            mend = None
        else:
            _start_over(scene, said)
    raise CaseFailed("`pulumi up` did not finish the job")


def _rival_has_it(scene: Scene) -> bool:
    """Whether the other changeover was the one that moved the app: then this stack has nothing to finish."""
    return bool(scene.rival) and scene.heroku.primary(scene.name) == scene.rival


def _unlock(scene: Scene, what: str) -> None:
    if what in UNLOCKS:
        scene.pulumi("cancel", "--yes")


def _start_over(scene: Scene, said: str) -> None:
    sentence = START_OVER.search(said)
    if sentence is None:
        raise CaseFailed("`pulumi up` neither finished the job nor said what a person must do")
    scene.started_over = True
    words = (*shlex.split(sentence[3]), "--yes", "--skip-preview")
    if scene.pulumi(*words, **{sentence[1]: sentence[2]})[0]:
        raise CaseFailed(f"what a person was told to do failed: {sentence[0]}")


def _mend(scene: Scene, what: str) -> None:
    """What a person does about a cause that lies outside, before the next `pulumi up`."""
    heroku, name = scene.heroku, scene.name
    heroku.clear_faults()
    if what == "token-expires":
        token = scene.stack.environment["HEROKU_API_KEY"]
        heroku.patch("/_control/world", {"token": token})
        heroku.token = token
    if what == "release-fails":
        heroku.patch(f"/_control/apps/{name}", {"release": "true"})
        heroku.patch(f"/apps/{name}/config-vars", {"MENDED": "1"})
    if what == "follower-stopped":
        scene.knob(scene.follower, restart=True)
    if what == "lag-stays":
        scene.knob(scene.follower, hold_replay=False)
    if what == "server-stalls":
        scene.knob(scene.leader, stall=False)
    if what in NEEDS_MENDING:
        wait("keepers to end", lambda: not changeover_processes(scene), ENDED_LIMIT, PROCESS_POLL)
