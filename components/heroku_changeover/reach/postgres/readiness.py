"""Whether a database takes writes, and whether all that it holds reaches a follower."""

import psycopg
from psycopg import sql

from heroku_changeover.reach.postgres.session import Session


def owns_the_database(session: Session) -> bool:
    """Only its owner, or a member of that role, may alter it."""
    return bool(
        session.row("SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()")[0]
    )


def tables_vacuumed_against_wraparound(session: Session) -> list[str]:
    """Tables under a vacuum that, unlike every other one, does not give way to a lock that is waited for."""
    rows = session.rows(
        "SELECT DISTINCT c.oid::regclass::text FROM pg_locks l JOIN pg_class c ON c.oid = l.relation"
        " WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND l.granted AND l.mode = 'ShareUpdateExclusiveLock' AND c.relkind = 'r'"
        " AND age(c.relfrozenxid) > current_setting('autovacuum_freeze_max_age')::int ORDER BY 1"
    )
    return [str(name) for (name,) in rows]


def unlogged_tables_with_rows(session: Session) -> list[str]:
    """Tables that a follower has without their rows, partitions included; one that may not be read counts as filled."""
    rows = session.rows(
        "SELECT c.oid::regclass::text,"
        " has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT')"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind = 'r' AND c.relpersistence = 'u'"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%%'"
        " ORDER BY 1"
    )
    return [str(name) for name, readable in rows if not readable or _holds_a_row(session, str(name))]


def _holds_a_row(session: Session, name: str) -> bool:
    """The name was quoted by the server itself; a percent sign in it is not the mark of a parameter."""
    return bool(session.row(sql.SQL("SELECT EXISTS (SELECT FROM ONLY {})").format(sql.SQL(name.replace("%", "%%"))))[0])


def refuses_writes(session: Session) -> str | None:
    """Why a database does not take writes; None when it does. The attempt is rolled back."""
    if session.row("SELECT pg_is_in_recovery()")[0]:
        return "it is still in recovery"
    try:
        with session.connection.transaction(force_rollback=True):
            session.connection.execute("CREATE TEMPORARY TABLE heroku_changeover_probe () ON COMMIT DROP")
    except psycopg.errors.ReadOnlySqlTransaction as error:
        return str(error).strip().split("\n")[0]
    return None
