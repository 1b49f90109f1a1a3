"""The proof behind a fence: all tables of the leader are locked against writes until the target is DATABASE."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import import_module

from heroku_changeover.apps.attachments import apps_on
from heroku_changeover.reach.threads import side_by_side
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import (
    ConnectionsTaken,
    HerokuError,
    Refused,
    SqlRefused,
    SqlUnreachable,
    UnexpectedAnswer,
)
from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.verdict import CERTAIN, Verdict, of_apps_that_serve
from heroku_changeover.ways.limits import LOCK_LIMIT, SEAL_LIMIT
from heroku_changeover.ways.proofs.fenceable import require_fenceable
from heroku_changeover.ways.way import Changeover, Ends, Words, doubt


class Fenced:
    """All tables of the leader are locked against writes until the target has everything and is DATABASE."""

    seals = True

    def sentence(self, leader: str, target: str, words: Words) -> str:
        return f"every table of {leader} is locked against writes and {target} is proved to have every committed write"

    def require_reach(self, c: Changeover) -> None:
        """SQL reaches both databases, the role owns the leader and writes to it, and all its rows get to the target."""
        situation = c.observe()
        if situation.leader is None or situation.target is None:
            raise Refused(f"{c.order.leader} or {c.order.target} is gone")
        old, new = c.require_url(situation.leader), c.require_url(situation.target)
        with (
            _refusing(c.order),
            doing(Act.REACH),
            c.world.sql.session(c.order.leader, old) as leader,
            c.world.sql.session(c.order.leader, old),  # the window needs two
            c.world.sql.session(c.order.target, new) as target,
        ):
            require_fenceable(c, leader)
            c.way.require_reach(c, leader, target)

    def prepare(self, c: Changeover, situation: Situation) -> None:
        """Sessions, two on the leader and one on the target; and what carrying over will need is loaded."""
        import_module("heroku_changeover.ways.proofs.carrying")
        leader, target = situation.leader, situation.target
        if leader and target:
            wanted = ((database.name, c.url_of(database)) for database in (leader, leader, target))
            side_by_side(lambda one: c.world.sql.prepare(*one), wanted)

    def carry_over(self, c: Changeover, situation: Situation, ends: Ends) -> None:
        from heroku_changeover.ways.proofs.carrying import carry_over

        carry_over(c, situation, ends)

    def verdict(self, c: Changeover, situation: Situation) -> Verdict:
        """
        Of apps that are all down nothing is judged yet: that is found out behind the fence, and they are put back if
        need be. One that serves is not taken down for a target that may lack something.
        """
        serves = any(app.is_serving for app in situation.apps.values())
        if situation.is_serving or (serves and situation.moved):
            return of_apps_that_serve(_doubt(c, situation))
        return CERTAIN

    def require_turn(self, c: Changeover, situation: Situation) -> None:
        """
        Where nobody can be asked, nobody's work is known, and the apps are not left down for that. Only while the
        target is seen to follow still is a seal on its leader somebody else's.
        """
        from heroku_changeover.ways.proofs.alone import require_no_other_seal

        leader, target = situation.leader, situation.target
        if leader is None:
            return
        with suppress(SqlUnreachable, HerokuError, UnexpectedAnswer):
            c.world.sql.await_turn(leader.name, c.url_of(leader), c.world.after(LOCK_LIMIT))
            if situation.stage is Stage.BEFORE and target is not None and target.is_follower:
                with c.world.sql.session(leader.name, c.url_of(leader)) as session:
                    require_no_other_seal(c, session)

    def seal_afterwards(self, c: Changeover, leader: Database) -> None:
        """Behind a fence of its own, because the sessions from before are ended."""
        with c.world.sql.session(leader.name, c.url_of(leader)) as session:
            if session.is_sealed():
                return
        with doing(Act.LOCK):
            fence = c.world.sql.fence(leader.name, c.url_of(leader), c.world.after(LOCK_LIMIT))
        try:
            if apps := apps_on(c.world, leader):  # it may be somebody's since it was looked at
                raise Refused(f"{leader.name} is DATABASE of {', '.join(apps)} by now, so it goes on taking writes")
            with doing(Act.SEAL):
                fence.seal(c.world.after(SEAL_LIMIT))
        finally:
            fence.release()
        c.report(f"{leader.name} is read-only now")


@contextmanager
def _refusing(order: Order) -> Iterator[None]:
    """
    Raises:
        Refused: whatever goes wrong over SQL, with what a person can do about it.
    """
    try:
        yield
    except ConnectionsTaken as error:
        raise Refused(
            f"{error}; a changeover needs two connections to {order.leader} and one to {order.target}, besides those "
            "of the apps, then run `pulumi up` again"
        ) from error
    except SqlRefused as error:
        raise Refused(f"{error}; then run `pulumi up` again") from error
    except SqlUnreachable as error:
        raise Refused(f"{error}; where SQL cannot reach, `verify: api` goes on without proof") from error


def _doubt(c: Changeover, situation: Situation) -> str | None:
    leader, target = situation.leader, situation.target
    if leader is None or target is None:
        return None
    with (
        c.world.sql.session(leader.name, c.url_of(leader)) as old,
        c.world.sql.session(target.name, c.url_of(target)) as new,
    ):
        return doubt(c.way, old.position(), new.position())
