"""Where Heroku is and with which token, from the environment."""

import netrc
import os
import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from heroku_changeover.terms.errors import (
    BadInput,
    NoToken,
)

PLATFORM_API = "https://api.heroku.com"
DATA_API = "https://api.data.heroku.com"

CREDENTIAL = re.compile(r"[!-~]+")
"""What a token may consist of: anything else cannot be sent in a header, and an error about it would show the token."""


class Address:
    """Where Heroku is and with which token; the token is not part of the text form."""

    def __init__(self, platform: str, data: str, token: str) -> None:
        self.platform, self.data, self.token = platform, data, token

    def __repr__(self) -> str:
        return f"Address(platform={self.platform!r}, data={self.data!r})"


def is_loopback(url: str) -> bool:
    """Whether a URL names this very machine."""
    host = urlsplit(url).hostname or ""
    return host in {"localhost", "::1"} or host.startswith("127.")


def address_from(environ: Mapping[str, str]) -> Address:
    """
    The address that the environment names.

    HEROKU_API_URL is the variable that the Heroku provider reads; when it names another place than Heroku itself, the
    Data API is expected there too, so that a token for a local Heroku is never sent to the real one.
    HEROKU_DATA_API_URL overrides that.

    Raises:
        BadInput: no token, or one that cannot be one; no address; or one API on this machine and the other elsewhere.
    """
    platform = environ.get("HEROKU_API_URL", "").rstrip("/") or PLATFORM_API
    data = environ.get("HEROKU_DATA_API_URL", "").rstrip("/") or (DATA_API if platform == PLATFORM_API else platform)
    for name, url in (("HEROKU_API_URL", platform), ("HEROKU_DATA_API_URL", data)):
        _require_address(name, url)
    if is_loopback(platform) != is_loopback(data):
        raise BadInput(
            f"HEROKU_API_URL is {platform} but the Data API is {data}: both have to be on this machine, or neither"
        )
    token = environ.get("HEROKU_API_KEY", "").strip() or _token_from_netrc(platform, environ)
    if not CREDENTIAL.fullmatch(token):
        raise BadInput("HEROKU_API_KEY, or the password in ~/.netrc, has characters that no token has; copy it anew")
    return Address(platform, data, token)


def _require_address(name: str, url: str) -> None:
    try:
        parts = urlsplit(url)
        good = bool(parts.hostname) and parts.scheme in {"https", "http"} and (parts.port or 1) > 0
    except ValueError:
        good = False
    if not good or parts.username or parts.query or parts.fragment:
        raise BadInput(f"{name} is not the address of an API: {PLATFORM_API} is one; or leave it out")
    if parts.scheme != "https" and not is_loopback(url):
        raise BadInput(f"{name} is {url}, which is not an https address; set it to {PLATFORM_API} or leave it out")


def _token_from_netrc(platform: str, environ: Mapping[str, str]) -> str:
    """The token that `heroku login` left in ~/.netrc, which the Heroku provider falls back to as well."""
    path = os.path.expanduser(environ.get("NETRC_PATH") or "~/.netrc")  # noqa: PTH111 - pathlib costs start-up time
    try:
        entry = netrc.netrc(path).authenticators(urlsplit(platform).netloc)
    except (OSError, netrc.NetrcParseError):
        entry = None
    if entry and entry[2]:
        return entry[2]
    raise NoToken(
        "no Heroku token: set HEROKU_API_KEY (`heroku authorizations:create` makes one), or run `heroku login`"
    )
