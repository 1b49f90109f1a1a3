"""A keeper whose environment is removed while it watches, as a CI job does that cleans up, and one that is refused."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from heroku_changeover.terms.order import STEPS
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

from .lost_runs import RUN, keeper_of, run_until

pytestmark = pytest.mark.steps

PARTS = (
    "heroku_changeover",
    "psycopg",
    "psycopg_binary",
    "psycopg_binary.libs",
    "psutil",
    "urllib3",
    "typing_extensions",
)


def environment_of_its_own(folder: Path) -> Path:
    """A virtual environment with all that the program needs, and nothing that is anywhere else; its interpreter."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    for part in PARTS:
        if (place := _place(part)) is not None:
            copy = shutil.copytree if place.is_dir() else shutil.copy
            copy(place, site / place.name)
    return folder / "bin" / "python"


def _place(part: str) -> Path | None:
    if part.endswith(".libs"):  # what wheels carry beside their package
        beside = importlib.util.find_spec(part.removesuffix(".libs"))
        libraries = Path(str(beside.origin)).parents[1] / part if beside else Path(part)
        return libraries if libraries.exists() else None
    found = importlib.util.find_spec(part)
    if found is None or found.origin is None:
        return None
    return Path(found.origin).parent if found.submodule_search_locations else Path(found.origin)


@pytest.mark.parametrize("last", ["scale-down", "promote"])
def test_a_keeper_whose_environment_was_removed_closes_the_window(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path, last: str
) -> None:
    """Before the point of no return it puts back; after it it finishes, for which it speaks SQL."""
    python = environment_of_its_own(tmp_path / "environment")
    steps = [[str(python), *operator.words(step)] for step in STEPS[: STEPS.index(last) + 1]]
    clean = {name: value for name, value in operator.environment.items() if name != "PYTHONPATH"}
    with subprocess.Popen(
        [python, "-c", RUN.format(steps=steps)], env=clean, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as run:
        assert run.stdout is not None
        assert run.stdout.readline().strip(), "a step failed"
        shutil.rmtree(tmp_path / "environment")
        run.kill()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None, 60)

    log = next(operator.home.rglob("*.log")).read_text()
    assert "the window was closed" in log, log
    assert not operator.app()["maintenance"]
    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 1}


def test_a_keeper_that_is_refused_for_a_while_closes_the_window_all_the_same(
    operator: Operator, heroku: LocalHeroku
) -> None:
    with run_until(operator, "scale-down") as run:
        heroku.fault("status", "/.*", status=401, error_id="unauthorized", times=100_000)
        run.kill()
        log = next(operator.home.rglob("*.log"))
        heroku.wait_until("some tries that failed", lambda: log.read_text().count("not yet") >= 3, 60)
        heroku.clear_faults()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None, 60)

    assert operator.is_as_found()


def test_a_keeper_has_of_its_environment_what_it_needs_and_no_more(operator: Operator) -> None:
    os.environ["RUNNER_TRACKING_ID"] = os.environ["A_SECRET_OF_THE_JOB"] = "something"
    try:
        with run_until(operator, "maintenance-on"):
            keeper = keeper_of(operator)
            assert keeper is not None
            found = keeper.environ()
    finally:
        del os.environ["RUNNER_TRACKING_ID"], os.environ["A_SECRET_OF_THE_JOB"]

    assert found["HEROKU_API_KEY"] == operator.heroku.token
    assert {"RUNNER_TRACKING_ID", "A_SECRET_OF_THE_JOB", "HEROKU_CHANGEOVER_WINDOW"}.isdisjoint(found)
