"""
Requests to Heroku: the Platform API and the Data API, one connection pool, one policy for time-outs and retries.

What is retried, with growing pauses and honouring Retry-After: a read or a PATCH (which names absolute values, so
that doing it twice does no harm) on 429, 500, 502, 503, 504 and on a broken connection; any other write only on 429,
which says that nothing was done. A write whose answer was lost is never repeated blindly: the caller looks.
"""

import json
import netrc
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import urllib3

from heroku_changeover.errors import BadInput, Forbidden, HerokuError, HerokuUnreachable, NotFound

PLATFORM_API = "https://api.heroku.com"
DATA_API = "https://api.data.heroku.com"
ACCEPT = "application/vnd.heroku+json; version=3"
TIMEOUT = urllib3.Timeout(connect=5, read=30)
REPEATABLE = frozenset({"GET", "PATCH"})
PASSING = (429, 500, 502, 503, 504)

Json = Any


@dataclass(frozen=True, slots=True)
class Address:
    """Where Heroku is and with which token; the token is not part of the text form."""

    platform: str
    data: str
    token: str

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
        BadInput: no token, or one API on this machine and the other one elsewhere.
    """
    platform = environ.get("HEROKU_API_URL", "").rstrip("/") or PLATFORM_API
    data = environ.get("HEROKU_DATA_API_URL", "").rstrip("/") or (DATA_API if platform == PLATFORM_API else platform)
    for url in (platform, data):
        if urlsplit(url).scheme != "https" and not is_loopback(url):
            raise BadInput(f"{url} is not an https address; set HEROKU_API_URL to {PLATFORM_API} or leave it out")
    if is_loopback(platform) != is_loopback(data):
        raise BadInput(
            f"HEROKU_API_URL is {platform} but the Data API is {data}: both have to be on this machine, or neither"
        )
    return Address(platform, data, environ.get("HEROKU_API_KEY", "").strip() or _token_from_netrc(platform, environ))


def _token_from_netrc(platform: str, environ: Mapping[str, str]) -> str:
    """The token that `heroku login` left in ~/.netrc, which the Heroku provider falls back to as well."""
    path = os.path.expanduser(environ.get("NETRC_PATH") or "~/.netrc")  # noqa: PTH111 - pathlib costs start-up time
    try:
        entry = netrc.netrc(path).authenticators(urlsplit(platform).netloc)
    except (OSError, netrc.NetrcParseError):
        entry = None
    if entry and entry[2]:
        return entry[2]
    raise BadInput(
        "no Heroku token: set HEROKU_API_KEY (`heroku authorizations:create` makes one), or run `heroku login`"
    )


class Heroku:
    """A client for both APIs of one account; safe to use from several threads."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._pool = urllib3.PoolManager(maxsize=16, timeout=TIMEOUT)

    def close(self) -> None:
        """Ends the pooled connections."""
        self._pool.clear()

    def get(self, path: str) -> Json:
        """The decoded answer; a list is complete, because further pages are fetched."""
        body, next_range = self._request("GET", self._address.platform, path)
        while next_range and isinstance(body, list):
            more, next_range = self._request("GET", self._address.platform, path, headers={"Range": next_range})
            body += more
        return body

    def newest(self, path: str, count: int) -> Json:
        """The newest `count` entries of a list that has versions, newest first."""
        headers = {"Range": f"version ..; max={count}, order=desc"}
        return self._request("GET", self._address.platform, path, headers=headers)[0]

    def patch(self, path: str, body: Json) -> Json:
        return self._request("PATCH", self._address.platform, path, body)[0]

    def post(self, path: str, body: Json = None) -> Json:
        return self._request("POST", self._address.platform, path, body)[0]

    def data(self, path: str) -> Json:
        """A read from the Data API."""
        return self._request("GET", self._address.data, path)[0]

    def put_data(self, path: str) -> Json:
        return self._request("PUT", self._address.data, path)[0]

    def post_data(self, path: str, body: Json) -> Json:
        return self._request("POST", self._address.data, path, body)[0]

    def _request(
        self, method: str, origin: str, path: str, body: Json = None, headers: Mapping[str, str] | None = None
    ) -> tuple[Json, str | None]:
        request = f"{method} {path}"
        try:
            answer = self._pool.request(
                method,
                origin + path,
                body=None if body is None else json.dumps(body).encode(),
                headers={**self._headers(body is not None), **(headers or {})},
                retries=_retries(method),
            )
        except urllib3.exceptions.HTTPError as error:
            raise HerokuUnreachable(request, _reason(error)) from error
        return _decoded(request, answer), answer.headers.get("Next-Range")

    def _headers(self, has_body: bool) -> dict[str, str]:
        content = {"Content-Type": "application/json"} if has_body else {}
        return {"Accept": ACCEPT, "Authorization": f"Bearer {self._address.token}", **content}


class _Retry(urllib3.Retry):
    """
    The library's own list would repeat any write on a 503 that carries Retry-After; ours is in `status_forcelist`.
    """

    RETRY_AFTER_STATUS_CODES = frozenset()


def _retries(method: str) -> urllib3.Retry:
    repeatable = method in REPEATABLE
    return _Retry(
        total=6,
        connect=6,  # no connection: nothing can have been done
        read=6 if repeatable else 0,
        other=0,
        redirect=0,
        status=6,
        status_forcelist=PASSING if repeatable else (429,),
        allowed_methods=None,
        backoff_factor=0.2,
        backoff_max=10,
        respect_retry_after_header=True,
        raise_on_status=False,
    )


def _decoded(request: str, answer: urllib3.BaseHTTPResponse) -> Json:
    """The JSON of a success; an empty one is None."""
    try:
        body = json.loads(answer.data) if answer.data else None
    except ValueError as error:
        raise HerokuUnreachable(request, f"status {answer.status} with an answer that is not JSON") from error
    if answer.status >= 300:
        raise _refusal(request, answer, body)
    return body


def _refusal(request: str, answer: urllib3.BaseHTTPResponse, body: Json) -> HerokuError:
    body = body if isinstance(body, dict) else {}
    kind = NotFound if answer.status == 404 else Forbidden if answer.status in {401, 403} else HerokuError
    message = str(body.get("message") or "no message")
    return kind(request, answer.status, str(body.get("id") or "no_id"), message, answer.headers.get("Request-Id", ""))


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = getattr(error, "reason", None) or error
    return f"{type(cause).__name__}: no usable answer"
