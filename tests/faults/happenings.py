"""What happens while a step is stopped at an act, by the names that cases have for it."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import psutil
import psycopg

from faults.rival import begin_second_machine, second_machine, second_run_of_the_stack
from faults.scene import (
    LATE_SECONDS,
    REACHED_LIMIT,
    SECOND,
    STATUSES,
    CaseFailed,
    Scene,
    changeover_processes,
    family,
    kill,
    processes_of,
    wait,
)
from kit.acts import READS, WRITES

ALWAYS = 100_000
"""How often a fault hits that lasts until somebody mends it."""

LOOKS_AGAIN = 1.5
"""Seconds in which a keeper has looked at the run once more."""

FORGOTTEN = 60.0
"""Seconds after which a server has to notice that a machine is not there any more."""

PATIENT_ANSWERS = 6
"""More than the looks that a wait has under way at the same time."""

COOKIE = "JENKINS_NODE_COOKIE"
"""By this variable Jenkins finds the processes that a job left behind, to end them."""


@dataclass(frozen=True, slots=True)
class Stopped:
    """Who is who while a process is stopped at an act; `go` lets it go on. Its run may be none of the engine's."""

    cli: int
    step: int
    plugin: int
    go: Callable[[], None]


def _go(stopped: Stopped) -> None:
    stopped.go()


def _step_killed(_: Scene, stopped: Stopped) -> None:
    kill(stopped.step)


def _step_ended(_: Scene, stopped: Stopped) -> None:
    os.kill(stopped.step, signal.SIGTERM)
    _go(stopped)


def _ctrl_c(_: Scene, stopped: Stopped) -> None:
    os.kill(stopped.cli, signal.SIGINT)


def _ctrl_c_twice(_: Scene, stopped: Stopped) -> None:
    os.kill(stopped.cli, signal.SIGINT)
    with suppress(CaseFailed):
        wait("the step to be ended by the engine", lambda: not psutil.pid_exists(stopped.step), 1)
    with suppress(ProcessLookupError):
        os.kill(stopped.cli, signal.SIGINT)


def _cli_killed(_: Scene, stopped: Stopped) -> None:
    kill(stopped.cli)
    _go(stopped)


def _machine_lost(scene: Scene, stopped: Stopped) -> None:
    """Everything at once: first the keeper, which would otherwise see the others go."""
    kill(*changeover_processes(scene), *family(stopped.cli))


def _wire_cut(scene: Scene, stopped: Stopped) -> None:
    """
    The machine is gone and says no goodbye. What it held on the old database has to go by itself, long before a person
    is patient no more.
    """
    if scene.place is not None:
        scene.place.cut_the_wire()
    _machine_lost(scene, stopped)
    began = time.monotonic()
    with suppress(CaseFailed):
        wait("the session of a machine that is gone to end", lambda: not _sessions_of_steps(scene), FORGOTTEN)
        scene.said.append(f"the sessions of the lost machine ended after {time.monotonic() - began:.0f} s")
        return
    scene.trouble.append(f"the machine is gone for {FORGOTTEN:.0f} s, and its sessions hold the old database still")


def _sessions_of_steps(scene: Scene) -> int:
    with psycopg.connect(scene.heroku.database_url(scene.leader)) as session:
        row = session.execute(
            "SELECT count(*) FROM pg_catalog.pg_stat_activity WHERE application_name LIKE 'heroku-changeover%'"
        ).fetchone()
    return int(row[0]) if row else 0


def _hours_pass(scene: Scene, stopped: Stopped) -> None:
    """The machine is lost, and all that its record tells is two hours older when the next run reads it."""
    _machine_lost(scene, stopped)
    for record in scene.home.rglob("*.window.json"):
        told = {**_earlier(json.loads(record.read_text())), "boot": ""}  # by the clock of a machine that started since
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
    wait("the write to be on its way", lambda: _was_delayed(scene, method, path), REACHED_LIMIT)
    kill(stopped.step)


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
    scene.heroku.fault("status", ".*", status=503, times=ALWAYS)
    _go(stopped)
    time.sleep(8)
    scene.heroku.clear_faults()


def _unprovable(scene: Scene, stopped: Stopped) -> None:
    """Somebody who overrides the read-only setting takes a transaction on the old database, then the run is ended."""
    with psycopg.connect(scene.app["database_url"], autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute("SELECT pg_current_xact_id()")
    os.kill(stopped.cli, signal.SIGINT)


def _nothing(_: Scene, stopped: Stopped) -> None:
    """Nothing goes wrong but the world itself."""
    _go(stopped)


def _worker_scales_up(scene: Scene, stopped: Stopped) -> None:
    """Somebody, or an autoscaler, starts what writes."""
    scene.heroku.patch(f"/apps/{scene.name}/formation/worker", {"quantity": 1})
    scene.heroku.wait_until("the worker to write", lambda: _has_dyno(scene, "worker"))
    _go(stopped)


def _has_dyno(scene: Scene, kind: str) -> bool:
    dynos = scene.heroku.get(f"/apps/{scene.name}/dynos")
    return any(d["type"] == kind and d["state"] == "up" for d in dynos)


def _unlogged_filled(scene: Scene, stopped: Stopped) -> None:
    """A table that was empty at every look so far."""
    scene.type_sql("INSERT INTO cache SELECT generate_series(1, 40)", as_="default")
    _go(stopped)


def _companion_refused(scene: Scene, stopped: Stopped) -> None:
    """Heroku takes DATABASE and refuses another name, for whatever reason it has."""
    _refuse_attaching(scene, SECOND)
    _go(stopped)


def _refuse_attaching(scene: Scene, name: str) -> None:
    words = {"status": 422, "error_id": "invalid_params", "message": f"{name} cannot be attached."}
    scene.heroku.fault("status", "/addon-attachments", method="POST", body=f'"{name}"', times=ALWAYS, **words)


def _attach_refused(scene: Scene, stopped: Stopped) -> None:
    """DATABASE cannot be moved, and at that moment the Data API knows of no database."""
    _refuse_attaching(scene, "DATABASE")
    scene.heroku.fault("status", "/client/v11/databases/.*", times=ALWAYS, status=404, error_id="not_found")
    _go(stopped)


def _step_stopped(scene: Scene, stopped: Stopped) -> None:
    """It stands still, as when its disk does, and much later it does so still."""
    os.kill(stopped.step, signal.SIGSTOP)
    _much_later(scene)


def _much_later(scene: Scene) -> None:
    """Twice, since a keeper may see the last sign of life a moment after it was given."""
    for _ in range(2):
        time.sleep(LOOKS_AGAIN)
        if scene.injection is not None:
            scene.injection.pass_time(3600)


def _server_stalls(scene: Scene, stopped: Stopped) -> None:
    """The disk of the old database's server: it answers nothing and closes nothing."""
    scene.knob(scene.leader, stall=True)
    _go(stopped)


def _retry_after(scene: Scene, stopped: Stopped) -> None:
    """One path fails for a while, and every answer says to come back half a minute later."""
    path = READS[scene.case.act].format(app=scene.name)
    patience = {"status": 503, "headers": {"Retry-After": "30"}}
    scene.heroku.fault("status", path, method="GET", times=PATIENT_ANSWERS, **patience)
    _go(stopped)


def _keeper_401(scene: Scene, stopped: Stopped) -> None:
    """The run is gone, and the next answers of Heroku's say that nobody is known by this token."""
    scene.heroku.fault("status", ".*", times=3, status=401, error_id="unauthorized")
    kill(stopped.cli, stopped.step)


def _record_removed(scene: Scene, stopped: Stopped) -> None:
    for record in scene.home.rglob("*.window.json"):
        record.unlink()
    kill(stopped.cli, stopped.step)


def _record_cut(scene: Scene, stopped: Stopped) -> None:
    """As by a disk that is full, or a machine that went down: the beginning of the record is there."""
    for record in scene.home.rglob("*.window.json"):
        record.write_text(record.read_text()[:40])
    kill(stopped.cli, stopped.step)


def _environment_removed(scene: Scene, stopped: Stopped) -> None:
    """The virtual environment goes with the run, as on a runner that cleans up its folder."""
    if scene.injection is not None:
        scene.injection.take_program_away()
    kill(stopped.cli, stopped.step)


def _job_ended(scene: Scene, stopped: Stopped) -> None:
    """A CI system ends its job: every process that has the job's cookie in its environment."""
    marked = [p.pid for p in processes_of(scene) if _has_cookie(p, str(scene.folder))]
    kill(stopped.cli, stopped.step, *marked)


def _has_cookie(process: psutil.Process, cookie: str) -> bool:
    with suppress(psutil.Error, OSError):
        return process.environ().get(COOKIE) == cookie
    return False


def _clock_steps(seconds: float) -> "Callable[[Scene, Stopped], None]":
    def happen(scene: Scene, stopped: Stopped) -> None:
        """The machine's time is set while the run goes on."""
        if scene.injection is not None:
            scene.injection.step_wall_clock(seconds)
        _go(stopped)

    return happen


def _recovered_by_hand(scene: Scene, stopped: Stopped) -> None:
    """The machine is lost, and on another one, which knows nothing, a person says how the app was."""
    _machine_lost(scene, stopped)
    words = ["recover", "--app", scene.name, "--was", "web=1", "--was", "worker=1", "--yes"]
    finished = subprocess.run(
        [sys.executable, "-m", "heroku_changeover", *words],
        env={**os.environ, **scene.heroku.environment, "HEROKU_CHANGEOVER_HOME": str(scene.folder / "by-hand")},
        capture_output=True,
        text=True,
        timeout=REACHED_LIMIT,
        check=False,
    )
    scene.said += [f"$ heroku-changeover {' '.join(words)}", f"exit code {finished.returncode}", finished.stderr]


def _second_machine(scene: Scene, stopped: Stopped) -> None:
    """Another changeover of the same database, from elsewhere, while the first one is at this act."""
    second_machine(scene)
    _go(stopped)


def _second_machine_while_stopped(scene: Scene, stopped: Stopped) -> None:
    """The first one stands still, as on a laptop that sleeps, and goes on when the second one has ended."""
    os.kill(stopped.step, signal.SIGSTOP)
    second_machine(scene)
    with suppress(ProcessLookupError):
        os.kill(stopped.step, signal.SIGCONT)
    _go(stopped)


def _second_machine_after_loss(scene: Scene, stopped: Stopped) -> None:
    _machine_lost(scene, stopped)
    second_machine(scene)


def _second_machine_beside(scene: Scene, stopped: Stopped) -> None:
    """It has looked already, and waits for what the first one holds, when that goes on."""
    begin_second_machine(scene)
    _go(stopped)


def _second_run(scene: Scene, stopped: Stopped) -> None:
    """`pulumi cancel` lets the stack go, although the step of the first run lives."""
    second_run_of_the_stack(scene)
    _go(stopped)


HAPPENINGS: dict[str, Callable[[Scene, Stopped], None]] = {
    "step-killed": _step_killed,
    "step-ended": _step_ended,
    "ctrl-c": _ctrl_c,
    "ctrl-c-twice": _ctrl_c_twice,
    "cli-killed": _cli_killed,
    "machine-lost": _machine_lost,
    "wire-cut": _wire_cut,
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
    "nothing": _nothing,
    "worker-scales-up": _worker_scales_up,
    "unlogged-filled": _unlogged_filled,
    "companion-refused": _companion_refused,
    "attach-refused": _attach_refused,
    "step-stopped": _step_stopped,
    "server-stalls": _server_stalls,
    "retry-after": _retry_after,
    "keeper-401": _keeper_401,
    "record-removed": _record_removed,
    "record-cut": _record_cut,
    "environment-removed": _environment_removed,
    "job-ended": _job_ended,
    "clock-forward": _clock_steps(2.0),
    "clock-back": _clock_steps(-2.0),
    "clock-set": _clock_steps(7200.0),
    "clock-was-wrong": _cli_killed,
    "recovered-by-hand": _recovered_by_hand,
    "second-machine": _second_machine,
    "second-machine-while-stopped": _second_machine_while_stopped,
    "second-machine-after-loss": _second_machine_after_loss,
    "second-machine-beside": _second_machine_beside,
    "second-run": _second_run,
}
