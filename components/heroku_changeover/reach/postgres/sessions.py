"""
The sessions of others on a database, and which of them are ours to end.

Ours to end are those of our own login, whatever role they have taken on since, those of a role that ours is a member
of, and, where ours may signal other backends as it may on Heroku, those of everybody but superusers. What replicates
is left alone.
"""

from collections.abc import Iterable
from contextlib import suppress
from typing import LiteralString, NamedTuple

from heroku_changeover.reach.postgres.session import NAME, Session
from heroku_changeover.terms.errors import SqlRefused

LEFT_OVER_AFTER = "30 seconds"
"""How long a session of ours may say nothing and still be a living run's, which gives a sign of life more often."""

OURS: LiteralString = "(NOT r.rolsuper AND (pg_has_role(r.oid, 'USAGE') OR pg_has_role('pg_signal_backend', 'USAGE')))"
"""
Whether a session of role `r` is ours to end: as PostgreSQL decides, by who signed in, whatever role that one has set.
"""

OTHERS: LiteralString = (
    "FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid WHERE a.datname = current_database()"
    " AND a.backend_type = 'client backend' AND a.pid <> pg_backend_pid() AND NOT r.rolreplication"
    f" AND a.application_name IS DISTINCT FROM '{NAME}'"
)
"""Clients of the database beside ourselves; `a` is the session, `r` its role."""

_WAITING: LiteralString = (
    "FROM pg_locks w JOIN pg_stat_activity a USING (pid) JOIN pg_roles r ON r.oid = a.usesysid"
    " WHERE NOT w.granted AND w.locktype = 'relation' AND w.mode <> 'ShareUpdateExclusiveLock'"
    " AND a.datname = current_database() AND a.backend_type = 'client backend'"
    f" AND a.application_name IS DISTINCT FROM '{NAME}' AND %s = ANY(pg_blocking_pids(a.pid))"
)


class Waiting(NamedTuple):
    """A session whose write waits for a lock that another one holds: on the table with that oid."""

    pid: int
    role: str
    is_ours: bool
    table: int


def other_sessions(session: Session) -> list[int]:
    """The process ids of the sessions that are ours to end."""
    return [int(pid) for (pid,) in session.rows(f"SELECT a.pid {OTHERS} AND {OURS}")]


def end_sessions(session: Session, pids: Iterable[int]) -> None:
    """The caller holds the fence on the database, so that they are nobody's work on a primary."""
    ending = list(pids)
    if not ending:
        return
    with suppress(SqlRefused):  # a right that was taken away; that of calling the function, maybe
        session.rows("SELECT pg_terminate_backend(pid) FROM unnest(%s::int[]) AS pid", ending)


def other_roles(session: Session) -> list[str]:
    """Ordinary roles with sessions that are not ours to end."""
    rows = session.rows(f"SELECT DISTINCT r.rolname::text {OTHERS} AND NOT r.rolsuper AND NOT {OURS} ORDER BY 1")
    return [str(name) for (name,) in rows]


def waiting_for(session: Session, holder: int) -> list[Waiting]:
    """
    Whose writes wait for what the session with that process id holds. A vacuum or an analyze that waits writes nothing
    that anybody would miss.
    """
    rows = session.rows(f"SELECT a.pid, r.rolname::text, {OURS}, w.relation::bigint {_WAITING}", holder)
    return [Waiting(int(pid), str(role), bool(ours), int(table)) for pid, role, ours, table in rows]


def holds_a_lock(session: Session, pids: Iterable[int]) -> bool:
    """Whether one of these sessions has something under way with a table, or waits for one."""
    (found,) = session.row(
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'relation' AND pid = ANY(%s::int[]))", list(pids)
    )
    return bool(found)


def end_sessions_on_a_copy(session: Session) -> None:
    """
    Ends the sessions that are ours to end, but on a server in recovery only: on one that takes writes they may be
    anybody's work. One statement, so that the server is not promoted between the question and the act.
    """
    session.rows(f"SELECT pg_terminate_backend(a.pid) {OTHERS} AND {OURS} AND pg_is_in_recovery()")


def end_sessions_left_over(session: Session) -> int:
    """
    Ends sessions of ours whose run is no more: a machine that was lost leaves them behind, with their locks. A living
    run, here or elsewhere, gives a sign of life every few seconds. Returns how many others are there still.
    """
    (left,) = session.row(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
        " AND usename = current_user AND pid <> pg_backend_pid() AND application_name = %s"
        " AND NOT (CASE WHEN state <> 'active' AND clock_timestamp() - state_change > %s::interval"
        " THEN pg_terminate_backend(pid, 5000) ELSE false END)",
        NAME,
        LEFT_OVER_AFTER,
    )
    return int(left)
