"""Somebody who takes an app through the steps, and the retire guard, for the tests of every room of the package."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import psutil
import pytest

from heroku_changeover.reach.home import HOME_VARIABLE
from kit.operator import LIMIT, Operator
from local_heroku.launcher import LocalHeroku


@pytest.fixture
def operator(heroku: LocalHeroku, shop: dict[str, Any], home: Path) -> Operator:
    """Ready to change over `shop` to a follower on standard-2 that is there already."""
    follower = heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-db-2")
    return Operator(heroku, (shop["name"],), shop["addon"], follower, home)


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Where the steps of one test keep their records; a test that leaves a window open leaves no keeper behind."""
    yield tmp_path / "changeover"
    for process in psutil.process_iter(["cmdline"]):
        if "heroku_changeover" in (process.info["cmdline"] or ()) and _belongs_to(process, tmp_path):
            process.kill()


def _belongs_to(process: psutil.Process, folder: Path) -> bool:
    """By its environment: another machine of the test's has another home, and a keeper outlives its own files."""
    with suppress(psutil.Error):
        return process.environ().get(HOME_VARIABLE, "").startswith(f"{folder}{os.sep}")
    return False


@pytest.fixture
def guard(heroku: LocalHeroku) -> Callable[..., tuple[int, str]]:
    """Asks the retire guard about a database, by its name or, of one that is gone, by its id; nobody aimed at it."""

    def ask(app: str, database: str, *words: str, called: str = "", **variables: str) -> tuple[int, str]:
        status, row = heroku.call("GET", f"/addons/{database}")
        ids = ["--app-id", heroku.get(f"/apps/{app}")["id"], "--database-id", row["id"] if status == 200 else database]
        completed = subprocess.run(
            [sys.executable, "-m", "heroku_changeover", "retire-guard", *ids, "--database", called or database, *words],
            env={**os.environ, **heroku.environment, **variables},
            capture_output=True,
            text=True,
            timeout=LIMIT,
            check=False,
        )
        return completed.returncode, completed.stderr

    return ask
