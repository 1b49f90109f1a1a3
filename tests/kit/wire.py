"""
A wire to a server that can be cut without a word, as when a machine is lost: no packet goes through any more, in either
direction, and neither end is told.

It stands in between, so the server talks to a socket of this process. A filter on a socket that lets no packet pass
makes the kernel throw away whatever comes in, before it is answered: what was sent stays without an acknowledgement,
and nobody hears that a connection was ended. That takes no right, but Linux. A whole machine behind a wire, which takes
root, is in `kit.elsewhere`.
"""

import ctypes
import fcntl
import selectors
import socket
import struct
import termios
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from urllib.parse import urlsplit, urlunsplit

SO_ATTACH_FILTER, SO_DETACH_FILTER = 26, 27
"""Of Linux; the module `socket` has no names for them."""

PASS_NOTHING = ctypes.create_string_buffer(struct.pack("HBBI", 0x06, 0, 0, 0))
"""A program for the kernel of one instruction: return 0 bytes of every packet."""

CHUNK = 65_536
LOOK = 0.05
ACKNOWLEDGED = 2.0
"""Seconds in which what was sent to a process of this machine is acknowledged, at the latest."""


class Wire:
    """Carries connections to a server on this machine; `url` is the server's, by way of the wire."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._server = (parts.hostname or "127.0.0.1", parts.port or 5432)
        self._door = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._door.getsockname()[1])
        user = parts.netloc.rpartition("@")[0]
        self.url = urlunsplit(parts._replace(netloc=f"{user}@127.0.0.1:{self.port}"))
        self._other: dict[socket.socket, socket.socket] = {}
        self._cut, self._closed, self._passing = threading.Event(), threading.Event(), threading.Lock()
        self._carrier = threading.Thread(target=self._carry)
        self._carrier.start()

    def cut(self) -> None:
        """
        From here on nothing goes through, and nobody is told. What was passed on before has to be acknowledged first:
        else it would be sent again and again, and would be heard as a sign of life.
        """
        with self._passing:
            self._cut.set()
        until = time.monotonic() + ACKNOWLEDGED
        while any(map(_unacknowledged, self._other)) and time.monotonic() < until:
            self._closed.wait(0.001)
        for end in list(self._other):
            end.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, _program())

    def mend(self) -> None:
        """What both ends still try to send goes through again."""
        for end in list(self._other):
            end.setsockopt(socket.SOL_SOCKET, SO_DETACH_FILTER, 0)
        self._cut.clear()

    def close(self) -> None:
        self._closed.set()
        self._carrier.join()
        for one in (*self._other, self._door):
            one.close()

    def _carry(self) -> None:
        with selectors.DefaultSelector() as ready:
            ready.register(self._door, selectors.EVENT_READ)
            while not self._closed.is_set():
                for key, _ in ready.select(LOOK):
                    if self._cut.is_set():
                        self._closed.wait(LOOK)
                    elif key.fileobj is self._door:
                        self._connect(ready)
                    elif isinstance(key.fileobj, socket.socket):
                        self._pass_on(key.fileobj, ready)

    def _connect(self, ready: selectors.BaseSelector) -> None:
        client, _ = self._door.accept()
        server = socket.create_connection(self._server)
        self._other |= {client: server, server: client}
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(end, selectors.EVENT_READ)

    def _pass_on(self, end: socket.socket, ready: selectors.BaseSelector) -> None:
        other = self._other.get(end)
        if other is None:
            return
        data = b""
        with suppress(OSError):
            data = end.recv(CHUNK)
        with self._passing:
            if self._cut.is_set():
                return
            if data:
                with suppress(OSError):
                    other.sendall(data)
                return
        for one in (end, other):
            self._other.pop(one)
            ready.unregister(one)
            one.close()


def _unacknowledged(end: socket.socket) -> int:
    """How many bytes the other side has yet to acknowledge."""
    (count,) = struct.unpack("i", fcntl.ioctl(end, termios.TIOCOUTQ, bytes(4)))
    return int(count)


def _program() -> bytes:
    return struct.pack("HP", 1, ctypes.addressof(PASS_NOTHING))


@contextmanager
def wire_to(url: str) -> Iterator[Wire]:
    wire = Wire(url)
    try:
        yield wire
    finally:
        wire.close()
