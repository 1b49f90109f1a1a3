"""No request, retry or pause outlasts what is left; whoever asks a process to end is heard at once."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from heroku_changeover.reach.address import Address
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.threads import side_by_side
from heroku_changeover.reach.wait import Clock, Wait
from heroku_changeover.terms.errors import HerokuError, HerokuUnreachable, Interrupted
from kit.fake_time import FakeTime

UNAVAILABLE = b"HTTP/1.1 503 no\r\nRetry-After: 30\r\nContent-Length: 2\r\n\r\n{}"
SLACK = 2.0
"""Seconds that a loaded machine may take on top."""


class Server:
    """Accepts connections and gives each request the same bytes, one after the other with a pause where that is set."""

    def __init__(self, answer: bytes, pause: float = 0.0) -> None:
        self._answer, self._pause, self.asked = answer, pause, threading.Event()
        self._ended = threading.Event()
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.origin = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            try:
                while connection.recv(65536):
                    self.asked.set()
                    for n in range(len(self._answer)) if self._pause else ():
                        connection.sendall(self._answer[n : n + 1])
                        if self._ended.wait(self._pause):
                            return
                    if not self._pause:
                        connection.sendall(self._answer)
            except OSError:
                return

    def close(self) -> None:
        self._ended.set()
        self._socket.close()


@contextmanager
def serving(answer: bytes, pause: float = 0.0) -> Iterator[Server]:
    server = Server(answer, pause)
    try:
        yield server
    finally:
        server.close()


def client(server: Server, clock: Clock | None = None) -> Heroku:
    return Heroku(Address(server.origin, server.origin, "a-token"), clock)


def test_a_request_is_over_when_the_budget_is_whatever_retry_after_says() -> None:
    fake = FakeTime()
    with serving(UNAVAILABLE) as server, pytest.raises(HerokuError, match="503"):
        client(server, fake.clock.within(lambda: 1010.0)).get("/apps/shop")

    assert fake.now <= 1010.0


def test_the_last_try_before_the_budget_ends_is_made() -> None:
    """A pause that is too long is cut: Heroku may be back by then."""
    fake = FakeTime()
    with serving(UNAVAILABLE) as server, pytest.raises(HerokuError):
        client(server, fake.clock.within(lambda: 1010.0)).get("/apps/shop")

    assert fake.now == pytest.approx(1009.0)


def test_without_a_budget_a_request_is_over_after_a_minute_and_a_half() -> None:
    fake = FakeTime()
    with serving(UNAVAILABLE) as server, pytest.raises(HerokuError):
        client(server, fake.clock).get("/apps/shop")

    assert fake.now <= 1090.0


def test_a_request_of_a_look_is_over_when_its_wait_is() -> None:
    fake = FakeTime()
    with serving(UNAVAILABLE) as server:
        heroku = client(server, fake.clock)
        with pytest.raises(HerokuError):
            Wait(fake.clock, print).until("a thing", lambda: str(heroku.get("/apps/shop")), 1005.0)

    assert fake.now <= 1005.0


def test_a_request_in_another_thread_of_a_look_is_over_when_its_wait_is() -> None:
    fake = FakeTime()
    with serving(UNAVAILABLE) as server:
        heroku = client(server, fake.clock)
        with pytest.raises(HerokuError):
            Wait(fake.clock, print).until("a thing", lambda: str(side_by_side(heroku.get, ["/apps"])), 1005.0)

    assert fake.now <= 1005.0


@pytest.mark.parametrize("answer", [b"", b"HTTP/1.1 200 ok\r\nContent-Length: 900\r\n\r\n" + b" " * 900])
def test_an_answer_that_does_not_come_or_comes_byte_by_byte_outlasts_no_budget(answer: bytes) -> None:
    clock, began = Clock(), time.monotonic()
    with serving(answer, 0.2) as server, pytest.raises(HerokuUnreachable):
        client(server, clock.within(lambda: clock.now() + 1.0)).get("/apps/shop")

    assert time.monotonic() - began < 2.0 + SLACK


def test_work_that_has_to_be_done_goes_on_when_the_budget_is_spent_or_somebody_asks_to_end() -> None:
    with serving(b"HTTP/1.1 200 ok\r\nContent-Length: 2\r\n\r\n{}") as server:
        heroku = client(server, Clock(is_ending=lambda: True, ends=lambda: 0.0))

        assert heroku.undisturbed().get("/apps/shop") == {}


def test_nothing_is_sent_once_somebody_has_asked_to_end() -> None:
    with serving(b"") as server, pytest.raises(Interrupted):
        client(server, Clock(is_ending=lambda: True)).post("/addon-attachments")

    assert not server.asked.is_set()


PROGRAM = """
import signal, sys
from heroku_changeover.reach.address import Address
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.wait import ENDING
from heroku_changeover.terms.errors import Interrupted

signal.signal(signal.SIGTERM, lambda *_: ENDING.set())
try:
    Heroku(Address(sys.argv[1], sys.argv[1], "a-token")).get("/apps/shop")
except Interrupted:
    print("interrupted")
"""


@pytest.mark.parametrize("answer", [UNAVAILABLE, b""], ids=["in the pause", "while it waits for the answer"])
def test_whoever_asks_a_process_to_end_is_heard_at_once(answer: bytes) -> None:
    with serving(answer) as server:
        process = subprocess.Popen([sys.executable, "-c", PROGRAM, server.origin], stdout=subprocess.PIPE, text=True)
        assert server.asked.wait(30)
        began = time.monotonic()
        os.kill(process.pid, signal.SIGTERM)
        said, _ = process.communicate(timeout=30)

    assert said == "interrupted\n"
    assert time.monotonic() - began < SLACK


def test_a_write_that_is_on_its_way_has_its_answer_waited_for() -> None:
    """Nobody would know otherwise whether it was carried out."""
    answer = b"HTTP/1.1 200 ok\r\nContent-Length: 2\r\n\r\n{}"
    with serving(answer, 0.01) as server:
        assert client(server, Clock(is_ending=server.asked.is_set)).patch("/apps/shop", {}) == {}
