"""
Requests to Heroku: the Platform API and the Data API, one connection pool, one policy for time-outs and retries.

What is retried, with growing pauses and honouring Retry-After: a read or a PATCH (which names absolute values, so
that doing it twice does no harm) on 429, 500, 502, 503, 504 and on a broken connection; any other write only on 429,
which says that nothing was done, or where there was no connection. A write whose answer was lost is never repeated
blindly: the caller looks.

Every request knows when it is to be over. No try, no retry and no pause goes on beyond that, and whoever asks the
process to end is heard at once; only a write that is on its way has its answer waited for.
"""

import copy
import json
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import urllib3

from heroku_changeover.reach.address import Address
from heroku_changeover.reach.answers import Json
from heroku_changeover.reach.proxy import Proxy
from heroku_changeover.reach.tries import TRY_SECONDS, in_time, pause_before, was_sent
from heroku_changeover.reach.wait import Clock, limit, never
from heroku_changeover.terms.errors import (
    Forbidden,
    HerokuError,
    HerokuUnreachable,
    Interrupted,
    NotFound,
)

ACCEPT = "application/vnd.heroku+json; version=3"

REPEATABLE = frozenset({"GET", "PATCH"})
PASSING = (429, 500, 502, 503, 504)

TRIES, TRIES_OF_AN_ODD_ANSWER = 7, 3
"""How often a request is sent at most; and how often where something in between answers in Heroku's place."""

LONGEST = 90.0
"""Seconds that a request may take with all its tries, where nothing else says when it is to be over."""

LAST_LOOK = 1.0
"""Seconds that a request has at the very least: what was reached in the last moment is not called late."""


class Heroku:
    """A client for both APIs of one account; safe to use from several threads."""

    def __init__(self, address: Address, clock: Clock | None = None) -> None:
        self._address, self._clock = address, clock or Clock()
        self._pools = _pools(address)

    def by(self, clock: Clock) -> "Heroku":
        """The same client, for work that is timed by that clock."""
        other = copy.copy(self)
        other._clock = clock
        return other

    def undisturbed(self) -> "Heroku":
        """The same for work that has to be done even when the process was asked to end, or its time is up."""
        return self.by(self._clock.undisturbed())

    def close(self) -> None:
        """Ends the pooled connections."""
        for pool in self._pools.values():
            pool.clear()

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
        request, ends = f"{method} {path}", self._ends()
        send = self._sending(method, origin, path, body, headers or {})
        for tried in range(1, TRIES + 1):
            if self._clock.is_ending():
                raise Interrupted(f"asked to end before {request} was sent")
            try:
                answer = self._answer(method, path, send, ends)
                return _body(request, method, answer), answer.headers.get("Next-Range")
            except _Passing as passing:
                if tried >= passing.tries:
                    raise passing.error from passing.__cause__
                self._pause(tried, passing, ends)
        raise AssertionError("the last try has an answer or an error")

    def _sending(
        self, method: str, origin: str, path: str, body: Json, headers: Mapping[str, str]
    ) -> Callable[..., urllib3.BaseHTTPResponse]:
        """What sends it, as often as it is called: the pool itself neither tries again nor goes elsewhere."""
        return partial(
            self._pools[origin].request,
            method,
            origin + path,
            body=None if body is None else json.dumps(body).encode(),
            headers={**self._headers(body is not None), **headers},
            retries=False,
            redirect=False,
        )

    def _ends(self) -> float:
        return min(self._clock.ends(), limit(), self._clock.now() + LONGEST)

    def _pause(self, tried: int, passing: "_Passing", ends: float) -> None:
        """
        Before the next try, which has to have its time; a Retry-After that is longer is cut.

        Raises:
            HerokuError: there is no time for another one.
        """
        left = ends - LAST_LOOK - self._clock.now()
        if left < 0:
            raise passing.error from passing.__cause__
        self._clock.sleep(min(pause_before(tried, passing.retry_after), left))

    def _answer(
        self, method: str, path: str, send: Callable[..., urllib3.BaseHTTPResponse], ends: float
    ) -> urllib3.BaseHTTPResponse:
        """
        Raises:
            _Passing: it may be otherwise in a moment.
        """
        request, left = f"{method} {path}", max(ends - self._clock.now(), LAST_LOOK)
        gives_up = self._clock.is_ending if method == "GET" else never
        try:
            return in_time(send, min(left, TRY_SECONDS), gives_up)
        except urllib3.exceptions.HTTPError as error:
            if gives_up():
                raise Interrupted(f"asked to end while the answer to {request} was waited for") from error
            tries = TRIES if method in REPEATABLE or not was_sent(error) else 1
            raise _Passing(HerokuUnreachable(request, _reason(error)), tries) from error

    def _headers(self, has_body: bool) -> dict[str, str]:
        content = {"Content-Type": "application/json"} if has_body else {}
        return {"Accept": ACCEPT, "Authorization": f"Bearer {self._address.token}", **content}


class _Passing(Exception):
    """What came of a try, if another one may do better; `tries` are as many as there may be of it."""

    def __init__(self, error: HerokuError, tries: int, retry_after: str = "") -> None:
        self.error, self.tries, self.retry_after = error, tries, retry_after


def _pools(address: Address) -> dict[str, urllib3.PoolManager]:
    """
    By origin. Certificates are read once, as long as there are any: what this process needs may be removed while it
    runs. The whole of a try is limited elsewhere; these are the limits of its parts.
    """
    shared: dict[str, Any] = {"maxsize": 16, "timeout": urllib3.Timeout(connect=5, read=10)}
    if address.platform.startswith("https:") or address.data.startswith("https:"):
        shared["ssl_context"] = urllib3.util.create_urllib3_context()
        shared["ssl_context"].load_default_certs()
    return {url: _pool(address.proxies.get(url), shared) for url in (address.platform, address.data)}


def _pool(proxy: Proxy | None, shared: Mapping[str, Any]) -> urllib3.PoolManager:
    if proxy is None:
        return urllib3.PoolManager(**shared)
    return urllib3.ProxyManager(proxy.url, proxy_headers=dict(proxy.headers), **shared)


_NO_JSON: Final = object()


def _json(answer: urllib3.BaseHTTPResponse) -> Json:
    """What an answer holds, which is `_NO_JSON` if that is none, or none that anybody would send."""
    try:
        return json.loads(answer.data) if answer.data else None
    except (ValueError, RecursionError):
        return _NO_JSON


def _no_json(request: str, answer: urllib3.BaseHTTPResponse) -> HerokuUnreachable:
    return HerokuUnreachable(request, f"status {answer.status} with an answer that is not JSON")


def _body(request: str, method: str, answer: urllib3.BaseHTTPResponse) -> Json:
    """
    The JSON of a success; an empty one is None.

    Raises:
        _Passing: it may be otherwise in a moment.
        HerokuError: a refusal.
    """
    if answer.status in (PASSING if method in REPEATABLE else (429,)):
        raise _Passing(_refusal(request, answer), TRIES, answer.headers.get("Retry-After", ""))
    if answer.status >= 300:
        raise _refusal(request, answer)
    if (body := _json(answer)) is _NO_JSON:
        raise _Passing(_no_json(request, answer), TRIES_OF_AN_ODD_ANSWER if method in REPEATABLE else 1)
    return body


def _refusal(request: str, answer: urllib3.BaseHTTPResponse) -> HerokuError:
    """What Heroku said against it; a page of something in between says nothing."""
    body = _json(answer)
    if body is _NO_JSON:
        return _no_json(request, answer)
    body = body if isinstance(body, dict) else {}
    kind = NotFound if answer.status == 404 else Forbidden if answer.status in {401, 403} else HerokuError
    message = str(body.get("message") or "no message")
    return kind(request, answer.status, str(body.get("id") or "no_id"), message, answer.headers.get("Request-Id", ""))


def _reason(error: urllib3.exceptions.HTTPError) -> str:
    cause = getattr(error, "reason", None) or error
    return f"{type(cause).__name__}: no usable answer"
