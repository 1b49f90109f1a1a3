"""How far a changeover has come is judged from what is live."""

import pytest

from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.facts import App, Attachment, Database
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.situation import Stage, stage_of
from heroku_changeover.ways.follow.way import FOLLOW

ORDER = Order("db-2", ("shop", "admin"), "old", "new")


def app(name: str, primary: str | None) -> App:
    attachments = (Attachment("1", "DATABASE", None, f"id-{primary}", primary, name),) if primary else ()
    return App(f"id-{name}", name, maintenance=False, attachments=attachments)


def database(name: str, following: str | None = None) -> Database:
    return Database(f"id-{name}", name, "standard-2", "shop", is_follower=following is not None, following=following)


@pytest.mark.parametrize(
    ("primaries", "follower", "stage"),
    [
        (("old", "old"), database("new", "old"), Stage.BEFORE),
        (("old", "old"), database("new"), Stage.CUT_OFF),
        (("new", "old"), database("new"), Stage.CUT_OFF),
        (("new", "new"), database("new"), Stage.MOVED),
        (("newer", "newer"), database("new"), Stage.SUPERSEDED),
        (("newer", "newer"), None, Stage.SUPERSEDED),
        ((None, None), None, Stage.SUPERSEDED),
        ((None, None), database("new"), Stage.CUT_OFF),
        (("new", None), database("new"), Stage.CUT_OFF),
        (("old", "old"), None, Stage.GONE),
    ],
)
def test_a_stage_follows_from_who_is_primary_and_who_follows_whom(
    primaries: tuple[str | None, str | None], follower: Database | None, stage: Stage
) -> None:
    apps = [app("shop", primaries[0]), app("admin", primaries[1])]

    assert stage_of(ORDER, apps, follower, FOLLOW.is_tied) is stage


@pytest.mark.parametrize(
    ("primaries", "follower", "reason"),
    [
        (("new", "new"), database("new", "old"), "still a follower"),
        (("old", "old"), database("new", "other"), "follows other, not old"),
        (("old", "other"), database("new", "old"), "is other, and of the other apps it is old"),
    ],
)
def test_what_fits_no_changeover_is_refused(primaries: tuple[str, str], follower: Database | None, reason: str) -> None:
    apps = [app("shop", primaries[0]), app("admin", primaries[1])]

    with pytest.raises(Refused, match=reason):
        stage_of(ORDER, apps, follower, FOLLOW.is_tied)
