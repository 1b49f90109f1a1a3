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
    folder = tmp_path / "changeover"
    yield folder
    for file in folder.rglob("*.keeper"):
        with suppress(ValueError, psutil.NoSuchProcess):
            keeper = psutil.Process(int(file.read_text()))
            if "heroku_changeover" in keeper.cmdline():
                keeper.kill()


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
