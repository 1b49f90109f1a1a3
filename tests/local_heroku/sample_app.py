"""
The sample app that dynos run: `web` stores orders, `worker` writes on its own, `release` is a migration.

An order is acknowledged with the id that was committed, so that whoever got an answer can be held to find the row.
Dynos start often, so this uses the driver that is imported fastest.
"""

import json
import os
import signal
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, LiteralString

import psycopg2

SCHEMA: LiteralString = """
CREATE TABLE orders (
  id bigserial PRIMARY KEY, reference text NOT NULL, source text NOT NULL,
  created_at timestamptz NOT NULL DEFAULT now());
CREATE INDEX orders_reference ON orders (reference);
CREATE TABLE customers (id bigserial PRIMARY KEY, name text);
CREATE TABLE events (id bigserial, at date NOT NULL, what text) PARTITION BY RANGE (at);
CREATE TABLE events_past PARTITION OF events FOR VALUES FROM ('2000-01-01') TO ('2026-01-01');
CREATE TABLE events_now PARTITION OF events FOR VALUES FROM ('2026-01-01') TO ('2100-01-01');
"""
INSERT: LiteralString = "INSERT INTO orders (reference, source) VALUES (%s, %s) RETURNING id"
PAUSE = 0.05
RETRY = 0.2

_local = threading.local()


def store(reference: str, source: str) -> int:
    """Commits an order and returns its id; a connection that failed is not used again."""
    connection = getattr(_local, "connection", None)
    if connection is None or connection.closed:
        connection = _local.connection = psycopg2.connect(os.environ["DATABASE_URL"])
        connection.autocommit = True
    try:
        with connection.cursor() as cursor:
            cursor.execute(INSERT, (reference, source))
            return int(cursor.fetchone()[0])
    except psycopg2.Error:
        connection.close()
        raise


class Web(BaseHTTPRequestHandler):
    """POST /orders {"reference": …} answers 201 with the committed id; GET anything says which dyno answers."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        order = json.loads(self.rfile.read(int(self.headers.get("Content-Length") or 0)))
        try:
            self._answer(201, {"id": store(order["reference"], "web"), "reference": order["reference"]})
        except (psycopg2.Error, KeyError) as error:
            self._answer(500, {"error": type(error).__name__})

    def do_GET(self) -> None:
        self._answer(200, {"dyno": os.environ.get("DYNO", "")})

    def _answer(self, status: int, body: dict[str, Any]) -> None:
        content = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, *_: object) -> None:
        """Silent: the router knows what it asked."""


class Server(ThreadingHTTPServer):
    """Ends its threads with the process: a request that runs is finished within the grace, one that waits is not."""

    daemon_threads = True


def web() -> None:
    server = Server(("127.0.0.1", int(os.environ["PORT"])), Web)
    _on_term(lambda: threading.Thread(target=server.shutdown).start())
    server.serve_forever(0.02)
    time.sleep(PAUSE)  # lets a request in flight be answered


def worker() -> None:
    going = threading.Event()
    _on_term(going.set)
    number = 0
    while not going.wait(PAUSE):
        number += 1
        try:
            store(f"{os.environ.get('DYNO', 'worker')}-{os.getpid()}-{number}", "worker")
        except psycopg2.Error:
            going.wait(RETRY)


def release() -> int:
    """The migration of the release phase; the config var RELEASE_EXIT makes it fail, RELEASE_SECONDS slow."""
    time.sleep(float(os.environ.get("RELEASE_SECONDS", "0")))
    return int(os.environ.get("RELEASE_EXIT", "0"))


def _on_term(end: Any) -> None:
    """The config var IGNORE_SIGTERM makes a dyno that has to be killed."""
    handler = signal.SIG_IGN if os.environ.get("IGNORE_SIGTERM") else lambda *_: end()
    signal.signal(signal.SIGTERM, handler)


if __name__ == "__main__":
    sys.exit({"web": web, "worker": worker, "release": release}[sys.argv[1]]())
