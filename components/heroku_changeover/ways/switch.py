"""
The switch: everything that happens while the fence is held, from the barrier to the sealed old database.

    lock · end sessions · barrier · replayed · unfollow · writable · old one sealed · DATABASE moved · lock let go

Before unfollow an error puts everything back (the step sees to it); after it only forward. A database that was cut
off is never promoted once its leader may have taken a write. The old database is sealed as early as it can be, since
the lock goes with this process and the seal does not: moving may take as long as a release phase does.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial

from heroku_changeover.apps.attachments import companions, confirm_moved, give_back, move, strangers_on
from heroku_changeover.apps.service import live_formations, put_back, start_dynos
from heroku_changeover.reach.answers import reads, resolved
from heroku_changeover.reach.postgres.barrier import next_xid, set_mark, unproven, wait_until_replayed
from heroku_changeover.reach.postgres.fence import (
    LOCK_LIMIT,
    RELEASE_PATIENCE,
    Fence,
    open_fence,
    other_roles,
    require_nobody_waits,
    still_waiting,
)
from heroku_changeover.reach.postgres.readiness import refuses_writes
from heroku_changeover.reach.postgres.seal import SEAL_LIMIT, seal, unseal
from heroku_changeover.reach.postgres.session import Session, SqlUnreachable, open_session
from heroku_changeover.reach.threads import at_once, side_by_side
from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.command import teardown_text
from heroku_changeover.terms.errors import HerokuError, Incomplete, NeedsPerson, Refused, TimedOut
from heroku_changeover.terms.facts import App, Database, ProcessType
from heroku_changeover.terms.order import STEPS
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.ways.changeover import Changeover
from heroku_changeover.ways.sessions import Ahead, end_sessions, name_who_came_back

UNFOLLOW_LIMIT = 600
"""Seconds for Heroku to carry out an unfollow; there is no published figure, PostgreSQL itself takes about 0.1 s."""


STEADY_ZERO = 3
"""How many looks in a row must say 0 commits where SQL cannot reach."""


def switch(c: Changeover, situation: Situation, ahead: Ahead) -> None:
    """Makes the follower the primary of every app, from whatever stage before that it is at."""
    leader, follower = situation.leader, situation.follower
    if leader is None or follower is None:
        raise NeedsPerson(
            f"{c.order.leader if leader is None else c.order.follower} is gone; run `pulumi up --refresh`"
        )
    ends = _Ends(leader, follower, c.url_of(leader), c.url_of(follower))
    if c.order.verify == "api":
        _switch_without_proof(c, situation, ends)
    else:
        _switch_behind_the_fence(c, situation, ends, ahead)
    c.did("promoted")


def finish(c: Changeover, situation: Situation) -> None:
    """
    What may be missing after every app has moved: companions of DATABASE, and a release that has not succeeded. The
    seal is made by restore.
    """
    follower = situation.follower
    if follower is None:
        return
    _move_the_rest(c, situation, follower)
    url = c.url_of(follower)
    side_by_side(lambda name: confirm_moved(c, name, follower, url), situation.apps)
    if "moved" not in c.window.acts:
        c.did("moved")
    c.report(f"promote is already done: {follower.name} is the primary of {', '.join(situation.apps)}")


def _move_the_rest(c: Changeover, situation: Situation, follower: Database) -> None:
    apps, leader = situation.apps.values(), situation.leader
    c.capture(situation)
    if leader is None or not any(companions(app, leader, c.window.apps[app.name].names) for app in apps):
        return
    try:
        move(c, apps, leader, follower)
    except HerokuError as error:
        raise Incomplete(f"{error}; DATABASE has moved, other names have not: run `pulumi up` again") from error


@dataclass(frozen=True, slots=True)
class _Ends:
    """Both ends of a switch; the addresses hold passwords."""

    leader: Database
    follower: Database
    leader_url: str = field(repr=False)
    follower_url: str = field(repr=False)


def _switch_behind_the_fence(c: Changeover, situation: Situation, ends: _Ends, ahead: Ahead) -> None:
    follower = ends.follower
    with _fenced(c, situation.stage, ends, ahead) as fence, ahead.take(follower, ends.follower_url) as copy:
        if situation.stage is Stage.FOLLOWING:
            upcoming = _cut_off(c, fence, copy)
        else:
            upcoming = _require_proof(c, situation, fence, copy)
        # Heroku calls an unfollow complete some time after the server takes writes; the old one is sealed meanwhile.
        sealed = partial(_sealed_once_writable, c, situation, ends, fence, copy, upcoming)
        upcoming, _ = at_once(sealed, partial(_wait_until_unfollowed, c))
        c.did("unfollowed")
        c.report(f"{follower.name} follows nobody and takes writes")
        _move_and_start(c, situation, ends)
        _note_tripwire(c, fence, upcoming)
        _note_who_waits(c, fence)


def _sealed_once_writable(
    c: Changeover, situation: Situation, ends: _Ends, fence: Fence, copy: Session, upcoming: int
) -> int:
    """Returns the transaction id that the old database would give out next, if nobody writes."""
    _wait_until_writable(c, ends, copy)
    if not fence.is_held():
        upcoming = _require_proof(c, situation, _reopened(c, fence, ends), copy)
    return upcoming + _seal(c, ends.leader, fence)


def _move_and_start(c: Changeover, situation: Situation, ends: _Ends) -> None:
    """
    DATABASE and its companions to the follower, and dynos as soon as it is certain that they would run with it.

    Raises:
        Incomplete: a release failed, or the config var does not hold the new primary's address.
    """
    apps = situation.apps.values()  # one whose DATABASE has moved may have companions that have not
    _, formations = at_once(lambda: move(c, apps, ends.leader, ends.follower), lambda: live_formations(c))
    side_by_side(lambda app: _start(c, app, ends, formations[app.name]), situation.apps.values())


def _start(c: Changeover, app: App, ends: _Ends, formation: Iterable[ProcessType]) -> None:
    """Only a release phase can fail a release; without one, dynos boot while its outcome is read back."""
    confirm = partial(confirm_moved, c, app.name, ends.follower, ends.follower_url)
    start = partial(start_dynos, c, app.name, formation)
    if app.has_release_phase:
        confirm()
        start()
    else:
        at_once(start, confirm)


def _seal(c: Changeover, leader: Database, fence: Fence) -> int:
    """
    The old database is read-only from here on; returns how many transaction ids that took. One that an app outside of
    the order has as DATABASE stays as it is, and its sessions too: that came up since the follower was cut off.
    """
    if strangers := strangers_on(c, leader):
        c.window = c.window.noting(not_sealed=strangers)
        c.report(
            f"ALARM: {leader.name} is DATABASE of {', '.join(strangers)}, which is not among the apps that move; so it "
            "is not made read-only, and what is written there from now on is not on the new primary"
        )
        return 0
    with c.doing(Act.SEAL):
        taken = seal(fence.observer, c.clock, _in(c, SEAL_LIMIT))
    c.did("sealed")
    return taken


@contextmanager
def _fenced(c: Changeover, stage: Stage, ends: _Ends, ahead: Ahead) -> Iterator[Fence]:
    """
    The fence for the length of a block; the budget counts only as long as there is a way back.

    Until it is had, nobody's session is ended but that of our own role which still holds a table after some patience.
    """
    deadline = _in(c, LOCK_LIMIT)
    holder, observer = (ahead.take(ends.leader, ends.leader_url) for _ in range(2))
    if stage is Stage.FOLLOWING:
        _require_budget(c)
        deadline = min(deadline, c.budget_ends)
    with c.doing(Act.LOCK):
        fence = open_fence(holder, observer, c.clock, c.report, deadline)
    try:
        _note_fence(c, fence)
        _note_other_roles(c, fence)
        yield fence
    finally:
        fence.release()


def _note_fence(c: Changeover, fence: Fence) -> None:
    c.did("fenced")
    c.window = c.window.noting(tables_locked=fence.tables, tables_not_locked=list(fence.unlocked))
    not_locked = f"; not lockable for this role: {', '.join(fence.unlocked)}" if fence.unlocked else ""
    c.report(f"fence: {fence.tables} tables of {fence.holder.database} are locked against writes{not_locked}")


def _note_other_roles(c: Changeover, fence: Fence) -> None:
    """Their sessions stay as they are: an ordinary role may end its own only, and one that reads does no harm."""
    roles = other_roles(fence)
    c.window = c.window.noting(other_roles=roles)
    if roles:
        c.report(
            f"{', '.join(roles)} has sessions on {fence.observer.database} that this role may not end; "
            "they can write there again once the fence is let go, until they end"
        )


def _cut_off(c: Changeover, fence: Fence, copy: Session) -> int:
    """
    Everything committed is on the follower, then it is unfollowed; returns the leader's next transaction id at the
    barrier.

    Other sessions are ended behind the fence: one that does nothing holds up no lock, so that costs no time, and none
    is ended for a fence that is not had.
    """
    with c.doing(Act.END_SESSIONS):
        ended = end_sessions(fence.observer)
    with c.doing(Act.BARRIER):
        mark = set_mark(fence)
    with c.doing(Act.AWAIT_REPLAY):
        wait_until_replayed(copy, mark, fence, c.budget_ends)
        require_nobody_waits(fence, c.budget_ends)
    name_who_came_back(c, fence, ended)
    c.did("replayed")
    c.report(f"{copy.database} has replayed {mark.lsn}: every committed write is there")
    if not fence.is_held():
        raise TimedOut(f"the fence on {fence.holder.database} was lost before the follower was cut off")
    _require_budget(c)
    _unfollow(c)
    return mark.next_xid


def _require_budget(c: Changeover) -> None:
    if c.clock.now() > c.budget_ends:
        raise TimedOut(f"the window's budget of {c.order.budget} s is spent")


def _unfollow(c: Changeover) -> None:
    """Asks for the unfollow. An answer that was lost is resolved by looking before it is asked for again."""
    c.did("unfollow-asked")
    with c.doing(Act.UNFOLLOW):
        resolved(
            lambda: c.heroku.put_data(f"/client/v11/databases/{c.order.follower}/unfollow"),
            lambda: _still_following(c) is None or _is_waiting(c),
            c.clock,
        )
    c.report(f"{c.order.follower} is being unfollowed: from here on the only way is forward")


def _wait_until_unfollowed(c: Changeover) -> None:
    with c.doing(Act.AWAIT_UNFOLLOWED):
        c.wait_closely(f"{c.order.follower} to be unfollowed", lambda: _still_following(c), _in(c, UNFOLLOW_LIMIT))


@reads("a database")
def _still_following(c: Changeover) -> str | None:
    """What the Data API says against the unfollow being complete; None when it is."""
    path = f"/client/v11/databases/{c.order.follower}"
    info, status = side_by_side(c.heroku.data, (path, f"{path}/wait_status"))
    if info.get("following"):
        return "it still follows"
    return str(status.get("message") or "it is busy") if status.get("waiting?") else None


@reads("a database")
def _is_waiting(c: Changeover) -> bool:
    return bool(c.heroku.data(f"/client/v11/databases/{c.order.follower}/wait_status").get("waiting?"))


def _wait_until_writable(c: Changeover, ends: _Ends, copy: Session) -> None:
    name = ends.follower.name
    with c.doing(Act.AWAIT_WRITABLE):
        c.urgent().until(f"{name} to take writes", lambda: _refusal(ends, copy), _in(c, UNFOLLOW_LIMIT))


def _refusal(ends: _Ends, copy: Session) -> str | None:
    """Why it takes no write; a session that cannot be had is one reason, because a promotion may restart the server."""
    if copy.is_alive():
        return refuses_writes(copy)
    try:
        with open_session(ends.follower.name, ends.follower_url) as session:
            return refuses_writes(session)
    except SqlUnreachable as error:
        return str(error)


def _require_proof(c: Changeover, situation: Situation, fence: Fence, copy: Session) -> int:
    """
    The leader took no write since the follower was cut off.

    Raises:
        NeedsPerson: that is not certain. The apps are put back on the leader, unless one has moved already.
    """
    reason = unproven(fence.observer, copy)
    if reason is None:
        return next_xid(fence.observer)
    if moved := _moved(situation):
        raise NeedsPerson(
            f"{reason}; {', '.join(moved)} already uses {copy.database}. {_COMPARE}; "
            "the apps stay in maintenance mode until then"
        )
    c.clock = c.clock.undisturbed()
    with c.doing(Act.UNSEAL):
        unseal(fence.observer)
    _put_back_on_the_leader(c, situation)
    raise NeedsPerson(_start_over(c, reason, "the apps are back on it"))


def _put_back_on_the_leader(c: Changeover, situation: Situation) -> None:
    if situation.leader is not None:
        give_back(c, situation.apps.values(), situation.leader)
    put_back(c)
    c.close_window()


def require_provable(c: Changeover, situation: Situation) -> None:
    """
    Apps that serve on a leader whose follower is cut off are taken down only if the follower still has everything.

    Raises:
        NeedsPerson: it has not, or that is not certain; nothing is changed.
    """
    if c.order.verify == "api":
        _require_idle_leader(c, situation)
    elif _is_worth_asking(situation):
        _require_nothing_since(c, situation)


def _is_worth_asking(situation: Situation) -> bool:
    """Apps that are all down on the leader are put back on it if nothing proves the follower; one that serves stays."""
    serves = any(app.is_serving for app in situation.apps.values())
    return situation.is_serving or (serves and bool(_moved(situation)))


def _require_idle_leader(c: Changeover, situation: Situation) -> None:
    """
    Without SQL nothing tells whether an app that was brought up again has written; one that stayed down since the
    unfollow was asked for has not. Where all serve nothing is changed; one that is down beside them is put back.
    """
    up = [name for name in situation.unmoved() if situation.apps[name].writers]
    if up and (situation.is_serving or _moved(situation)):
        reason = (
            f"app {', '.join(up)} runs on {c.order.leader}, from which {c.order.follower} is cut off already; what it "
            "wrote since then is not on the follower"
        )
        raise NeedsPerson(_stay(c, situation, reason))
    if not _moved(situation):  # whoever moved one had seen to it
        _require_idle_since_asked(c, situation)


def _require_nothing_since(c: Changeover, situation: Situation) -> None:
    if situation.leader is None or situation.follower is None:
        return
    with (
        open_session(situation.leader.name, c.url_of(situation.leader)) as leader,
        open_session(situation.follower.name, c.url_of(situation.follower)) as copy,
    ):
        reason = unproven(leader, copy)
    if reason:
        raise NeedsPerson(_stay(c, situation, reason))


def _moved(situation: Situation) -> list[str]:
    return [name for name in situation.apps if name not in situation.unmoved()]


def _stay(c: Changeover, situation: Situation, reason: str) -> str:
    """What to do about apps that are left as they are; with some of them on either database nobody can start over."""
    if moved := _moved(situation):
        return (
            f"{reason}; {', '.join(moved)} already uses {c.order.follower}, {', '.join(situation.unmoved())} still "
            f"{c.order.leader}. {_COMPARE}; the apps stay as they are until then, those that serve go on serving"
        )
    return _start_over(c, reason, "the apps stay on it")


def _start_over(c: Changeover, reason: str, apps: str) -> str:
    """Whoever typed a step by hand has no URN: any stack's generation of that name is meant then."""
    urn = c.order.urn or f"urn:pulumi:*::*::**heroku-postgres:index:Generation::{c.order.generation}"
    return (
        f"{reason}. So {c.order.follower} is not promoted: {c.order.leader} stays the primary, {apps}, and nothing is "
        f"lost. To start over with a new follower: `{teardown_text(urn, STEPS, c.order.follower)}`, then `pulumi up`"
    )


_COMPARE = "Compare both databases, bring over what is missing, and attach the right one as DATABASE in every app"


def _reopened(c: Changeover, lost: Fence, ends: _Ends) -> Fence:
    """
    A fence whose sessions broke (the leader was restarted) is opened anew, in place, so that it is released as before.
    """
    lost.release()
    holder, observer = (open_session(ends.leader.name, ends.leader_url) for _ in range(2))
    fence = open_fence(holder, observer, c.clock, c.report, _in(c, LOCK_LIMIT))
    lost.holder, lost.observer = fence.holder, fence.observer
    return lost


def _note_tripwire(c: Changeover, fence: Fence, before: int) -> None:
    """
    Nobody but the seal started a transaction on the old leader since the barrier; analyze can, so it is an alarm and
    not a verdict.
    """
    after = next_xid(fence.observer)
    c.window = c.window.noting(tripwire={"before": before, "after": after, "equal": after == before})
    if after != before:
        leader = fence.observer.database
        c.report(f"ALARM: {after - before} transactions were started on {leader} behind the fence; see the report")


def _note_who_waits(c: Changeover, fence: Fence) -> None:
    """A write that came up behind the fence is acknowledged by the old database as soon as that is let go."""
    roles = still_waiting(fence, _in(c, RELEASE_PATIENCE))
    c.window = c.window.noting(blocked_at_release=roles)
    if roles:
        c.report(
            f"ALARM: writes of {', '.join(roles)} wait behind the fence on {fence.observer.database} and are "
            "committed there when it is let go now; bring them over to the new primary by hand"
        )


def _switch_without_proof(c: Changeover, situation: Situation, ends: _Ends) -> None:
    """Where SQL cannot reach: 0 commits behind, steady, by Heroku's own figure. That is no proof, and is said so."""
    if situation.stage is Stage.FOLLOWING:
        if _comes_to_zero(c, ends.follower):
            _require_budget(c)
            _unfollow(c)
        else:
            _require_idle_since_asked(c, situation)
    _wait_until_unfollowed(c)
    c.did("unfollowed")
    c.window = c.window.noting(proof="none: Heroku said 0 commits behind; SQL was not used")
    _move_and_start(c, situation, ends)


def _comes_to_zero(c: Changeover, follower: Database) -> bool:
    """Waits for it; False when an unfollow that an earlier run had asked for was carried out meanwhile."""
    looks, cut_off = 0, False

    def behind() -> str | None:
        nonlocal looks, cut_off
        now = c.observe()
        if cut_off := now.stage is Stage.CUT_OFF:
            return None
        if now.follower is None or now.follower.behind_by is None:
            raise Refused(f"Heroku shows no Behind By for {follower.name}")
        looks = looks + 1 if now.follower.behind_by == 0 else 0
        return None if looks >= STEADY_ZERO else f"{now.follower.behind_by} commits behind"

    with c.doing(Act.AWAIT_REPLAY):
        c.urgent().until(f"{follower.name} to be 0 commits behind", behind, c.budget_ends)
    if not cut_off:
        c.did("replayed")
    return not cut_off


def _require_idle_since_asked(c: Changeover, situation: Situation) -> None:
    """
    The follower was at 0 when its unfollow was asked for; apps that ran since may have written what it lacks.

    Raises:
        NeedsPerson: one ran, or nobody knows; the apps are put back on the leader.
    """
    if "unfollow-asked" in c.window.acts and not any(app.writers for app in situation.apps.values()):
        return
    c.clock = c.clock.undisturbed()
    _put_back_on_the_leader(c, situation)
    reason = f"{c.order.follower} was cut off while apps ran on {c.order.leader}; it may lack what they wrote"
    raise NeedsPerson(_start_over(c, reason, "the apps are back on it"))


def _in(c: Changeover, seconds: float) -> float:
    return c.clock.now() + seconds
