"""Whether a database takes writes, and whether all that it holds reaches a follower."""

from typing import LiteralString

from psycopg import sql

from heroku_changeover.reach.postgres.lockable import NAME_OF, OF_USERS, TABLES
from heroku_changeover.reach.postgres.refusing import refuses
from heroku_changeover.reach.postgres.session import NAME, Session
from heroku_changeover.reach.sql import Room
from heroku_changeover.terms.errors import SqlRefused

SMALL = 64 * 2**20
"""Bytes of a table that may be read through to see whether it has a row: some hundredths of a second."""

_VACUUMED: LiteralString = (
    "FROM pg_locks l JOIN pg_class c ON c.oid = l.relation AND c.relkind = 'r'"
    " JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_stat_activity a ON a.pid = l.pid AND a.usesysid IS NULL"
    " WHERE l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    " AND l.granted AND l.mode = 'ShareUpdateExclusiveLock'"
)

_LIMIT: LiteralString = (
    "least(current_setting('{0}')::int, (SELECT o.option_value::int FROM pg_options_to_table(c.reloptions) o"
    " WHERE o.option_name = '{0}'))"
)

_TOO_OLD: LiteralString = (
    "AND (a.query ~ 'to prevent wraparound'"
    " OR age(c.relfrozenxid) > " + _LIMIT.replace("{0}", "autovacuum_freeze_max_age") + " OR"
    " mxid_age(c.relminmxid) > " + _LIMIT.replace("{0}", "autovacuum_multixact_freeze_max_age") + ")"
)

_CAPACITY: LiteralString = (
    "(SELECT current_setting('max_locks_per_transaction')::int * sum(setting::int) FROM pg_settings WHERE name IN"
    " ('max_connections', 'max_prepared_transactions', 'max_wal_senders', 'max_worker_processes',"
    " CASE WHEN current_setting('server_version_num')::int >= 180000 THEN 'autovacuum_worker_slots'"
    " ELSE 'autovacuum_max_workers' END))"
)

_TAKEN: LiteralString = (
    "(SELECT count(*) FROM pg_locks l WHERE NOT l.fastpath AND l.pid IS DISTINCT FROM pg_backend_pid() AND NOT"
    " (l.locktype = 'relation' AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())))"
)
"""Locks of others on other things than tables of this database, which the fence shares with them."""

_USERS: LiteralString = (
    f"FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relpersistence = 'u' AND {OF_USERS}"
)

_UNLOGGED_TABLES: LiteralString = f"{_USERS} AND c.relkind = 'r' AND pg_relation_size(c.oid) > 0 ORDER BY 1"

_UNLOGGED_SEQUENCES: LiteralString = (
    f"{_USERS} AND c.relkind = 'S' AND NOT EXISTS (SELECT FROM pg_depend d JOIN pg_class t ON t.oid = d.refobjid"
    " AND t.relpersistence = 'u' WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid"
    " AND d.refclassid = 'pg_class'::regclass AND d.deptype IN ('a', 'i')) ORDER BY 1"
)
"""
Sequences that begin anew on a follower which has the rows that they number. One of an UNLOGGED table is none: its rows
are not there either.
"""

_TRUSTED: LiteralString = (
    "has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT') AND NOT row_security_active(c.oid)"
)

_HAS_A_ROW: LiteralString = "SELECT EXISTS (SELECT FROM ONLY {})"

_HAS_MOVED: LiteralString = (
    "SELECT s.is_called OR s.last_value <> q.seqstart FROM {} s, pg_sequence q WHERE q.seqrelid = {}::regclass"
)


def owns_the_database(session: Session) -> bool:
    """Only its owner, or a member of that role, may alter it."""
    return bool(
        session.row("SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()")[0]
    )


def tables_vacuumed_against_wraparound(session: Session) -> list[str]:
    """
    Tables under a vacuum of the server's own that, unlike every other one, does not give way to a lock that is waited
    for. What it says of itself is told to a role that may read all statistics; the ages tell it to any role.
    """
    rows = session.rows(f"SELECT DISTINCT {NAME_OF} {_VACUUMED} {_TOO_OLD} ORDER BY 1")
    return [str(name) for (name,) in rows]


def room_for_locks(session: Session) -> Room:
    """
    How many tables a fence has to lock, and for how many the server has room beside what is locked now.

    The lock table is as large as the settings say for all processes of the server, and a little larger.
    """
    needed, room, taken = session.row(f"SELECT (SELECT count(*) {TABLES}), {_CAPACITY}, {_TAKEN}")
    return Room(int(needed), int(room) - int(taken))


def unlogged_with_rows(session: Session) -> list[str]:
    """
    Tables, partitions included, and sequences that a follower has without what is in them.

    A table without a page has no row, and one with pages may have had some only. Where it is small it is asked, but not
    where it may not be read, or where row security may hide what is there.
    """
    rows = session.rows(f"SELECT {NAME_OF}, {_TRUSTED} AND pg_relation_size(c.oid) <= {SMALL} {_UNLOGGED_TABLES}")
    tables = [str(name) for name, trusted in rows if not trusted or _is_so(session, _HAS_A_ROW, str(name))]
    rows = session.rows(f"SELECT {NAME_OF}, {_TRUSTED} {_UNLOGGED_SEQUENCES}")
    sequences = [str(name) for name, trusted in rows if not trusted or _is_so(session, _HAS_MOVED, str(name))]
    return [*tables, *(f"sequence {name}" for name in sequences)]


def _is_so(session: Session, question: LiteralString, name: str) -> bool:
    """The name was quoted by the server itself; a percent sign in it is not the mark of a parameter."""
    name = name.replace("%", "%%")
    return bool(session.row(sql.SQL(question).format(sql.SQL(name), sql.Literal(name)))[0])


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
    if refuses(session):
        return "its tables refuse writes, since a changeover has left it"
    try:
        with session.transaction(rolled_back=True):
            session.row("SELECT pg_current_xact_id()::text, pg_logical_emit_message(true, %s, 'probe')::text", NAME)
    except SqlRefused as error:
        return error.reason
    return None
