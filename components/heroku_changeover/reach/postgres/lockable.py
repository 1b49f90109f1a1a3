"""
What a role may write, and what of it is locked: asked of the catalogue and of `pg_locks`, so that no list is trusted.

Every table is told by itself, partitions and children too: the lock of a parent takes along all that is below it, but
a role may write a partition of its own below a parent of somebody else's, which it may not lock.
"""

from collections import defaultdict
from typing import Any, LiteralString, NamedTuple

import psycopg

Connection = psycopg.Connection[tuple[Any, ...]]

_WRITING: LiteralString = (
    "'UPDATE, DELETE, TRUNCATE' || CASE WHEN current_setting('server_version_num')::int >= 170000"
    " THEN ', MAINTAIN' ELSE '' END"
)
"""The rights of which one is enough to take a SHARE lock."""

_BECOMING: LiteralString = "CASE WHEN current_setting('server_version_num')::int >= 160000 THEN 'SET' ELSE 'MEMBER' END"
"""What a login has to have of a role that it wants to set."""

OF_USERS: LiteralString = "n.nspname NOT IN ('pg_catalog', 'information_schema') AND left(n.nspname, 8) <> 'pg_toast'"
"""What is in no schema of the server's own."""

TABLES: LiteralString = (
    "FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p') AND c.relpersistence <> 't'"
    f" AND {OF_USERS}"
)
"""Tables with rows that anybody may write, and parents of such."""

_HOLDING: LiteralString = (
    "FROM pg_locks l WHERE l.pid = pg_backend_pid() AND l.granted AND l.locktype = 'relation' AND l.mode = 'ShareLock'"
    " AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)

_NO_VIEW: LiteralString = "AND l.relation NOT IN (SELECT oid FROM pg_class WHERE relkind = 'v')"

_UNLOCKED: LiteralString = f"{TABLES} AND c.oid NOT IN (SELECT l.relation {_HOLDING})"

_LOCKABLE: LiteralString = f"has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, {_WRITING})"

NAME_OF: LiteralString = "quote_ident(n.nspname) || '.' || quote_ident(c.relname)"


_EACH: LiteralString = f"FROM (SELECT c.oid, {NAME_OF} AS name, coalesce({_LOCKABLE}, true) AS may {_UNLOCKED}) t"

_AS_ANOTHER: LiteralString = (
    f"FROM (SELECT c.oid, c.relnamespace AS schema, {NAME_OF} AS name {_UNLOCKED}) t CROSS JOIN pg_roles r"
)

_RULES: LiteralString = (
    "FROM pg_rewrite w JOIN pg_depend d ON d.objid = w.oid AND d.classid = 'pg_rewrite'::regclass"
    " AND d.refclassid = 'pg_class'::regclass AND d.refobjid <> w.ev_class"
)

_READS: LiteralString = (
    f"WITH RECURSIVE reads(view, relation) AS (SELECT w.ev_class, d.refobjid {_RULES}"
    f" UNION SELECT r.view, d.refobjid {_RULES} JOIN reads r ON r.relation = w.ev_class)"
)

_VIEWS: LiteralString = (
    "FROM reads JOIN pg_class c ON c.oid = reads.view AND c.relkind = 'v' JOIN pg_namespace n ON n.oid = c.relnamespace"
    f" WHERE reads.relation IN (SELECT c.oid {_UNLOCKED})"
)


class Look(NamedTuple):
    """
    How many tables the session holds, and those that it does not, quoted by the server: what its role may lock, and the
    rest.
    """

    held: int
    lockable: list[str]
    rest: list[str]


def look(connection: Connection) -> Look:
    """
    One question, because users wait. The views whose lock took a table along are not counted. Of a table that was
    dropped since the look began no right is known: to lock it tells whether it is there.
    """
    held, lockable, rest = connection.execute(
        f"SELECT (SELECT count(*) {_HOLDING} {_NO_VIEW}), array_agg(t.name ORDER BY t.oid) FILTER (WHERE t.may),"
        f" array_agg(t.name ORDER BY t.oid) FILTER (WHERE NOT t.may) {_EACH}"
    ).fetchall()[0]
    return Look(int(held), lockable or [], rest or [])


def lockable_as_another(connection: Connection) -> dict[str, list[str]]:
    """Of the rest, the tables that may be locked as another role, which the login can set; by that role."""
    rows = connection.execute(
        f"SELECT DISTINCT ON (t.oid) r.rolname, t.name {_AS_ANOTHER} WHERE r.rolname <> current_user"
        f" AND pg_has_role(session_user, r.oid, {_BECOMING}) AND has_schema_privilege(r.oid, t.schema, 'USAGE')"
        f" AND has_table_privilege(r.oid, t.oid, {_WRITING}) ORDER BY t.oid, r.oid"
    ).fetchall()
    found: dict[str, list[str]] = defaultdict(list)
    for role, name in rows:
        found[str(role)].append(str(name))
    return dict(found)


def lockable_through_views(connection: Connection) -> list[str]:
    """Views that the role may write and that read of a table that is not held: their lock takes such a table along."""
    rows = connection.execute(
        f"{_READS} SELECT DISTINCT {NAME_OF} {_VIEWS} AND {_LOCKABLE}"
        " AND pg_relation_is_updatable(c.oid, false) & 28 <> 0 ORDER BY 1"
    ).fetchall()
    return [str(name) for (name,) in rows]
