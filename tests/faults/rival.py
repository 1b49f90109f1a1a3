"""A second changeover of what is changed over already: from another machine, which knows nothing of the first one."""

import os
import subprocess
import sys
import threading
from contextlib import suppress

import psycopg

from faults.scene import CaseFailed, Scene, wait
from heroku_changeover.terms.order import STEPS

RUN_LIMIT = 300.0
QUEUE_LIMIT = 15.0
"""Seconds for it to come to the old database: less than it waits there."""


def prepare_rival(scene: Scene) -> None:
    """Its follower is there, and its first step was done, before the first changeover takes the apps down."""
    scene.rival = scene.heroku.follow(scene.name, scene.leader, "standard-2", f"{scene.name}-other-2")
    if _steps(scene, STEPS[0]):
        raise CaseFailed("the second changeover could not be prepared")


def second_machine(scene: Scene) -> None:
    """The rest of its steps, as far as they get; its run is over then, and its keeper sees that."""
    _steps(scene, *STEPS[1:])


def begin_second_machine(scene: Scene) -> None:
    """The rest of its steps, beside the first one's; returns when it waits for the old database, or got nowhere."""
    scene.beside = threading.Thread(target=second_machine, args=(scene,))
    scene.beside.start()
    with suppress(CaseFailed):
        wait("the second machine to wait for a lock", lambda: _waits(scene) or not _runs(scene), QUEUE_LIMIT)


def _runs(scene: Scene) -> bool:
    return scene.beside is not None and scene.beside.is_alive()


def _waits(scene: Scene) -> bool:
    with psycopg.connect(scene.app["database_url"]) as session:
        row = session.execute(
            "SELECT count(*) FROM pg_catalog.pg_locks l JOIN pg_catalog.pg_stat_activity a USING (pid)"
            " WHERE NOT l.granted AND a.application_name LIKE 'heroku-changeover%'"
        ).fetchone()
    return bool(row and row[0])


def end_second_machine(scene: Scene) -> None:
    if scene.beside is not None:
        scene.beside.join()


RUN = """
import os, pathlib, subprocess, sys
document, words = pathlib.Path(sys.argv[1]), sys.argv[2:]
steps, order = words[:words.index("--")], words[words.index("--") + 1:]
for step in steps:
    window = {"HEROKU_CHANGEOVER_WINDOW": document.read_text() if document.exists() else ""}
    done = subprocess.run(
        [sys.executable, "-m", "heroku_changeover", step, *order], env={**os.environ, **window}, stdout=subprocess.PIPE
    )
    print(f"$ on another machine: {step}, exit code {done.returncode}", file=sys.stderr, flush=True)
    if done.returncode:
        sys.exit(done.returncode)
    document.write_bytes(done.stdout.strip())
"""
"""Stands for the run of an engine: what starts the steps one after the other, and is over with the last one."""


def _steps(scene: Scene, *steps: str) -> int:
    order = ["--generation", "other-2", "--app", scene.name, "--from", scene.leader, "--to", scene.rival]
    finished = subprocess.run(
        [sys.executable, "-c", RUN, str(scene.folder / "rival.json"), *steps, "--", *order],
        env={**os.environ, **scene.heroku.environment, "HEROKU_CHANGEOVER_HOME": str(scene.folder / "rival")},
        capture_output=True,
        text=True,
        timeout=RUN_LIMIT,
        check=False,
    )
    scene.said.append(finished.stderr)
    return finished.returncode


def second_run_of_the_stack(scene: Scene) -> None:
    """`pulumi cancel` and `pulumi up` on a machine that has the stack, and no record of the first one's window."""
    home = {"HEROKU_CHANGEOVER_HOME": str(scene.folder / "rival")}
    scene.pulumi("cancel", "--yes")
    scene.up(**home)
