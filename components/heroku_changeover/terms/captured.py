"""What is recorded of the apps before they go down, and which of them somebody else has taken down by then."""

from heroku_changeover.terms.errors import NeedsPerson, Refused
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.situation import Situation, Stage
from heroku_changeover.terms.window import AppAsFound, Window, as_found, is_down


def captured(window: Window, order: Order, situation: Situation) -> dict[str, AppAsFound]:
    """
    How each app is to be left, from the record so far and from what is live.

    Raises:
        NeedsPerson: an app is scaled to nothing, and no record says how it was.
        Refused: there is more to record than can be handed on from step to step.
    """
    leader = situation.leader.id if situation.leader else ""
    found = {name: as_found(window.found(app), app, leader) for name, app in situation.apps.items()}
    lost = [name for name, app in found.items() if app.formation and not any(p.quantity for p in app.formation)]
    if lost and situation.stage is not Stage.MOVED:
        raise NeedsPerson(
            f"app {', '.join(lost)} is scaled to nothing, and no record says how it was before: scale it back and end "
            "maintenance mode, then run `pulumi up` again"
        )
    if not window.is_open and not window._replace(apps=found).fits:
        raise Refused(
            f"{len(found)} apps with their names of {order.leader} are more than the steps can hand on to each other: "
            "detach the names that nobody reads, `heroku addons:detach NAME --app APP`, then run `pulumi up` again"
        )
    return found


def taken_down(window: Window, situation: Situation) -> dict[str, AppAsFound]:
    """The apps that are down although no window is open, as they were recorded while they served."""
    if window.is_open:
        return {}
    known = {name: found for name, app in situation.apps.items() if (found := window.found(app)) is not None}
    return {name: found for name, found in known.items() if is_down(found, situation.apps[name])}
