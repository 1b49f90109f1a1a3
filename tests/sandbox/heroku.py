"""The local Heroku of the sandbox: one for a checkout, which belongs to whoever came first."""

import errno
import fcntl
import json
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import psutil

from local_heroku.launcher import ANSWER_SECONDS, READY_SECONDS, LocalHeroku, environment_of, request_of

APP, ADDON, PLAN = "shop", "postgresql-round-12345", "standard-0"
"""The app; its add-on has the same name in every sandbox, so that the README can be followed to the letter."""
ROWS = 5000
LOOK_EVERY = 0.1
KEEPER_SECONDS = 15.0
"""For putting an app back at a Heroku that answers at once; dynos boot meanwhile."""


class Busy(Exception):
    """Another process has the sandbox, and is not what it should be; the message says what to do."""


@dataclass(frozen=True, slots=True)
class Running:
    """How a local Heroku is reached: its API, a token for it, and the app as a visitor sees it."""

    api: str
    token: str
    web_url: str

    def where(self) -> str:
        """The add-on that is DATABASE now, with its plan; a sandbox may have been used by others before."""
        addon = self._get(f"/apps/{APP}/addon-attachments/DATABASE")["addon"]["name"]
        return f"{addon} ({self._get(f'/addons/{addon}')['plan']['name'].partition(':')[2]})"

    def _get(self, path: str) -> Any:
        with urlopen(request_of(self.api + path, self.token), timeout=ANSWER_SECONDS) as answer:
            return json.load(answer)

    @property
    def environment(self) -> dict[str, str]:
        """What a client has to have in its environment."""
        return environment_of(self.api, self.token)


@contextmanager
def own_or_found(folder: Path) -> Iterator[tuple[Running, LocalHeroku | None]]:
    """
    The local Heroku that has this folder; one that is started here is handed out as well, and ends with the block.

    Who starts one begins with an empty folder: what an earlier one left behind in it is about databases that are gone.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with folder.with_suffix(".lock").open("w") as lock:
        if not _taken(lock.fileno()):
            yield _found(folder), None
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        with LocalHeroku() as heroku:
            app = heroku.create_app(APP, web=2, worker=1, plan=PLAN, rows=ROWS, addon=ADDON)
            running = Running(heroku.api, heroku.token, app["web_url"])
            _tell(folder, running)
            try:
                yield running, heroku
            finally:
                _told(folder).unlink(missing_ok=True)
                _let_keepers_end(changeover_in(folder))


def changeover_in(folder: Path) -> Path:
    """Where changeovers in the sandbox keep their records."""
    return folder / "changeover"


def _let_keepers_end(records: Path) -> None:
    """While Heroku is there, they bring the app back after a run that broke off; without it they try for an hour."""
    deadline = time.monotonic() + KEEPER_SECONDS
    while (left := at_work(records)) and time.monotonic() < deadline:
        psutil.wait_procs(left, LOOK_EVERY)
    for late in left:
        with suppress(psutil.NoSuchProcess):
            late.kill()


def at_work(records: Path) -> list[psutil.Process]:
    """Steps and keepers, known by where they keep their records."""
    found = psutil.process_iter(["cmdline", "environ"])
    return [
        process
        for process in found
        if {"heroku_changeover", "heroku-changeover"} & {Path(word).name for word in process.info["cmdline"] or ()}
        and (process.info["environ"] or {}).get("HEROKU_CHANGEOVER_HOME") == str(records)
    ]


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in (errno.EAGAIN, errno.EACCES):
            raise
        return False
    return True


def _told(folder: Path) -> Path:
    return folder / "heroku.json"


def _tell(folder: Path, running: Running) -> None:
    """Whole or not at all: another shell may be looking."""
    partial = _told(folder).with_suffix(".partial")
    partial.write_text(json.dumps(asdict(running)))
    partial.rename(_told(folder))


def _found(folder: Path) -> Running:
    """That of another process, which may still be starting."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        try:
            return Running(**json.loads(_told(folder).read_text()))
        except FileNotFoundError:
            time.sleep(LOOK_EVERY)
    raise Busy(f"Another process has {folder}, but no local Heroku runs there. End that process, then try again.")
