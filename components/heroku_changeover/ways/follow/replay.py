"""Waiting, while no app writes, until the follower has everything that its leader has."""

from heroku_changeover.reach.sql import Mark, Session
from heroku_changeover.reach.wait import Clock, Wait
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Situation, Stage, require_down
from heroku_changeover.ways.way import Changeover

PATIENCE = 1.2
"""Seconds before the sessions of a follower are ended, whose queries can hold replay back."""

POLL = 0.02
"""Seconds between two looks at the follower's position: catching up takes about that long."""

STEADY_ZERO = 20.0
"""
Seconds in which every look has to say 0 commits where SQL cannot reach. Heroku samples its figure, how often is not
published, so that a few zeros in a row may be one and the same; and who is really behind by that much shows it by then.
"""

FIGURE_POLL = 1.0
"""Seconds between two looks at the figure: each asks some ten questions an app, and the figure is no fresher."""


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
    """
    Waits until the follower has been 0 commits behind for some time, while no app runs; False when an unfollow that an
    earlier run asked for was carried out meanwhile.

    Raises:
        Refused: Heroku shows no figure, or an app was brought up again, which nothing keeps from writing.
    """
    since: float | None = None
    cut_off = False

    def behind() -> str | None:
        nonlocal since, cut_off
        now = c.observe()
        if cut_off := now.stage is Stage.CUT_OFF:
            return None
        require_down(now)
        at, figure = c.world.clock.now(), _figure(now, follower)
        since = None if figure else at if since is None else since
        steady = 0.0 if since is None else at - since
        return None if steady >= STEADY_ZERO else f"{figure} commits behind{_steady(steady)}"

    with doing(Act.AWAIT_REPLAY):
        what = f"{follower.name} to stay 0 commits behind for {STEADY_ZERO:.0f} s"
        Wait(c.world.clock, c.report, FIGURE_POLL, FIGURE_POLL).until(what, behind, c.budget_ends)
    if not cut_off:
        c.document.did(Moment.PROVED)
    return not cut_off


def _figure(now: Situation, follower: Database) -> int:
    if now.target is None or now.target.behind_by is None:
        raise Refused(f"Heroku shows no Behind By for {follower.name}")
    return now.target.behind_by


def _steady(seconds: float) -> str:
    return f", for {seconds:.0f} s" if seconds else ""
