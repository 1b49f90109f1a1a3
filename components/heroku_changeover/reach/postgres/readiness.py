"""Whether a database takes writes, and whether all that it holds reaches a follower."""

from psycopg import sql

from heroku_changeover.reach.postgres.session import NAME, Session
from heroku_changeover.terms.errors import SqlRefused


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
    """
    Why a database does not take the writes of an ordinary session; None when it does.

    A setting holds for everybody's sessions but ours. The attempt is one that needs no right and that no event trigger
    sees, and is rolled back.
    """
    recovering, read_only = session.row(
        "SELECT pg_is_in_recovery(),"
        " (SELECT reset_val = 'on' FROM pg_settings WHERE name = 'default_transaction_read_only')"
    )
    if recovering:
        return "it is still in recovery"
    if read_only:
        return "default_transaction_read_only is on"
    try:
        with session.transaction(rolled_back=True):
            session.row("SELECT pg_current_xact_id()::text, pg_logical_emit_message(true, %s, 'probe')::text", NAME)
    except SqlRefused as error:
        return error.reason
    return None
