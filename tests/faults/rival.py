"""A second changeover of what is changed over already: from another machine, which knows nothing of the first one."""

import os
import subprocess
import sys

from faults.scene import CaseFailed, Scene
from heroku_changeover.terms.order import STEPS

STEP_LIMIT = 150.0


def prepare_rival(scene: Scene) -> None:
    """Its follower is there, and its first step was done, before the first changeover takes the apps down."""
    scene.rival = scene.heroku.follow(scene.name, scene.leader, "standard-2", f"{scene.name}-other-2")
    if _step(scene, STEPS[0]):
        raise CaseFailed("the second changeover could not be prepared")


def second_machine(scene: Scene) -> None:
    """The rest of its steps, as far as they get."""
    for step in STEPS[1:]:
        if _step(scene, step):
            return


def _step(scene: Scene, step: str) -> int:
    document = scene.folder / "rival.json"
    window = document.read_text() if document.exists() else ""
    words = ["--generation", "other-2", "--app", scene.name, "--from", scene.leader, "--to", scene.rival]
    finished = subprocess.run(
        [sys.executable, "-m", "heroku_changeover", step, *words],
        env={
            **os.environ,
            **scene.heroku.environment,
            "HEROKU_CHANGEOVER_HOME": str(scene.folder / "rival"),
            "HEROKU_CHANGEOVER_WINDOW": window,
        },
        capture_output=True,
        text=True,
        timeout=STEP_LIMIT,
        check=False,
    )
    scene.said += [f"$ on another machine: {step}", f"exit code {finished.returncode}", finished.stderr]
    if finished.returncode == 0:
        document.write_text(finished.stdout.strip())
    return finished.returncode


def second_run_of_the_stack(scene: Scene) -> None:
    """`pulumi cancel` and `pulumi up` on a machine that has the stack, and no record of the first one's window."""
    home = {"HEROKU_CHANGEOVER_HOME": str(scene.folder / "rival")}
    scene.pulumi("cancel", "--yes")
    scene.up(**home)
