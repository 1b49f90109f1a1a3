"""
Writes that wait behind the fence fail when it is let go, in sessions that nobody of ours may end.

A transaction that began before the old database was sealed is not read-only. So the fence's own transaction leaves a
trigger that raises, on the very tables that somebody waits for, and is committed: whoever waited finds the trigger.
"""

import psycopg
from psycopg import sql

from heroku_changeover.reach.postgres.session import Session
from heroku_changeover.terms.errors import SqlUnreachable

SCHEMA = "heroku_changeover"
"""Made on an old database only, when its last write was carried over; it goes with the seal."""

_FUNCTION = f"""
CREATE OR REPLACE FUNCTION {SCHEMA}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'this database was replaced by another one, and the write was not carried out'
    USING ERRCODE = 'read_only_sql_transaction', HINT = 'connect anew, to the address that DATABASE_URL has now';
END $$
"""


def refuse_writes_to(holder: Session, table: int) -> bool:
    """
    Leaves the trigger on the table with that oid, in the open transaction of the fence; False where that is refused,
    and then nothing is changed.
    """
    try:
        with holder.connection.transaction():  # a savepoint: what fails in it leaves the locks as they are
            _leave_triggers(holder, table)
    except (psycopg.Error, SqlUnreachable):
        return False
    return True


def _leave_triggers(holder: Session, table: int) -> None:
    """
    For each statement; and for each row of an ordinary table, which may be written to as a partition of another one.
    """
    kind, name = holder.row("SELECT relkind::text, oid::regclass::text FROM pg_class WHERE oid = %s::oid", table)
    holder.do("SET LOCAL lock_timeout = '1s'")
    holder.do(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}")
    holder.do(_FUNCTION)
    holder.do(_trigger("each_statement", "INSERT OR UPDATE OR DELETE OR TRUNCATE", str(name), "STATEMENT"))
    if kind == "r":
        holder.do(_trigger("each_row", "INSERT OR UPDATE OR DELETE", str(name), "ROW"))


def _trigger(called: str, events: str, table: str, each: str) -> sql.Composed:
    """The table's name was quoted by the server itself."""
    return sql.SQL("CREATE OR REPLACE TRIGGER {} BEFORE {} ON {} FOR EACH {} EXECUTE FUNCTION {}()").format(
        sql.Identifier(f"{SCHEMA}_{called}"),
        sql.SQL(events),
        sql.SQL(table),
        sql.SQL(each),
        sql.Identifier(SCHEMA, "refuse"),
    )


def refuses(session: Session) -> bool:
    """Whether such triggers were left on a database."""
    return bool(session.row("SELECT to_regnamespace(%s) IS NOT NULL", SCHEMA)[0])
