"""
Another machine: a network namespace with one wire to this one, which can be cut so that nobody is told of it.

A process that is killed, or whose machine's proxy is, says goodbye: its kernel closes what it had open. A machine that
loses its power, or a laptop that is shut, does not. That difference is seen on a real wire only.
One connection whose both ends are here can be cut without any right: `kit.wire` has that.
"""

import itertools
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

_numbers = itertools.count(1)
TESTS = Path(__file__).parents[1]


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """
    What is prefixed with `prefix` runs there, and reaches the given API at the address that it has on this machine.
    `here` is an address of this machine for servers that are to be reached from there: it counts as loopback, which
    needs no TLS, and lies at the other end of the wire all the same.
    """

    name: str
    number: int

    @property
    def here(self) -> str:
        return f"127.77.{self.number // 250}.{self.number % 250 + 1}"

    @property
    def wire(self) -> tuple[str, str]:
        """The addresses of its ends: of ours, and of theirs."""
        net, host = divmod(self.number * 4, 256)
        return f"10.177.{net}.{host + 1}", f"10.177.{net}.{host + 2}"

    @property
    def prefix(self) -> tuple[str, ...]:
        return ("ip", "netns", "exec", self.name)

    def cut_the_wire(self) -> None:
        """Nothing comes through any more, in either direction, and nobody is told."""
        _ip("-n", self.name, "link", "set", "wire", "down")


@cache
def can_be_had() -> bool:
    """Whether this user may make network namespaces on this machine."""
    if shutil.which("ip") is None or os.geteuid() != 0:
        return False
    name = f"try-{os.getpid()}"
    made = subprocess.run(["ip", "netns", "add", name], capture_output=True, check=False).returncode == 0
    if made:
        _ip("netns", "delete", name)
    return made


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True, text=True)


@contextmanager
def elsewhere(api: str) -> Iterator[Elsewhere]:
    """A machine with a wire to this one, until the block ends; its processes have to be ended before that."""
    number = (os.getpid() * 31 + next(_numbers)) % 16000
    place = Elsewhere(f"elsewhere-{number}", number)
    with ExitStack() as stack:
        _ip("netns", "add", place.name)
        stack.callback(_ip, "netns", "delete", place.name)
        _lay_wire(place)
        _bridge(stack, place, urlsplit(api).port or 80)
        yield place


def _lay_wire(place: Elsewhere) -> None:
    """There, only one address of the loopback network is its own, so that another one can be at the end of the wire."""
    device, (ours, theirs), there = f"wire-{place.number}", place.wire, ("-n", place.name)
    _ip("link", "add", device, "type", "veth", "peer", "name", "wire", "netns", place.name)
    _ip("addr", "add", f"{ours}/30", "dev", device)
    _ip("link", "set", device, "up")
    _ip(*there, "addr", "add", f"{theirs}/30", "dev", "wire")
    for name in ("wire", "lo"):
        _ip(*there, "link", "set", name, "up")
    _ip(*there, "route", "del", "local", "127.0.0.0/8", "dev", "lo", "table", "local")
    _ip(*there, "route", "add", place.here, "via", ours, "src", theirs)
    _allow_loopback_on(device)
    _allow_loopback_on("wire", *place.prefix)


def _allow_loopback_on(device: str, *prefix: str) -> None:
    setting = f"/proc/sys/net/ipv4/conf/{device}/route_localnet"
    subprocess.run([*prefix, "sh", "-c", f"echo 1 > {setting}"], check=True, capture_output=True)


def _bridge(stack: ExitStack, place: Elsewhere, port: int) -> None:
    """The API is on loopback here, and has to be on loopback there."""
    _start_forward(stack, (), f"{place.wire[0]}:{port}", f"127.0.0.1:{port}")
    _start_forward(stack, place.prefix, f"127.0.0.1:{port}", f"{place.wire[0]}:{port}")


def _start_forward(stack: ExitStack, prefix: tuple[str, ...], here: str, there: str) -> None:
    process = stack.enter_context(
        subprocess.Popen(
            [*prefix, sys.executable, "-m", "kit.forward", here, there],
            env={**os.environ, "PYTHONPATH": str(TESTS)},
            stdout=subprocess.PIPE,
        )
    )
    stack.callback(process.kill)
    if process.stdout is None or not process.stdout.readline():
        raise RuntimeError(f"what comes to {here} cannot be brought to {there}")
