"""The proxy that a request to Heroku goes through, by the variables that every program of a network honours."""

import base64
import ipaddress
import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from heroku_changeover.reach.loopback import is_loopback
from heroku_changeover.terms.errors import BadInput

VARIABLES = ("https_proxy", "HTTPS_PROXY")
EXCEPTIONS = ("no_proxy", "NO_PROXY")

HOST = re.compile(r"[A-Za-z0-9._:%-]+")
"""A host as an address may name it, be it by number: anything else may mean two things to two readers."""


class Proxy(NamedTuple):
    """Its address without user and password, and the headers that sign in to it; those are in no text form."""

    url: str
    headers: Mapping[str, str]

    def __repr__(self) -> str:
        return f"Proxy({self.url!r})"


def proxy_for(url: str, environ: Mapping[str, str]) -> Proxy | None:
    """
    The proxy for an address; None for one of this machine, or one that NO_PROXY names.

    Raises:
        BadInput: HTTPS_PROXY is not the address of a proxy; it is not shown, because it may hold a password.
    """
    given = _first(environ, VARIABLES)
    if not given or is_loopback(url) or _is_excepted(url, _first(environ, EXCEPTIONS)):
        return None
    try:
        parts = urlsplit(given if "://" in given else f"http://{given}")
        port = f":{parts.port}" if parts.port else ""
        good = parts.scheme in {"http", "https"} and bool(HOST.fullmatch(parts.hostname or ""))
    except ValueError:
        good = False
    if not good:
        raise BadInput("HTTPS_PROXY is not the address of a proxy, such as http://proxy.example.com:3128")
    return Proxy(f"{parts.scheme}://{in_url(parts.hostname or '')}{port}", _signing_in(parts.username, parts.password))


def in_url(host: str) -> str:
    """A host as it stands in an address, where one by number of version 6 is in brackets."""
    return f"[{host}]" if ":" in host else host


def _first(environ: Mapping[str, str], names: tuple[str, ...]) -> str:
    return next((value for name in names if (value := environ.get(name, "").strip())), "")


def _signing_in(user: str | None, password: str | None) -> Mapping[str, str]:
    if user is None:
        return {}
    words = f"{unquote(user)}:{unquote(password or '')}"
    return {"Proxy-Authorization": f"Basic {base64.b64encode(words.encode()).decode()}"}


def _is_excepted(url: str, exceptions: str) -> bool:
    """
    `*` is every host; `example.com` is that one and those below it, `.example.com` those below it alone; an address or
    a network of addresses is what it says. A port narrows it.
    """
    parts = urlsplit(url)
    host, port = (parts.hostname or "").rstrip("."), str(parts.port or 443)
    return any(_names(entry.lower(), host, port) for entry in re.split(r"[\s,]+", exceptions) if entry)


def _names(entry: str, host: str, port: str) -> bool:
    if entry == "*":
        return True
    if (network := _network(entry)) is not None:
        return _is_in(host, network)
    name, _, wanted = entry.partition(":")
    name = name.removeprefix("*").rstrip(".")
    if wanted not in {"", port}:
        return False
    return host.endswith(name) if name.startswith(".") else host == name or host.endswith(f".{name}")


Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def _network(entry: str) -> Network | None:
    try:
        return ipaddress.ip_network(entry.strip("[]"), strict=False)
    except ValueError:
        return None


def _is_in(host: str, network: Network) -> bool:
    try:
        return ipaddress.ip_address(host) in network
    except ValueError:
        return False
