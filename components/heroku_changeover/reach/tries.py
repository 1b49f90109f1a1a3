"""One try of a request, which ends in time whatever the network does, and the pause before the next one."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

import urllib3

LONGEST_RETRY_AFTER = 30.0
"""Seconds that one Retry-After is honoured for; a longer one is cut, and the request tried again."""

LONGEST_BACKOFF = 10.0

TRY_SECONDS = 15.0
"""
Seconds for one try: Heroku's own router gives up after 30, but a request that hangs is time in which an app is down.
"""

TICK = 0.05
"""Seconds between two looks whether the process was asked to end, while an answer is waited for."""

Result = TypeVar("Result")


class _Try(threading.Thread, Generic[Result]):
    """
    The request in a thread of its own, because a name that is looked up, or an answer that comes byte by byte, heeds no
    time-out. One that is given up is left to itself, and ends with the process.
    """

    def __init__(self, send: Callable[[], Result]) -> None:
        super().__init__(daemon=True)
        self._send, self.done = send, threading.Event()
        self.result: Result | None = None
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.result = self._send()
        except BaseException as error:  # noqa: BLE001 - whoever waits for it raises it
            self.error = error
        finally:
            self.done.set()


def in_time(send: Callable[[], Result], seconds: float, gives_up: Callable[[], bool]) -> Result:
    """
    The answer of a request.

    Raises:
        HTTPError: there is none, or not within that time, or it is not waited for any longer.
    """
    attempt = _Try(send)
    attempt.start()
    ends = time.monotonic() + seconds
    while not attempt.done.wait(min(TICK, seconds)):
        if gives_up():
            raise urllib3.exceptions.TimeoutError("given up, because the process was asked to end")
        if time.monotonic() >= ends:
            raise urllib3.exceptions.TimeoutError(f"no answer within {seconds:.0f} s")
    if attempt.error is not None:
        raise attempt.error
    return attempt.result  # type: ignore[return-value]  # it has ended, and without an error


def was_sent(error: urllib3.exceptions.HTTPError) -> bool:
    """Whether something of the request may have arrived: not if there was no connection."""
    cause = error.original_error if isinstance(error, urllib3.exceptions.ProxyError) else error
    return not isinstance(cause, urllib3.exceptions.NewConnectionError | urllib3.exceptions.ConnectTimeoutError)


def pause_before(tried: int, retry_after: str) -> float:
    """Seconds until the next try; the second one is made at once, unless Heroku says otherwise."""
    backoff = 0.0 if tried == 1 else min(0.2 * 2 ** (tried - 1), LONGEST_BACKOFF)
    return min(_seconds(retry_after) or backoff, LONGEST_RETRY_AFTER)


def _seconds(retry_after: str) -> float | None:
    """What Retry-After says; None where it says nothing, or nothing that can be read."""
    if not retry_after:
        return None
    try:
        return float(max(urllib3.Retry().parse_retry_after(retry_after), 0.0))
    except (urllib3.exceptions.InvalidHeader, ValueError, OverflowError):
        return None
