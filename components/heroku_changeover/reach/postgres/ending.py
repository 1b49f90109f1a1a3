"""
As long as there is a way back no statement goes on when the window's budget is spent, or the process is asked to end.
"""

import math
import threading
import weakref
from contextlib import suppress

import psycopg

from heroku_changeover.reach.postgres.session import Session
from heroku_changeover.reach.wait import Clock

POLL = 0.1
CANCEL_SECONDS = 2.0


class Ending:
    """
    Looks, in a thread of its own, whether it is time, and then has the servers cancel what our sessions are at. That
    holds for every statement, and costs none of them anything.
    """

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._sessions: weakref.WeakSet[psycopg.Connection[object]] = weakref.WeakSet()
        self._started = threading.Lock()

    def watch(self, session: Session) -> None:
        self._sessions.add(session.connection)
        if self._started.acquire(blocking=False):
            threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        over = threading.Event()
        while not over.wait(POLL):
            if _is_time(self.clock):
                for connection in list(self._sessions):
                    self._sessions.discard(connection)  # once is enough
                    _cancel(connection)


def _is_time(clock: Clock) -> bool:
    """After the point of no return nothing ends, and then it is not time."""
    ends = clock.ends()
    return not math.isinf(ends) and (clock.is_ending() or clock.now() >= ends)


def _cancel(connection: "psycopg.Connection[object]") -> None:
    """A session that does nothing is left as it is. A statement that is cancelled fails where it is waited for."""
    busy = connection.info.transaction_status == psycopg.pq.TransactionStatus.ACTIVE
    with suppress(psycopg.Error, OSError, RuntimeError):
        if busy:
            connection.cancel_safe(timeout=CANCEL_SECONDS)
