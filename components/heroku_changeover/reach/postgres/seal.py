"""The seal: the setting that leaves an old database read-only for every ordinary client."""

from psycopg import sql

from heroku_changeover.reach.postgres.refusing import SCHEMA, refuses
from heroku_changeover.reach.postgres.session import POLL, Session
from heroku_changeover.reach.postgres.sessions import OTHERS, OURS
from heroku_changeover.reach.wait import Clock

_SEAL_SETTING = (
    "FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()"
    " AND s.setrole = 0 AND 'default_transaction_read_only=on' = ANY(s.setconfig)"
)
"""That of the database, which is the seal."""

_OWN_SETTING = (
    "FROM pg_db_role_setting s JOIN pg_roles r ON r.oid = s.setrole AND r.rolname = current_user"
    " LEFT JOIN pg_database d ON d.oid = s.setdatabase WHERE (s.setdatabase = 0 OR d.datname = current_database())"
    " AND EXISTS (SELECT FROM unnest(s.setconfig) AS one WHERE one LIKE 'default_transaction_read_only=%%')"
)
"""One of our role's own, for every database or for this one."""

SEAL_XID = f"(SELECT s.xmin::text::bigint {_SEAL_SETTING})"
"""The transaction that has made it; null where there is none."""


def seal(session: Session, clock: Clock, deadline: float) -> int:
    """
    Makes an old database read-only for every ordinary client from now on, and ends the sessions from before. The caller
    holds the fence on it. Returns how many transaction ids that took: none, if it was sealed already.

    A client can override the setting: it is a sign, not a wall. A session that was just being opened reads the old
    setting and shows up a moment later, so the look is repeated until it finds none twice in a row.
    """
    taken = 0 if is_sealed(session) else 1
    if taken:
        _alter(session, sql.SQL("SET default_transaction_read_only = on"))
    (since,) = session.row("SELECT clock_timestamp()::text")
    quiet = 0
    while quiet < 2 and clock.now() < deadline:
        quiet = 0 if _end_sessions_from_before(session, since) else quiet + 1
        clock.sleep(POLL)
    return taken


def _alter(session: Session, change: sql.SQL) -> None:
    """
    In one transaction. Where our role has a setting of its own, which is stronger than the database's, the one that it
    has for this database is changed too, which is stronger still.
    """
    name = sql.Identifier(str(session.row("SELECT current_database()")[0]))
    with session.transaction():
        session.do(sql.SQL("ALTER DATABASE {} {}").format(name, change))
        if session.row(f"SELECT EXISTS (SELECT {_OWN_SETTING})")[0]:
            session.do(sql.SQL("ALTER ROLE CURRENT_USER IN DATABASE {} {}").format(name, change))


def unseal(session: Session) -> None:
    """
    Takes the seal away again from a database that stays the primary after all, or is one again: a person may have
    attached it anew, and then its tables may have triggers still that refuse writes.
    """
    if not (is_sealed(session) or refuses(session)):
        return
    with session.transaction():
        if refuses(session):  # what makes or drops nothing is in no event trigger's way
            session.do("SET LOCAL lock_timeout = '10s'")
            session.do(f"DROP SCHEMA {SCHEMA} CASCADE")
        _alter(session, sql.SQL("RESET default_transaction_read_only"))


def unsealing(session: Session) -> str:
    """
    Takes back whatever makes this role's sessions here read-only, be it the seal or somebody's setting of the role. Its
    own transaction may write, since without that nothing can be altered where transactions are read-only.
    """
    rows = session.rows(
        "SELECT concat_ws(' IN ', 'ROLE ' || quote_ident(r.rolname), 'DATABASE ' || quote_ident(d.datname))"
        " FROM pg_db_role_setting s"
        " LEFT JOIN pg_roles r ON r.oid = s.setrole LEFT JOIN pg_database d ON d.oid = s.setdatabase"
        " WHERE (s.setrole = 0 OR r.rolname = current_user) AND (s.setdatabase = 0 OR d.datname = current_database())"
        " AND (s.setrole, s.setdatabase) <> (0, 0)"
        " AND EXISTS (SELECT FROM unnest(s.setconfig) AS one WHERE one LIKE 'default_transaction_read_only=%%'"
        " AND one !~ '=(off|false|no|0)$') ORDER BY 1"
    )
    resets = [f"ALTER {whose} RESET default_transaction_read_only; " for (whose,) in rows]
    also = f"DROP SCHEMA {SCHEMA} CASCADE; " if refuses(session) else ""
    return f"BEGIN READ WRITE; {''.join(resets)}{also}COMMIT"


def _end_sessions_from_before(session: Session, since: object) -> int:
    """When a session began is hidden where ours may not read its role's statistics; such a one is ended as well."""
    return int(
        session.row(
            f"SELECT count(pg_terminate_backend(a.pid)) {OTHERS} AND {OURS}"
            " AND coalesce(a.backend_start <= %s::timestamptz, true)",
            since,
        )[0]
    )


def is_sealed(session: Session) -> bool:
    """Whether new sessions on this database are read-only by its own setting."""
    return bool(session.row(f"SELECT EXISTS (SELECT {_SEAL_SETTING})")[0])
