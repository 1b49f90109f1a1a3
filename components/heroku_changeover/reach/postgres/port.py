"""The port to real servers. The driver is loaded when it is used first: most steps need none, and it takes 0.3 s."""

from collections import defaultdict
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING

from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import SqlUnreachable

if TYPE_CHECKING:
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

    def load(self) -> None:
        import_module("heroku_changeover.reach.postgres.fence")

    def prepare(self, database: str, url: str) -> None:
        from heroku_changeover.reach.postgres.server import open_server

        try:
            self._spare[database].append(open_server(database, url))
        except SqlUnreachable:
            return  # dynos that still end may hold every connection

    def session(self, database: str, url: str) -> "Server":
        from heroku_changeover.reach.postgres.server import open_server

        spare = self._spare[database]
        session = spare.pop() if spare else None
        return session if session is not None and session.is_alive() else open_server(database, url)

    def fence(self, database: str, url: str, deadline: float) -> "Fence":
        from heroku_changeover.reach.postgres.fence import open_fence

        holder = self.session(database, url)
        try:
            observer = self.session(database, url)
        except SqlUnreachable:
            holder.close()
            raise
        self._fences.add(holder.connection.info.backend_pid)
        return open_fence(holder, observer, self._clock, self._report, deadline)

    def await_turn(self, database: str, url: str, deadline: float) -> None:
        from heroku_changeover.reach.postgres.turn import await_turn

        with self.session(database, url) as session:
            await_turn(session, self._fences, self._clock, self._report, deadline)

    def undisturbed(self) -> "Postgres":
        self._clock = self._clock.undisturbed()
        return self

    def close(self) -> None:
        for session in (session for spare in self._spare.values() for session in spare):
            session.close()
        self._spare.clear()
