"""Waiting, while no app writes, until the follower has everything that its leader has."""

from heroku_changeover.reach.sql import Mark, Session
from heroku_changeover.reach.wait import Clock, Wait
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Stage
from heroku_changeover.ways.way import Changeover

PATIENCE = 1.2
"""Seconds before the sessions of a follower are ended, whose queries can hold replay back."""

POLL = 0.02
"""Seconds between two looks at the follower's position: catching up takes about that long."""

STEADY_ZERO = 3
"""How many looks in a row must say 0 commits where SQL cannot reach."""


def wait_until_replayed(clock: Clock, follower: Session, mark: Mark, deadline: float) -> None:
    """
    Raises:
        TimedOut: says how many bytes are missing.
    """
    patient_until = clock.now() + PATIENCE

    def missing() -> str | None:
        behind = follower.missing(mark.lsn)
        if behind and clock.now() > patient_until:
            follower.end_sessions_on_a_copy()
        return f"{behind} bytes are missing" if behind else None

    wait = Wait(clock, lambda _: None, POLL)
    with doing(Act.AWAIT_REPLAY):
        wait.until(f"{follower.database} to have replayed {mark.lsn}", missing, deadline)


def comes_to_zero(c: Changeover, follower: Database) -> bool:
    """Waits for 0 commits behind; False when an unfollow that an earlier run asked for was carried out meanwhile."""
    looks, cut_off = 0, False

    def behind() -> str | None:
        nonlocal looks, cut_off
        now = c.observe()
        if cut_off := now.stage is Stage.CUT_OFF:
            return None
        if now.target is None or now.target.behind_by is None:
            raise Refused(f"Heroku shows no Behind By for {follower.name}")
        looks = looks + 1 if now.target.behind_by == 0 else 0
        return None if looks >= STEADY_ZERO else f"{now.target.behind_by} commits behind"

    with doing(Act.AWAIT_REPLAY):
        c.world.urgent().until(f"{follower.name} to be 0 commits behind", behind, c.budget_ends)
    if not cut_off:
        c.document.did(Moment.PROVED)
    return not cut_off
