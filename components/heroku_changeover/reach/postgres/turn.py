"""
One changeover at a time on a database, from wherever it is run.

Whoever fences a leader holds an advisory lock there for as long as the session lives. It takes no right, it is seen by
every run on every machine, and it is gone with the process that took it.
"""

from collections.abc import Callable, Container

from heroku_changeover.reach.postgres.session import Session
from heroku_changeover.reach.postgres.sessions import end_sessions_left_over
from heroku_changeover.reach.wait import INSIDE_WINDOW, Clock, Wait
from heroku_changeover.terms.errors import Busy, TimedOut

KEY = int.from_bytes(b"heroku")
"""The same in every version of this program: runs of different versions have to see each other."""


def take_turn(
    session: Session, observer: Session, clock: Clock, report: Callable[[str], None], deadline: float
) -> None:
    """
    Takes the turn for as long as the session lives, as soon as no other run has it. The one of a run that is no more is
    taken from it, over the other session.

    Raises:
        Busy: another run has it; names its session.
    """

    def taken() -> str | None:
        if session.row("SELECT pg_try_advisory_lock(%s)", KEY)[0]:
            return None
        end_sessions_left_over(observer)
        return _holder(observer, ()) or "another run has just ended"

    _wait(session, taken, clock, report, deadline)


def await_turn(
    session: Session, own: Container[int], clock: Clock, report: Callable[[str], None], deadline: float
) -> None:
    """
    Returns when no other run has the turn, and ends what a run that is no more has left; `own` are the process ids of
    our own sessions.

    Raises:
        Busy: another run has it; names its session.
    """

    def taken() -> str | None:
        found = _holder(session, own)
        if found is not None:
            end_sessions_left_over(session)
        return found

    _wait(session, taken, clock, report, deadline)


def _wait(
    session: Session, taken: Callable[[], str | None], clock: Clock, report: Callable[[str], None], deadline: float
) -> None:
    try:
        Wait(clock, report, INSIDE_WINDOW).until(f"database {session.database} to be free", taken, deadline)
    except TimedOut as error:
        raise Busy(
            f"one changeover at a time: {error}. The apps are that run's, and were left as they are; run `pulumi up` "
            "again when it has ended. If no such run is left anywhere, end its session: `SELECT "
            f"pg_terminate_backend(…)` with that number in `heroku pg:psql {session.database}`"
        ) from error


def _holder(session: Session, own: Container[int]) -> str | None:
    """Who has the turn; address and time are told to a role that may see them."""
    rows = session.rows(
        "SELECT l.pid, coalesce(a.usename::text, 'an unknown role'), coalesce(' from ' || host(a.client_addr), ''),"
        " coalesce(to_char(a.backend_start AT TIME ZONE 'UTC', '\" since \"YYYY-MM-DD HH24:MI:SS\" UTC\"'), '')"
        " FROM pg_locks l LEFT JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 1"
        " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND l.classid = (%s::bigint >> 32)::oid AND l.objid = (%s::bigint & 4294967295)::oid",
        KEY,
        KEY,
    )
    for pid, role, address, since in rows:
        if int(pid) not in own:
            return f"another run has fenced it, in session {pid} of {role}{address}{since}"
    return None
