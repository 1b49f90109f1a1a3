"""Sessions on the databases: our own, opened while dynos still end, and those of others, which are ended."""

from collections import defaultdict

from heroku_changeover.reach.postgres.fence import Fence
from heroku_changeover.reach.postgres.session import (
    Session,
    SqlUnreachable,
    end_other_sessions,
    open_session,
    other_sessions,
)
from heroku_changeover.reach.threads import side_by_side
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.changeover import Changeover


class Ahead:
    """
    Our sessions, opened before they are needed: every one takes some round trips, which users would wait for.

    Leaving the block closes all of them.
    """

    def __init__(self) -> None:
        self._spare: dict[str, list[Session]] = defaultdict(list)
        self._opened: list[Session] = []

    def open(self, c: Changeover, situation: Situation) -> None:
        """Two on the leader and one on the follower, if they can be had; else it is tried again when they are used."""
        leader, follower = situation.leader, situation.follower
        if c.order.verify == "sql" and leader and follower:
            wanted = ((database, c.url_of(database)) for database in (leader, leader, follower))
            side_by_side(self._keep_one, wanted)

    def _keep_one(self, wanted: tuple[Database, str]) -> None:
        database, url = wanted
        try:
            self._spare[database.name].append(open_session(database.name, url))
        except SqlUnreachable:
            return  # dynos that still end may hold every connection

    def take(self, database: Database, url: str) -> Session:
        """
        A session for this use alone.

        Raises:
            SqlUnreachable: none was kept, and none can be had.
        """
        spare = self._spare[database.name]
        session = spare.pop() if spare else None
        if session is None or not session.is_alive():
            session = open_session(database.name, url)
        self._opened.append(session)
        return session

    def __enter__(self) -> "Ahead":
        return self

    def __exit__(self, *_: object) -> None:
        for session in [*self._opened, *(s for spare in self._spare.values() for s in spare)]:
            session.close()


def end_sessions(observer: Session) -> frozenset[int]:
    """
    Ends what an ordinary role may end: its own role's sessions; returns their process ids.

    It is done behind the fence: what waits there to write fails, and is not committed when the lock is let go. Who
    comes back is a client outside the apps; the fence holds it.
    """
    return frozenset(end_other_sessions(observer))


def name_who_came_back(c: Changeover, fence: Fence, ended: frozenset[int]) -> None:
    """Says which of the sessions were replaced by new ones since they were ended."""
    if not ended:
        return
    back = len(set(other_sessions(fence.observer)) - ended)
    again = f"; {back} came back, so a client outside the apps uses it: the fence holds it" if back else ""
    c.report(f"{len(ended)} other sessions on {fence.observer.database} were ended{again}")
    c.window = c.window.noting(sessions_ended=len(ended), sessions_back=back)
