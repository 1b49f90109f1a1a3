"""Where Heroku is and with which token, from the environment."""

import re
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import SplitResult, urlsplit

from heroku_changeover.reach.loopback import is_loopback
from heroku_changeover.reach.netrc import token_in_netrc
from heroku_changeover.reach.proxy import HOST, Proxy, in_url, proxy_for
from heroku_changeover.terms.errors import BadInput, NoToken

PLATFORM_API = "https://api.heroku.com"
DATA_API = "https://api.data.heroku.com"
USUAL_PORTS = {"https": 443, "http": 80}

TOKEN = re.compile(r"[!-~]+")
"""What a token may consist of: anything else cannot be sent in a header, and an error about it would show the token."""


class Origins(NamedTuple):
    """Where the two APIs are, each as `https://host` in small letters, with a port that is not the usual one."""

    platform: str
    data: str


class Address:
    """Where Heroku is, with which token and through which proxies; neither secret is part of the text form."""

    def __init__(self, platform: str, data: str, token: str, proxies: Mapping[str, Proxy | None] | None = None) -> None:
        self.platform, self.data, self.token = platform, data, token
        self.proxies = proxies or {}

    def __repr__(self) -> str:
        return f"Address(platform={self.platform!r}, data={self.data!r})"


def address_from(environ: Mapping[str, str]) -> Address:
    """
    The address that the environment names.

    Raises:
        BadInput: no token, or one that cannot be one; no address; or one API on this machine and the other elsewhere.
    """
    platform, data = origins_from(environ)
    token = environ.get("HEROKU_API_KEY", "").strip() or _token_from_netrc(platform, environ)
    if not TOKEN.fullmatch(token):
        raise BadInput("HEROKU_API_KEY, or the password in ~/.netrc, has characters that no token has; copy it anew")
    return Address(platform, data, token, {url: proxy_for(url, environ) for url in (platform, data)})


def origins_from(environ: Mapping[str, str]) -> Origins:
    """
    Where the environment says that the APIs are.

    HEROKU_API_URL is the variable that the Heroku provider reads; when it names another place than Heroku itself, the
    Data API is expected there too, so that a token for a local Heroku is never sent to the real one.
    HEROKU_DATA_API_URL overrides that.

    Raises:
        BadInput: one of them is no address, or one is on this machine and the other elsewhere.
    """
    platform = _origin("HEROKU_API_URL", environ) or PLATFORM_API
    data = _origin("HEROKU_DATA_API_URL", environ) or (DATA_API if platform == PLATFORM_API else platform)
    if is_loopback(platform) != is_loopback(data):
        raise BadInput(
            f"HEROKU_API_URL is {platform} but the Data API is {data}: both have to be on this machine, or neither"
        )
    return Origins(platform, data)


def _origin(name: str, environ: Mapping[str, str]) -> str:
    """The address in a variable, in the one form that it is compared in; empty where there is none."""
    url = environ.get(name, "").strip()
    if not url:
        return ""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _no_address(name) from None
    if not _is_address(parts, port):
        raise _no_address(name)
    origin = f"{parts.scheme}://{_netloc(parts, port)}{parts.path.rstrip('/')}"
    if parts.scheme != "https" and not is_loopback(url):
        raise BadInput(f"{name} is {origin}, which is not an https address; set it to {PLATFORM_API} or leave it out")
    return origin


def _is_address(parts: SplitResult, port: int | None) -> bool:
    if parts.username is not None or parts.query or parts.fragment or port == 0:
        return False
    path_is_plain = re.fullmatch(r"[A-Za-z0-9._~/-]*", parts.path)
    return parts.scheme in {"https", "http"} and bool(HOST.fullmatch(parts.hostname or "") and path_is_plain)


def _netloc(parts: SplitResult, port: int | None) -> str:
    host = in_url((parts.hostname or "").removesuffix("."))
    return host if port is None or port == USUAL_PORTS[parts.scheme] else f"{host}:{port}"


def _no_address(name: str) -> BadInput:
    return BadInput(f"{name} is not the address of an API: {PLATFORM_API} is one; or leave it out")


def _token_from_netrc(platform: str, environ: Mapping[str, str]) -> str:
    """The token that `heroku login` left in ~/.netrc, which the Heroku provider falls back to as well."""
    parts = urlsplit(platform)
    if token := token_in_netrc((parts.netloc, parts.hostname or ""), environ):
        return token
    raise NoToken(
        "no Heroku token: set HEROKU_API_KEY (`heroku authorizations:create` makes one), or run `heroku login`"
    )
