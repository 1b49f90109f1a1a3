"""One Database for an app's DATABASE: two of them in one program would each take the other's changeover back."""

from weakref import WeakKeyDictionary

from pulumi.runtime import settings

from heroku_changeover.terms.errors import Refused
from heroku_postgres.wish import Wish

ONE_RUN: object | None = None
"""Set where this process serves one run of the engine alone: a plugin gets a connection for each resource."""

_DECLARED: "WeakKeyDictionary[object, dict[str, str]]" = WeakKeyDictionary()
"""The names of the Databases by their apps' UUIDs, for each run by its connection to the engine."""


def require_alone(wish: Wish, app_id: str) -> None:
    """
    Raises:
        Refused: this program has another Database of the same app.
    """
    declared = _DECLARED.setdefault(ONE_RUN or settings.SETTINGS.monitor, {})
    other = declared.setdefault(app_id, wish.name)
    if other != wish.name:
        raise Refused(
            f"the Databases {other!r} and {wish.name!r} are both about DATABASE of app {wish.app}: "
            "take one of them out of the program"
        )
