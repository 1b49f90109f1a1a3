"""A Platform API in memory that knows one app and its add-ons and records what it is asked."""

import json
import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock, Thread
from typing import Any

APP = "01234567-89ab-cdef-0123-456789abcdef"
APP_NAME = "shop"
FULL_PLAN = {"heroku-postgresql": "heroku-postgresql:standard-0"}

Answer = tuple[int, Any]
NOT_FOUND: Answer = (404, {"id": "not_found", "message": "Couldn't find that add-on."})


@dataclass(frozen=True)
class Request:
    """What was asked; `body` is the decoded JSON, None where there was none."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any

    @property
    def line(self) -> str:
        """The method and the path, with the add-on's id as {id}."""
        path = re.sub(r"(/addons)/[0-9a-f-]{36}$", r"\1/{id}", self.path)
        return f"{self.method} {path}"


@dataclass
class RecordingHeroku:
    """
    Answers like Heroku, apart from what a test sets here.

    `pending_polls` is for how many polls an add-on stays `provisioning`; `enough_orders` keeps every add-on so until
    that many have been ordered; `instead` maps a method and path to another answer: the path with the real id or with
    the add-on's name in its place, for an order the name behind the path.
    """

    url: str = ""
    pending_polls: int = 0
    enough_orders: int = 0
    instead: dict[str, Answer] = field(default_factory=dict)
    requests: list[Request] = field(default_factory=list)
    addons: dict[str, dict[str, Any]] = field(default_factory=dict)
    polls: dict[str, int] = field(default_factory=dict)
    lock: Lock = field(default_factory=Lock)

    def answer(self, request: Request) -> Answer:
        """Record a request and say what to answer."""
        with self.lock:
            self.requests.append(request)
            for line in (f"{request.method} {request.path}", self._by_name(request)):
                if line in self.instead:
                    return self.instead[line]
            return self._ordinarily(request)

    def add(self, name: str, plan: str = "heroku-postgresql:standard-0", **given: Any) -> dict[str, Any]:
        """Put an add-on there as if it had been made long ago."""
        addon = {
            "id": str(uuid.uuid4()),
            "name": name,
            "state": "provisioned",
            "app": {"id": APP, "name": APP_NAME},
            "plan": {"id": str(uuid.uuid4()), "name": FULL_PLAN.get(plan, plan)},
            "provider_id": "resource123",
            "config_vars": [f"{name.upper().replace('-', '_')}_URL"],
            "actions": [],
            **given,
        }
        self.addons[addon["id"]] = addon
        return addon

    def named(self, name: str) -> dict[str, Any]:
        """Return the add-on of a name."""
        return next(addon for addon in self.addons.values() if addon["name"] == name)

    def asked(self, line: str) -> list[Request]:
        """Every request of one line."""
        return [request for request in self.requests if line in (request.line, f"{request.method} {request.path}")]

    def _by_name(self, request: Request) -> str:
        """Method and path in the words that a test knows before the add-on exists."""
        if request.method == "POST":
            return f"POST {request.path} {request.body['name']}"
        addon = self.addons.get(request.path.rpartition("/")[2])
        return request.line.replace("{id}", addon["name"]) if addon else request.line

    def _ordinarily(self, request: Request) -> Answer:
        match request.method, request.path.strip("/").split("/"):
            case "GET", ["apps", app] if app == APP:
                return 200, {"id": APP, "name": APP_NAME}
            case "GET", ["apps", app, "config-vars"] if app == APP:
                names = (name for addon in self.addons.values() for name in addon["config_vars"])
                return 200, {name: f"postgres://u:very-secret@db.example.org/{name.lower()}" for name in names}
            case "POST", ["apps", app, "addons"] if app == APP:
                return 201, self.add(request.body["name"], request.body["plan"], state="provisioning")
            case _, [*_, "addons", id_] if id_ in self.addons:
                return 200, self._on_addon(request, self.addons[id_])
        return NOT_FOUND

    def _on_addon(self, request: Request, addon: dict[str, Any]) -> dict[str, Any]:
        if request.method == "DELETE":
            del self.addons[addon["id"]]
        if request.method == "PATCH":
            addon["name"] = request.body.get("name") or addon["name"]
            addon["plan"]["name"] = request.body.get("plan") or addon["plan"]["name"]
        if request.method == "GET" and addon["state"] == "provisioning":
            self.polls[addon["id"]] = self.polls.get(addon["id"], 0) + 1
            ordered = len([r for r in self.requests if r.method == "POST"])
            if self.polls[addon["id"]] > self.pending_polls and ordered >= self.enough_orders:
                addon["state"] = "provisioned"
        return addon


@contextmanager
def recording_heroku() -> Iterator[RecordingHeroku]:
    """Serve one on a free port of the loopback address."""
    heroku = RecordingHeroku()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def answer(self) -> None:
            content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            body = json.loads(content) if content else None
            status, shown = heroku.answer(Request(self.command, self.path, dict(self.headers), body))
            encoded = json.dumps(shown).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(encoded)))
            self.end_headers()
            self.wfile.write(encoded)

        do_GET = do_POST = do_PATCH = do_DELETE = answer  # noqa: N815  the names that the standard library looks for

        def log_message(self, *_: object) -> None:
            """Say nothing: the record is the log."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    heroku.url = f"http://127.0.0.1:{server.server_port}"
    try:
        yield heroku
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
