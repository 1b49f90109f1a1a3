"""The port to real servers. The driver is loaded when it is used first: most steps need none, and it takes 0.3 s."""

from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from importlib import import_module
from threading import Thread
from typing import TYPE_CHECKING

from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import ConnectionsTaken, SqlUnreachable

SLOT_SECONDS = 15.0
"""Seconds to wait for a connection where all are taken: dynos that end give theirs back."""

SLOT_POLL = 0.2

BEAT_SECONDS = 5.0
"""Seconds between two signs of life of a fence."""

if TYPE_CHECKING:
    from heroku_changeover.reach.postgres.ending import Ending
    from heroku_changeover.reach.postgres.fence import Fence
    from heroku_changeover.reach.postgres.server import Server


class Postgres:
    """
    Sessions on PostgreSQL servers.

    Opening one takes some round trips, and users would wait for them; so it can be done before the session is needed.
    """

    def __init__(self, clock: Clock, report: Callable[[str], None]) -> None:
        self._clock, self._report = clock, report
        self._spare: dict[str, list[Server]] = defaultdict(list)
        self._fences: set[int] = set()
        self._ending: Ending | None = None

    def load(self) -> None:
        import_module("heroku_changeover.reach.postgres.fence")

    def prepare(self, database: str, url: str) -> None:
        from heroku_changeover.reach.postgres.server import open_server

        try:
            self._spare[database].append(open_server(database, url))
        except SqlUnreachable:
            return  # dynos that still end may hold every connection

    def session(self, database: str, url: str) -> "Server":
        return self._watched(database, url, self._clock.now() + SLOT_SECONDS)

    def fence(self, database: str, url: str, deadline: float) -> "Fence":
        from heroku_changeover.reach.postgres.fence import open_fence

        with ExitStack() as opened:
            holder = opened.enter_context(self._watched(database, url, deadline))
            observer = opened.enter_context(self._watched(database, url, deadline))
            observer.end_sessions_left_over()  # they may hold what is to be locked
            opened.pop_all()  # they are the fence's from here on
        self._fences.add(holder.connection.info.backend_pid)
        fence = open_fence(holder, observer, self._clock, self._report, deadline)
        Thread(target=_beat, args=(self._clock.sound_sleep, holder, observer), daemon=True).start()
        return fence

    def _watched(self, database: str, url: str, deadline: float) -> "Server":
        """A session whose statements end in time."""
        session = self._spare_or_new(database, url, deadline)
        self._end_in_time(session)
        return session

    def _end_in_time(self, session: "Server") -> None:
        from heroku_changeover.reach.postgres.ending import Ending

        self._ending = self._ending or Ending(self._clock)
        self._ending.watch(session)

    def _spare_or_new(self, database: str, url: str, deadline: float) -> "Server":
        """One that was prepared, if it still lives; else a new one, as soon as the server has one left."""
        from heroku_changeover.reach.postgres.server import open_server

        spare = self._spare[database]
        session = spare.pop() if spare else None
        if session is not None and session.is_alive():
            return session
        began = self._clock.now()
        while True:
            try:
                return open_server(database, url)
            except ConnectionsTaken as error:
                if self._clock.now() >= deadline:
                    raise _none_given_back(error, self._clock.now() - began) from error
            self._clock.sleep(SLOT_POLL)

    def await_turn(self, database: str, url: str, deadline: float) -> None:
        from heroku_changeover.reach.postgres.turn import await_turn

        with self.session(database, url) as session:
            await_turn(session, self._fences, self._clock, self._report, deadline)

    def undisturbed(self) -> "Postgres":
        self._clock = self._clock.undisturbed()
        if self._ending is not None:
            self._ending.clock = self._clock
        return self

    def close(self) -> None:
        for session in (session for spare in self._spare.values() for session in spare):
            session.close()
        self._spare.clear()


def _none_given_back(error: ConnectionsTaken, waited: float) -> ConnectionsTaken:
    return ConnectionsTaken(
        f"{error}; none was given back within {waited:.0f} s: see who holds them with `heroku pg:ps`, and stop that"
    )


def _beat(sleep: Callable[[float], None], *sessions: "Server") -> None:
    """A fence does nothing for minutes; by this others can tell a run that waits from one that is no more."""
    while not any(session.connection.closed for session in sessions):
        for session in sessions:
            session.is_alive()
        sleep(BEAT_SECONDS)
