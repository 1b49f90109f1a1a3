"""
Behind the fence, and right before the apps move: the leader is the leader still.

Another run, from another stack or another machine, or a person may have moved the apps on since they were looked at.
What is theirs is left as it is.
"""

from heroku_changeover.reach.answers import reads
from heroku_changeover.reach.reading import attachments_from
from heroku_changeover.reach.sql import Fence, Session
from heroku_changeover.reach.threads import side_by_side
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import Busy
from heroku_changeover.terms.facts import PRIMARY, App, Attachment, Database
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.way import Changeover, Ends


def require_unmoved(c: Changeover, situation: Situation, target: Database) -> None:
    """
    DATABASE of every app is what was seen, by its id, or the target already.

    Raises:
        Busy: another run or a person has moved it.
    """
    side_by_side(lambda app: _require_unmoved(c.world, app, target), situation.apps.values())


def _require_unmoved(world: World, app: App, target: Database) -> None:
    """One that has none for a moment is being moved by somebody, unless it had none before."""
    live = _primary_of(world, app.name)
    known = {target.id, app.primary.addon_id if app.primary else None}
    if (live.addon_id if live else None) in known:
        return
    has, had = (one.addon_name if one else "none" for one in (live, app.primary))
    raise Busy(
        f"{PRIMARY} of {app.name} is {has} by now, and was {had} a moment ago: another run, or a person, moves it; it "
        "was left as it is. Run `pulumi preview` to see where the app is now"
    )


@reads("attachments")
def _primary_of(world: World, app: str) -> Attachment | None:
    live = attachments_from(world.heroku.get(f"/apps/{app}/addon-attachments"))
    return next((attachment for attachment in live if attachment.is_primary), None)


def require_leading(c: Changeover, situation: Situation, ends: Ends, fence: Fence, target: Session) -> None:
    """
    A sealed leader is none, unless this very changeover has sealed it and begins anew: then it takes writes again.

    Raises:
        Busy: another changeover has sealed it.
    """
    if fence.position().sealed is None:
        return
    if not _is_own_seal(c, fence, target):
        require_unmoved(c, situation, ends.target)  # if it is done, that says more
        with c.world.sql.session(ends.leader.name, ends.leader_url) as session:
            raise _sealed_by_another(c, session)
    with doing(Act.UNSEAL):
        fence.unseal()


def _is_own_seal(c: Changeover, fence: Fence, target: Session) -> bool:
    """By the record; or, where the cut can be taken back, because the target has all up to the seal's own barrier."""
    if c.window.has(Moment.SEALING):
        return True
    return not c.way.cut_is_final and c.way.lacks(fence.position(), target.position()) is None


def require_no_other_seal(c: Changeover, leader: Session) -> None:
    """
    Raises:
        Busy: another changeover has sealed the leader of a target that was not cut off yet.
    """
    if c.way.cut_is_final and not c.window.has(Moment.SEALING) and leader.is_sealed():
        raise _sealed_by_another(c, leader)


def _sealed_by_another(c: Changeover, leader: Session) -> Busy:
    name = leader.database
    return Busy(
        f"{name} is read-only by its own setting, which this changeover has not made: another one, to another database "
        f"than {c.order.target}, has come as far as that, and the apps are left as they are. Run `pulumi up` of that "
        f"other stack, which finishes it; if there is none any more, `heroku pg:psql {name} --app {c.order.apps[0]} "
        f"--command '{leader.unsealing()}'` lets it take writes, then `pulumi up` here again"
    )
