"""A session that does what a step asks of a server: the port's verbs, each from the file of its subject."""

from heroku_changeover.reach.postgres import barrier, blockers, readiness, seal, sessions
from heroku_changeover.reach.postgres.session import Session, open_session
from heroku_changeover.reach.sql import Blocker, Room
from heroku_changeover.terms.position import Position


class Server(Session):
    """A session, with the verbs of the port."""

    __slots__ = ()

    def owns_the_database(self) -> bool:
        return readiness.owns_the_database(self)

    def refuses_writes(self) -> str | None:
        return readiness.refuses_writes(self)

    def unsealing(self) -> str:
        return seal.unsealing(self)

    def unlogged_with_rows(self) -> list[str]:
        return readiness.unlogged_with_rows(self)

    def tables_vacuumed_against_wraparound(self) -> list[str]:
        return readiness.tables_vacuumed_against_wraparound(self)

    def room_for_locks(self) -> Room:
        return readiness.room_for_locks(self)

    def in_the_way(self) -> list[Blocker]:
        return blockers.in_the_way(self)

    def flushed(self) -> str:
        return barrier.flushed(self)

    def missing(self, lsn: str) -> int:
        return barrier.missing(self, lsn)

    def end_sessions_left_over(self) -> int:
        return sessions.end_sessions_left_over(self)

    def end_sessions_on_a_copy(self) -> None:
        sessions.end_sessions_on_a_copy(self)

    def position(self) -> Position:
        return barrier.position(self)

    def unseal(self) -> None:
        seal.unseal(self)

    def is_sealed(self) -> bool:
        return seal.is_sealed(self)


def open_server(database: str, url: str) -> Server:
    """
    Raises:
        SqlUnreachable: names the database and the reason.
    """
    session = open_session(database, url)
    return Server(session.database, session.connection)
