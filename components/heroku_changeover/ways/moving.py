"""Moving DATABASE and its companions to the target, and starting the dynos of the apps there."""

from collections.abc import Iterable
from functools import partial

from heroku_changeover.apps.addresses import has_arrived, is_pooled
from heroku_changeover.apps.attachments import companions
from heroku_changeover.apps.moves import confirm_moved, failed_companions, move, move_companions
from heroku_changeover.apps.service import live_formations, start_dynos
from heroku_changeover.reach.answers import TRIES
from heroku_changeover.reach.threads import at_once, side_by_side
from heroku_changeover.terms.facts import App, ProcessType
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.situation import Situation
from heroku_changeover.ways.way import Changeover, Ends


def move_and_start(c: Changeover, situation: Situation, ends: Ends) -> None:
    """
    Moves DATABASE and its companions, and starts dynos as soon as it is certain that they would run on the target.

    Raises:
        Incomplete: a release failed, or the config var does not hold the new primary's address.
    """
    apps = situation.apps.values()  # one whose DATABASE has moved may have companions that have not
    if not c.window.is_past_return:  # a way whose cut can be taken back
        c.require_budget()
        c.document.did(Moment.PASSING_RETURN)
    left = {name: (ends.leader_url, c.addresses.seen_in(situation.apps[name])) for name in situation.unmoved}
    _, formations = at_once(
        lambda: move(c.world, c.document, apps, ends.leader, ends.target),
        lambda: live_formations(c.world, c.window.apps),
    )
    side_by_side(lambda app: _start(c, app, ends, left.get(app.name, (ends.leader_url,)), formations[app.name]), apps)


def _start(c: Changeover, app: App, ends: Ends, left: Iterable[str], formation: Iterable[ProcessType]) -> None:
    """Only a release phase can fail a release; without one, dynos boot while its outcome is read back."""
    arrived = partial(has_arrived, target=ends.target_url, left=tuple(left), pooled=is_pooled(app))
    confirm = partial(confirm_moved, c.world, app.name, ends.target, arrived)
    start = partial(start_dynos, c.world, c.document, app.name, formation)
    if app.has_release_phase:
        confirm()
        start()
    else:
        at_once(start, confirm)


def finish(c: Changeover, situation: Situation) -> None:
    """
    Does what may be missing after every app has moved: companions that have not, a release that has not succeeded. The
    seal is made by restore.
    """
    target, leader = situation.target, situation.leader
    if target is None:
        return
    c.capture(situation)
    url, left = c.url_of(target), (c.url_of(leader),) if leader else ()
    side_by_side(lambda app: _confirm(c, app, situation, url, left), situation.apps.values())
    if not c.window.has(Moment.MOVED):
        c.document.did(Moment.MOVED)
    for reason in names_left(c, situation, tries=1):
        c.report(f"{reason}; it is tried again when the apps are up")
    c.report(f"promote is already done: {target.name} is the primary of {', '.join(situation.apps)}")


def _confirm(c: Changeover, app: App, situation: Situation, url: str, left: Iterable[str]) -> None:
    if situation.target is not None:
        arrived = partial(has_arrived, target=url, left=left, pooled=is_pooled(app))
        confirm_moved(c.world, app.name, situation.target, arrived)


def names_left(c: Changeover, situation: Situation, tries: int) -> list[str]:
    """Moves every name beside DATABASE that is the leader's still; returns the reason for each that could not be."""
    apps, leader, target = list(situation.apps.values()), situation.leader, situation.target
    if leader is None or target is None:
        return []
    behind = [app for app in apps if companions(app, leader, c.window.apps[app.name].names)]
    return move_companions(c.world, c.document, behind, leader, target, tries)


def follow_up(c: Changeover, situation: Situation) -> list[str]:
    """The names beside DATABASE, once the apps serve; returns what a person has to see to."""
    target = situation.target
    left = names_left(c, situation, tries=TRIES)
    if target is None:
        return left
    failed = side_by_side(lambda n: failed_companions(c.world, n, c.window.apps[n].names, target), situation.apps)
    return [*left, *(reason for each in failed for reason in each)]
