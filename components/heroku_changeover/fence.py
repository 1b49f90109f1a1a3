"""
The fence: proof that every committed write is on the follower, and that none comes after.

It is a lock and not a setting, because a lock does not replicate and vanishes by itself when this process dies. While
session A holds SHARE on every table that the role may write, no INSERT, UPDATE, DELETE, TRUNCATE or COPY goes through
on the leader, whoever sends it; reading goes on.

What it does not stop: CREATE TABLE, sequences, large objects, SELECT … FOR UPDATE, and tables on which the role may
only insert or read (LOCK is refused there). Those are listed, and the tripwire covers them.
"""

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass

import psycopg
from psycopg import sql

from heroku_changeover.errors import TimedOut
from heroku_changeover.postgres import NAME, Session, end_sessions_on_a_copy
from heroku_changeover.wait import Clock, Wait

PATIENCE = 1.2
"""Seconds before a blocker is ended: an autovacuum gives way by itself after deadlock_timeout, which is 1 s."""

LOCK_LIMIT = 30
"""Seconds for the fence to get its locks."""

SEAL_LIMIT = 15
"""Seconds for the sessions from before the seal to end."""

POLL = 0.02
"""Seconds between two looks at the follower's position: catching up takes about that long."""

XIDS = 2**32
"""Transaction ids in a row's xmin wrap around at this number, those in a snapshot do not."""


STRANGER_LIMIT = 5
"""Seconds for a write of another role that waits behind the fence to be given up, before the follower is cut off."""

RELEASE_PATIENCE = 15
"""Seconds that the fence is held on for such writes at the end, while dynos boot already."""


@dataclass(frozen=True, slots=True)
class Mark:
    """
    The end of what has to be on the follower.

    `lsn` is the leader's flushed position behind the barrier; `xid` is the barrier's transaction id modulo 2^32;
    `next_xid` the id that the leader would have given out next: unchanged later means that nobody wrote.
    """

    lsn: str
    xid: int
    next_xid: int


@dataclass(slots=True)
class Fence:
    """An open fence on a leader: `holder` has the locks, `observer` does the rest."""

    holder: Session
    observer: Session
    clock: Clock
    report: Callable[[str], None]
    tables: int = 0
    unlocked: tuple[str, ...] = ()

    def is_held(self) -> bool:
        return self.holder.is_alive()

    def release(self) -> None:
        self.holder.close()
        self.observer.close()


def open_fence(
    holder: Session, observer: Session, clock: Clock, report: Callable[[str], None], deadline: float
) -> Fence:
    """
    Locks every table that the role may write, over two sessions on the leader, which are the fence's from here on.

    Raises:
        TimedOut: names the sessions that hold the tables and could not be ended.
        SqlUnreachable: a session broke.
    """
    fence = Fence(holder, observer, clock, report)
    try:
        holder.connection.autocommit = False  # a lock lasts as long as its transaction
        _lock(fence, deadline)
    except BaseException:
        fence.release()
        raise
    return fence


def _lock(fence: Fence, deadline: float) -> None:
    """
    Locks until nothing is left to lock: a table may be made between the listing and the lock.

    A try that fails rolls back, which gives up all that was had, so the next one starts from the beginning.
    """
    locked: list[str] = []
    while names := [n for n in _tables(fence.holder, lockable=True) if n not in locked]:
        locked = [*locked, *names] if _lock_tables(fence, names, deadline) else []
        if not locked and fence.clock.now() >= deadline:
            named = _blockers_named(fence)
            raise TimedOut(
                f"database {fence.holder.database}: {len(names)} tables could not be locked in time; {named}"
            )
    fence.tables = len(locked)
    fence.unlocked = tuple(_tables(fence.holder, lockable=False))


def _lock_tables(fence: Fence, names: list[str], deadline: float) -> bool:
    """One LOCK statement in a thread, while the observer ends whoever stands in its way."""
    with ThreadPoolExecutor(1) as pool:
        pending = pool.submit(_try_lock, fence.holder, names, deadline - fence.clock.now())
        try:
            _clear_the_way(fence, pending)
        except BaseException:
            fence.holder.connection.cancel()  # else the thread would wait for the lock to the end
            raise
        return pending.result()


def _try_lock(holder: Session, names: list[str], seconds: float) -> bool:
    """
    Whether the lock was had; if not, the transaction is rolled back.

    The names were quoted by the server itself. The settings keep it from ending a transaction that is idle on purpose.
    """
    milliseconds = max(int(seconds * 1000), 1)
    statement = sql.SQL("LOCK TABLE {} IN SHARE MODE").format(sql.SQL(", ").join(sql.SQL(n) for n in names))
    try:
        holder.do(sql.SQL("SET lock_timeout = {}").format(milliseconds))
        holder.do("SET statement_timeout = 0")
        holder.do("SET idle_in_transaction_session_timeout = 0")
        holder.do(statement)
    except (psycopg.errors.LockNotAvailable, psycopg.errors.DeadlockDetected):
        holder.connection.rollback()
        return False
    return True


def _clear_the_way(fence: Fence, pending: "Future[bool]") -> None:
    started = fence.clock.now()
    while not pending.done():
        if fence.clock.now() - started > PATIENCE:
            _end_blockers(fence)
        fence.clock.sleep(POLL)


def _end_blockers(fence: Fence) -> None:
    """Ends the sessions of our own role that hold a table; an ordinary role may end no others."""
    for pid, application, ended in fence.observer.rows(
        "SELECT a.pid, a.application_name, pg_terminate_backend(a.pid) FROM pg_stat_activity a"
        " WHERE a.usename = current_user AND a.pid = ANY(pg_blocking_pids(%s))",
        fence.holder.connection.info.backend_pid,
    ):
        fence.report(
            f"session {pid} ({application or 'no application name'}) held a table{' and was ended' if ended else ''}"
        )


def _blockers_named(fence: Fence) -> str:
    rows = fence.observer.rows(
        "SELECT DISTINCT a.pid, coalesce(a.usename, a.backend_type, 'unknown')"
        " FROM pg_locks l JOIN pg_stat_activity a USING (pid)"
        " WHERE l.locktype = 'relation' AND l.granted AND a.datname = current_database() AND a.pid <> pg_backend_pid()"
        " AND l.mode IN ('RowExclusiveLock', 'ShareUpdateExclusiveLock', 'ShareRowExclusiveLock', 'ExclusiveLock',"
        " 'AccessExclusiveLock')"
    )
    return (
        "held by " + ", ".join(f"session {pid} of {owner}" for pid, owner in rows)
        if rows
        else "nobody seems to hold them now"
    )


_STRANGERS = (
    "FROM pg_stat_activity a JOIN pg_roles r ON r.oid = a.usesysid WHERE a.datname = current_database()"
    " AND a.usename <> current_user AND NOT r.rolsuper AND NOT r.rolreplication"
)


def other_roles(fence: Fence) -> list[str]:
    """Ordinary roles beside ours that have sessions on the leader, which our role may not end."""
    return [str(name) for (name,) in fence.observer.rows(f"SELECT DISTINCT a.usename {_STRANGERS} ORDER BY 1")]


def _kept_waiting(fence: Fence) -> list[str]:
    """Those of them that wait for a lock of the fence: what they wait to write is committed once it is let go."""
    rows = fence.observer.rows(
        f"SELECT DISTINCT a.usename {_STRANGERS} AND %s = ANY(pg_blocking_pids(a.pid)) ORDER BY 1",
        fence.holder.connection.info.backend_pid,
    )
    return [str(name) for (name,) in rows]


def still_waiting(fence: Fence, deadline: float) -> list[str]:
    """Other roles whose writes wait behind the fence, after giving them the time to be given up."""
    while (roles := _kept_waiting(fence)) and fence.clock.now() < deadline:
        fence.clock.sleep(POLL)
    return roles


def require_nobody_waits(fence: Fence, deadline: float) -> None:
    """
    A write of another role that waits behind the fence would be acknowledged by the old database, and be lost.

    Raises:
        TimedOut: names the roles.
    """
    if roles := still_waiting(fence, min(deadline, fence.clock.now() + STRANGER_LIMIT)):
        raise TimedOut(
            f"database {fence.holder.database}: writes of {', '.join(roles)} wait behind the fence, and only these "
            "roles may end their sessions; stop what writes with these credentials, then run `pulumi up` again"
        )


def _tables(session: Session, *, lockable: bool) -> list[str]:
    """
    Ordinary tables and partitioned parents outside the system schemas, quoted by the server.

    Partitions and children are locked with their parents. SHARE may be taken by a role that may UPDATE, DELETE or
    TRUNCATE.
    """
    rows = session.rows(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND c.relpersistence <> 't'"
        " AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_toast%%'"
        " AND (has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'UPDATE, DELETE, TRUNCATE')) = %s"
        " ORDER BY 1",
        lockable,
    )
    return [str(name) for (name,) in rows]


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


def set_mark(fence: Fence) -> Mark:
    """
    Commits the barrier and returns where it lies.

    Everything committed before it, asynchronous commits included, is at or before its flushed position. The barrier
    also rewrites the database's own catalogue row with the values that it has: the row's xmin then tells on the
    follower, and after a crash of this process, up to which transaction the follower has everything.
    """
    session = fence.observer
    limit, name = session.row(
        "SELECT datconnlimit, quote_ident(datname) FROM pg_database WHERE datname = current_database()"
    )
    session.do("SET synchronous_commit = on")
    with session.connection.transaction():
        session.do(sql.SQL("ALTER DATABASE {} CONNECTION LIMIT {}").format(sql.SQL(name), int(limit)))
        session.row("SELECT pg_logical_emit_message(true, %s, 'barrier')", NAME)
    lsn, xid, next_xid = session.row(f"SELECT pg_current_wal_flush_lsn()::text, {BARRIER_XID}, {NEXT_XID}")
    return Mark(str(lsn), int(xid), int(next_xid))


BARRIER_XID = "(SELECT xmin::text::bigint FROM pg_database WHERE datname = current_database())"
NEXT_XID = "pg_snapshot_xmax(pg_current_snapshot())::text::bigint"


def wait_until_replayed(follower: Session, mark: Mark, fence: Fence, deadline: float) -> None:
    """
    Waits until the follower has replayed the barrier. A query on the follower can hold replay back, so its sessions
    are ended.

    Raises:
        TimedOut: says how many bytes are missing.
    """
    patient_until = fence.clock.now() + PATIENCE

    def missing() -> str | None:
        behind = int(follower.row("SELECT pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())", mark.lsn)[0])
        if behind > 0 and fence.clock.now() > patient_until:
            end_sessions_on_a_copy(follower)
        return f"{behind} bytes are missing" if behind > 0 else None

    Wait(fence.clock, lambda _: None, POLL).until(f"{follower.database} to have replayed {mark.lsn}", missing, deadline)


def next_xid(session: Session) -> int:
    """The transaction id that the server would give out next."""
    return int(session.row(f"SELECT {NEXT_XID}")[0])


def unproven(leader: Session, follower: Session) -> str | None:
    """
    Why it is not certain that the leader took no write since the follower was cut off; None when it is certain.

    Certain means: the leader's last transaction is the barrier of a fence, or the seal right behind it, and the
    follower has that very barrier.
    """
    on_leader, sealed, upcoming = leader.row(f"SELECT {BARRIER_XID}, {SEAL_XID}, {NEXT_XID}")
    on_follower = follower.row(f"SELECT {BARRIER_XID}")[0]
    if on_leader != on_follower:
        return (
            f"barrier {on_leader} of {leader.database} is not on {follower.database}, whose last one is {on_follower}"
        )
    later = (int(upcoming) - int(on_leader) - 1) % XIDS
    if sealed is not None and (int(sealed) - int(on_leader)) % XIDS == 1:
        later -= 1
    if later:
        return f"{leader.database} has started {later} transactions since the barrier; each of them may be a write"
    return None


_SEAL_SETTING = (
    "FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase WHERE d.datname = current_database()"
    " AND s.setrole = 0 AND 'default_transaction_read_only=on' = ANY(s.setconfig)"
)
SEAL_XID = f"(SELECT s.xmin::text::bigint {_SEAL_SETTING})"


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


def seal(session: Session, clock: Clock, deadline: float) -> int:
    """
    Makes a retired database read-only for every ordinary client from now on, and ends the sessions from before. The
    fence is held there. Returns how many transaction ids that took: none, if it was sealed already.

    A client can override the setting: it is a sign, not a wall. A session that was just being opened reads the old
    setting and shows up a moment later, so the look is repeated until it finds none twice in a row.
    """
    taken = 0 if is_sealed(session) else 1
    if taken:
        session.do(sql.SQL("ALTER DATABASE {} SET default_transaction_read_only = on").format(_name_of(session)))
    (since,) = session.row("SELECT clock_timestamp()")
    quiet = 0
    while quiet < 2 and clock.now() < deadline:
        quiet = 0 if _end_sessions_from_before(session, since) else quiet + 1
        clock.sleep(POLL)
    return taken


def unseal(session: Session) -> None:
    """Takes the seal away again from a database that stays the primary after all."""
    if is_sealed(session):
        session.do("SET default_transaction_read_only = off")
        session.do(sql.SQL("ALTER DATABASE {} RESET default_transaction_read_only").format(_name_of(session)))


def _name_of(session: Session) -> sql.Identifier:
    return sql.Identifier(str(session.row("SELECT current_database()")[0]))


def _end_sessions_from_before(session: Session, since: object) -> int:
    return int(
        session.row(
            "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database()"
            " AND usename = current_user AND pid <> pg_backend_pid() AND application_name <> %s"
            " AND backend_start <= %s",
            NAME,
            since,
        )[0]
    )


def is_sealed(session: Session) -> bool:
    """Whether new sessions on this database are read-only by its own setting."""
    return bool(session.row(f"SELECT EXISTS (SELECT {_SEAL_SETTING})")[0])
