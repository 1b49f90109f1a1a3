"""A local Heroku as a process of its own, for tests and the demo; spoken to only over HTTP."""

import json
import os
import selectors
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

READY_SECONDS = 60.0
ANSWER_SECONDS = 45.0
Json = Any


def visit(url: str) -> tuple[int, str]:
    """What a visitor of an app gets: status and text, of an error page too."""
    try:
        with urlopen(url, timeout=35) as answer:
            return int(answer.status), answer.read().decode()
    except HTTPError as error:
        with error:
            return error.code, error.read().decode()


def environment_of(api: str, token: str) -> dict[str, str]:
    """What a client has to have in its environment."""
    return {"HEROKU_API_URL": api, "HEROKU_API_KEY": token}


def request_of(
    url: str, token: str, method: str = "GET", body: Json = None, headers: dict[str, str] | None = None
) -> Request:
    """A request as a client of Heroku's sends it."""
    content = None if body is None else json.dumps(body).encode()
    given = {
        "Accept": "application/vnd.heroku+json; version=3",
        "Authorization": f"Bearer {token}",
        "Content-Type": "application/json",
        **(headers or {}),
    }
    return Request(url, content, given, method=method)


class LocalHerokuFailed(AssertionError):
    """It did not start, or refused a request that a test needs; the text says what it said."""


class LocalHeroku:
    """Started by `with`; ends with the block, and by itself when its starter dies."""

    def __init__(self) -> None:
        self._log = tempfile.TemporaryFile("w+")  # noqa: SIM115 - lives as long as the process that writes it
        search = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.environ.get("PYTHONPATH")]))
        self.process = subprocess.Popen(
            [sys.executable, "-m", "local_heroku"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            env={**os.environ, "PYTHONPATH": search},
            start_new_session=True,  # Ctrl-C is for its starter, which still needs it to bring an app back
        )
        self.api, self.token, self.patience = "", "", ANSWER_SECONDS

    def __enter__(self) -> "LocalHeroku":
        ready = json.loads(self._first_line())
        self.api, self.token = str(ready["api"]), str(ready["token"])
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _first_line(self) -> str:
        stdout = self.process.stdout
        if stdout is None:
            raise LocalHerokuFailed("it has no standard output")
        with selectors.DefaultSelector() as selector:
            selector.register(stdout, selectors.EVENT_READ)
            line = stdout.readline() if selector.select(READY_SECONDS) else ""
        if not line:
            self.process.kill()
            log = self.log_text()
            self.kill()
            raise LocalHerokuFailed(f"the local Heroku did not start:\n{log}")
        return line

    @property
    def environment(self) -> dict[str, str]:
        """What a client has to have in its environment."""
        return environment_of(self.api, self.token)

    def log_text(self) -> str:
        """What it wrote to its standard error so far; empty once it has been stopped."""
        if self._log.closed:
            return ""
        self._log.seek(0)
        return self._log.read()

    def call(
        self, method: str, path: str, body: Json = None, headers: dict[str, str] | None = None
    ) -> tuple[int, Json]:
        """
        Status and decoded body of any answer, refusals included.

        A look that stays without answer is asked for once more; what the local Heroku was at meanwhile is printed.
        """
        request = request_of(self.api + path, self.token, method, body, headers)
        try:
            return self._answer(request)
        except TimeoutError:
            without = f"{method} {path}: no answer in {self.patience} s\n{self._traces()}"
        if method != "GET":
            raise LocalHerokuFailed(without)
        print(f"{without}\nit is asked for again", file=sys.stderr)
        try:
            return self._answer(request)
        except TimeoutError:
            raise LocalHerokuFailed(f"{without}\nnor when it was asked for again\n{self._traces()}") from None

    def _answer(self, request: Request) -> tuple[int, Json]:
        try:
            with urlopen(request, timeout=self.patience) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except HTTPError as error:
            with error:
                return error.code, json.loads(error.read() or b"null")

    def _traces(self) -> str:
        """What it is at, thread by thread and task by task, at the end of its log."""
        self.process.send_signal(signal.SIGUSR1)
        time.sleep(1)
        return self.log_text()

    def _must(self, method: str, path: str, body: Json = None) -> Json:
        status, answer = self.call(method, path, body)
        if status >= 300:
            raise LocalHerokuFailed(f"{method} {path} -> {status} {answer}\n{self.log_text()}")
        return answer

    def get(self, path: str) -> Json:
        return self._must("GET", path)

    def post(self, path: str, body: Json = None) -> Json:
        return self._must("POST", path, body)

    def patch(self, path: str, body: Json) -> Json:
        return self._must("PATCH", path, body)

    def put(self, path: str) -> Json:
        return self._must("PUT", path)

    def delete(self, path: str) -> Json:
        return self._must("DELETE", path)

    def create_app(self, name: str, **options: Json) -> Json:
        """An app that serves; see `control.create_app` for the options and what comes back."""
        return self.post("/_control/apps", {"name": name, **options})

    def database_url(self, addon: str) -> str:
        return str(self.get(f"/_control/databases/{addon}")["url"])

    def credential(self, addon: str, name: str, rights: str = "write") -> str:
        """Makes a credential that may do that with all tables (none, read, write); returns its address."""
        return str(self.post(f"/_control/databases/{addon}/credentials", {"name": name, "rights": rights})["url"])

    def administer(self, addon: str, *statements: str) -> None:
        """Runs statements in a database as a superuser, whom no customer of Heroku is."""
        self.patch(f"/_control/databases/{addon}", {"statements": list(statements)})

    def fault(self, kind: str, path: str, **options: Json) -> None:
        self.post("/_control/faults", {"kind": kind, "path": path, **options})

    def clear_faults(self) -> None:
        self.delete("/_control/faults")

    def counted(self, what: str) -> int:
        """How many `requests` or `events` there were so far: where those of a test begin."""
        return int(self.get("/_control/world")[what])

    def requests(self, first: int = 0) -> list[Json]:
        """Requests to either API from that number on: method, path, status, at."""
        return list(self.get(f"/_control/requests/{first}"))

    def events(self, first: int = 0) -> list[Json]:
        return list(self.get(f"/_control/events/{first}"))

    def primary(self, app: str) -> str:
        """The name of the add-on that is attached as DATABASE."""
        return str(self.get(f"/apps/{app}/addon-attachments/DATABASE")["addon"]["name"])

    def quantities(self, app: str) -> dict[str, int]:
        return {row["type"]: row["quantity"] for row in self.get(f"/apps/{app}/formation")}

    def wait_until(self, what: str, probe: Any, seconds: float = 60.0) -> None:
        """Polls until the probe is true; a wait that runs out says what it waited for, with the log."""
        deadline = time.monotonic() + seconds
        while not probe():
            if time.monotonic() > deadline:
                raise LocalHerokuFailed(f"not within {seconds} s: {what}\n{self.log_text()}")
            time.sleep(0.05)

    def follow(self, app: str, leader: str, plan: str, name: str) -> str:
        """Orders a follower and waits until it is provisioned; returns its name."""
        body = {"plan": f"heroku-postgresql:{plan}", "name": name, "config": {"follow": leader}}
        self.post(f"/apps/{app}/addons", body)
        self.wait_until(f"{name} to be provisioned", lambda: self.get(f"/addons/{name}")["state"] == "provisioned")
        return name

    def stop(self) -> None:
        if self.process.stdin is not None and not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(30)
        finally:
            self.kill()

    def kill(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for stream in (self.process.stdin, self.process.stdout, self._log):
            if stream is not None:
                stream.close()
