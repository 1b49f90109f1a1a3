"""
Requests to Heroku: the Platform API and the Data API, one connection pool, one policy for time-outs and retries.

What is retried, with growing pauses and honouring Retry-After: a read or a PATCH (which names absolute values, so
that doing it twice does no harm) on 429, 500, 502, 503, 504 and on a broken connection; any other write only on 429,
which says that nothing was done. A write whose answer was lost is never repeated blindly: the caller looks.
"""

import json
from collections.abc import Mapping

import urllib3

from heroku_changeover.reach.address import Address
from heroku_changeover.reach.answers import TRIES, Json
from heroku_changeover.terms.errors import (
    Forbidden,
    HerokuError,
    HerokuUnreachable,
    NotFound,
)

ACCEPT = "application/vnd.heroku+json; version=3"

TIMEOUT = urllib3.Timeout(connect=5, read=10)
"""Seconds; Heroku's own router gives up after 30, but a request that hangs is time in which an app is down."""

LONGEST_RETRY_AFTER = 30
"""Seconds that one Retry-After is honoured for; a longer one is cut, and the request tried again."""

REPEATABLE = frozenset({"GET", "PATCH"})
PASSING = (429, 500, 502, 503, 504)


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
