"""
Requests to Heroku: the Platform API and the Data API, one connection pool, one policy for time-outs and retries.

What is retried, with growing pauses and honouring Retry-After: a read or a PATCH (which names absolute values, so
that doing it twice does no harm) on 429, 500, 502, 503, 504 and on a broken connection; any other write only on 429,
which says that nothing was done. A write whose answer was lost is never repeated blindly: the caller looks.
"""

import json
import netrc
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar
from urllib.parse import urlsplit

import urllib3

from heroku_changeover.errors import (
    BadInput,
    Forbidden,
    HerokuError,
    HerokuUnreachable,
    NotFound,
    NoToken,
    UnexpectedAnswer,
)
from heroku_changeover.wait import Clock

PLATFORM_API = "https://api.heroku.com"
DATA_API = "https://api.data.heroku.com"
ACCEPT = "application/vnd.heroku+json; version=3"
TOKEN = re.compile(r"[!-~]+")
"""Visible ASCII: anything else cannot be sent in a header, and an error about it would show the token."""

TIMEOUT = urllib3.Timeout(connect=5, read=10)
"""Seconds; Heroku's own router gives up after 30, but a request that hangs is time in which an app is down."""

LONGEST_RETRY_AFTER = 30
"""Seconds that one Retry-After is honoured for; a longer one is cut, and the request tried again."""

TRIES = 3
"""How often a write is asked for whose answer was lost, with a look before each repetition."""

SHOWS = 0.5
"""Seconds after which a write that was carried out is seen by a look."""

REPEATABLE = frozenset({"GET", "PATCH"})
PASSING = (429, 500, 502, 503, 504)

Json = Any
Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")


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
    if not TOKEN.fullmatch(token):
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


def reads(what: str) -> Callable[[Callable[Parameters, Result]], Callable[Parameters, Result]]:
    """Marks a function that takes an answer apart: one that lacks something is a clear error about Heroku."""

    def mark(function: Callable[Parameters, Result]) -> Callable[Parameters, Result]:
        @wraps(function)
        def read(*arguments: Parameters.args, **words: Parameters.kwargs) -> Result:
            try:
                return function(*arguments, **words)
            except (KeyError, TypeError, AttributeError, ValueError, IndexError) as error:
                raise UnexpectedAnswer(what, error) from error

        return read

    return mark


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

    def delete(self, path: str) -> Json:
        return self._request("DELETE", self._address.platform, path)[0]

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
        request, tries = f"{method} {path}", TRIES if method in REPEATABLE else 1
        for attempt in range(tries):
            answer = self._answer(request, method, origin + path, body, headers)
            try:
                return _decoded(request, answer), answer.headers.get("Next-Range")
            except HerokuUnreachable:  # an answer that is not Heroku's, as from something in between
                if attempt + 1 == tries:
                    raise
        raise AssertionError("at least one try is made")

    def _answer(
        self, request: str, method: str, url: str, body: Json, headers: Mapping[str, str] | None
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool.request(
                method,
                url,
                body=None if body is None else json.dumps(body).encode(),
                headers={**self._headers(body is not None), **(headers or {})},
                retries=_retries(method),
            )
        except urllib3.exceptions.HTTPError as error:
            raise HerokuUnreachable(request, _reason(error)) from error

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
        retry_after_max=LONGEST_RETRY_AFTER,
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


def resolved(write: Callable[[], Json], is_done: Callable[[], bool], clock: Clock) -> None:
    """
    A write that must not be done twice: when its answer was lost or was Heroku's own failure, a look says whether it
    was carried out, and only if not it is asked for again.

    Raises:
        HerokuError: a refusal, or it is still not done after some tries.
    """
    for attempt in range(TRIES):
        try:
            write()
            return
        except HerokuError as error:
            clock.sleep(SHOWS * (attempt + 1))
            if is_done():
                return
            if attempt + 1 == TRIES or not error.is_passing:
                raise
