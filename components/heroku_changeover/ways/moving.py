"""Moving DATABASE and its companions to the target, and starting the dynos of the apps there."""

from collections.abc import Iterable
from functools import partial

from heroku_changeover.apps.attachments import companions, confirm_moved, move
from heroku_changeover.apps.service import live_formations, start_dynos
from heroku_changeover.reach.threads import at_once, side_by_side
from heroku_changeover.terms.errors import HerokuError, Incomplete
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
    _, formations = at_once(
        lambda: move(c.world, c.document, apps, ends.leader, ends.target),
        lambda: live_formations(c.world, c.window.apps),
    )
    side_by_side(lambda app: _start(c, app, ends, formations[app.name]), apps)


def _start(c: Changeover, app: App, ends: Ends, formation: Iterable[ProcessType]) -> None:
    """Only a release phase can fail a release; without one, dynos boot while its outcome is read back."""
    confirm = partial(confirm_moved, c.world, app.name, ends.target, ends.target_url)
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
    target = situation.target
    if target is None:
        return
    _move_the_rest(c, situation)
    url = c.url_of(target)
    side_by_side(lambda name: confirm_moved(c.world, name, target, url), situation.apps)
    if not c.window.has(Moment.MOVED):
        c.document.did(Moment.MOVED)
    c.report(f"promote is already done: {target.name} is the primary of {', '.join(situation.apps)}")


def _move_the_rest(c: Changeover, situation: Situation) -> None:
    apps, leader, target = situation.apps.values(), situation.leader, situation.target
    c.capture(situation)
    if leader is None or target is None:
        return
    if not any(companions(app, leader, c.window.apps[app.name].names) for app in apps):
        return
    try:
        move(c.world, c.document, apps, leader, target)
    except HerokuError as error:
        raise Incomplete(f"{error}; DATABASE has moved, other names have not: run `pulumi up` again") from error
