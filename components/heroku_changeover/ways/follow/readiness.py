"""How close behind its leader a follower is, and waiting until it stays close."""

from typing import TYPE_CHECKING

from heroku_changeover.reach.wait import Wait
from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.errors import Refused, TimedOut
from heroku_changeover.terms.facts import GONE, Database
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.ways.changeover import Changeover

if TYPE_CHECKING:
    from heroku_changeover.reach.postgres.session import Session


GATE_COMMITS = 200
"""
Commits behind: Heroku says that a follower which keeps up is generally within 200 (devcenter:
heroku-postgres-follower-databases).
"""


GATE_SECONDS = 10
"""
Seconds in which the follower has to reach where the leader is now; it is the catch-up that would fall into the window.
"""


STEADY = 3
"""How many looks in a row must find it close."""


RECHECK_LIMIT = 60
"""Seconds that a later step, finding the app serving, gives the follower to be close again."""


def wait_until_ready(c: Changeover) -> None:
    """
    Waits, gently, until the follower is available, close behind and staying there.

    Raises:
        TimedOut: the follower's limit ran out; nothing has been changed.
        Refused: the fence would not work on this database.
    """
    deadline = c.clock.now() + c.order.follower_limit
    with c.doing(Act.AWAIT_AVAILABLE):
        c.patient().until(f"{c.order.follower} to be available", lambda: _not_available(c), deadline)
    _require_steady(c, c.patient(), deadline)


def require_ready(c: Changeover, situation: Situation) -> None:
    """The same again, right before the window opens: hours may have passed since it was found ready."""
    if situation.follower is None or situation.follower.waiting:
        raise Refused(
            f"{c.order.follower} is busy, perhaps with an unfollow that an earlier run asked for; nothing was started: "
            "run `pulumi up` again in a minute"
        )
    _require_steady(c, c.urgent(), c.clock.now() + RECHECK_LIMIT)


def _require_steady(c: Changeover, wait: Wait, deadline: float) -> None:
    looks = 0

    def unsteady() -> str | None:
        nonlocal looks
        if found := _too_far_behind(c):
            looks = 0
            return found
        looks += 1
        return None if looks >= STEADY else f"close behind, seen {looks} of {STEADY} times"

    with c.doing(Act.AWAIT_CLOSE):
        wait.until(f"{c.order.follower} to be close behind {c.order.leader}", unsteady, deadline)
    if c.order.verify == "sql":
        with c.doing(Act.REACH):
            _require_reach(c)


def _not_available(c: Changeover) -> str | None:
    follower = c.observe().follower
    if follower is None:
        return "there is no such add-on"
    if follower.state in GONE:
        raise Refused(
            f"{follower.name} is {follower.state}: Heroku could not provision it, or it is being removed; run `pulumi "
            "up` again, which orders another"
        )
    if follower.state != "provisioned" or not follower.is_known or follower.waiting:
        return f"it is {follower.state}{', and busy' if follower.waiting else ''}"
    return None


def _too_far_behind(c: Changeover) -> str | None:
    situation = c.observe()
    follower = situation.follower
    if situation.stage is not Stage.FOLLOWING or follower is None:
        raise Refused(f"{c.order.follower} is no follower of {c.order.leader} any more: {situation.stage.value}")
    return _behind(follower)


def _behind(follower: Database) -> str | None:
    """A missing figure is unknown, not zero."""
    if follower.behind_by is None:
        return "Heroku shows no Behind By yet"
    return f"{follower.behind_by} commits behind" if follower.behind_by > GATE_COMMITS else None


def _require_reach(c: Changeover) -> None:
    """
    SQL reaches both databases, the role owns the leader and writes to it, all rows of it are of the kind that followers
    get, and the follower gets to where the leader is within the gate.

    Raises:
        Refused: says which of these it is and what to do.
    """
    from heroku_changeover.reach.postgres.readiness import (
        refuses_writes,
        tables_vacuumed_against_wraparound,
        unlogged_tables_with_rows,
    )
    from heroku_changeover.reach.postgres.session import SqlUnreachable, open_session

    situation = c.observe()
    if situation.leader is None or situation.follower is None:
        raise Refused(f"{c.order.leader} or {c.order.follower} is gone")
    try:
        with (
            open_session(c.order.leader, c.url_of(situation.leader)) as leader,
            open_session(c.order.follower, c.url_of(situation.follower)) as follower,
        ):
            _require_owner(leader.row(_OWNS)[0], c)
            _require_writable(refuses_writes(leader), c)
            _require_logged(unlogged_tables_with_rows(leader), c)
            _require_lockable(tables_vacuumed_against_wraparound(leader), c)
            lsn = leader.row("SELECT pg_current_wal_flush_lsn()::text")[0]
            _wait_until_reached(c, follower, lsn)
    except SqlUnreachable as error:
        raise Refused(f"{error}; where SQL cannot reach, `verify: api` goes on without proof") from error


_OWNS = "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()"


def _require_owner(owns: bool, c: Changeover) -> None:
    if not owns:
        raise Refused(
            f"the default credential of {c.order.leader} does not own the database, so it cannot fence it; "
            "`verify: api` goes on without that proof"
        )


def _require_writable(refusal: str | None, c: Changeover) -> None:
    """A retired database that became DATABASE again by hand is read-only still, and a follower would be so too."""
    if refusal:
        raise Refused(
            f"{c.order.leader} takes no writes ({refusal}); if it was retired by an earlier changeover, "
            f"run ALTER DATABASE … RESET default_transaction_read_only in `heroku pg:psql {c.order.leader}`, "
            "then `pulumi up` again"
        )


def _require_logged(tables: list[str], c: Changeover) -> None:
    """What is not in the log is on no follower: such a table would be empty after the changeover."""
    if tables:
        raise Refused(
            f"{c.order.leader} has UNLOGGED tables with rows, of which a follower gets none: {', '.join(tables)}; "
            f"for each, run ALTER TABLE … SET LOGGED in `heroku pg:psql {c.order.leader}`, or TRUNCATE it if its rows "
            "may go, then `pulumi up` again"
        )


def _require_lockable(tables: list[str], c: Changeover) -> None:
    if tables:
        raise Refused(
            f"PostgreSQL vacuums {', '.join(tables)} of {c.order.leader} against transaction id wraparound, and does "
            "not stop for the fence's lock; wait until it is done (see pg_stat_progress_vacuum), then `pulumi up` again"
        )


def _wait_until_reached(c: Changeover, follower: "Session", lsn: str) -> None:
    def missing() -> str | None:
        behind = int(follower.row("SELECT pg_wal_lsn_diff(%s::pg_lsn, pg_last_wal_replay_lsn())", lsn)[0])
        return f"{behind} bytes are missing" if behind > 0 else None

    try:
        c.urgent().until(
            f"{c.order.follower} to reach where {c.order.leader} is", missing, c.clock.now() + GATE_SECONDS
        )
    except TimedOut as error:
        raise TimedOut(f"{error}; that catching up would fall into the window, so it was not opened") from error
