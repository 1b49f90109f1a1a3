"""What the Data API says of a database a moment after that was cut off."""

import pytest

from heroku_changeover.terms.errors import Incomplete, Refused
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.window import Window

from .model import FOLLOWER
from .story import Story


@pytest.fixture
def story(monkeypatch: pytest.MonkeyPatch) -> Story:
    """The new database is in use, and is called a follower all the same."""
    story = Story(monkeypatch, apps=1, rogue=False)
    story.model.follower.following = True
    for app in story.model.apps.values():
        app.primary = FOLLOWER
    return story


def test_a_database_in_use_that_was_cut_off_and_is_called_a_follower_is_looked_at_again(story: Story) -> None:
    """To make the old one DATABASE again would put the app on one that is read-only."""
    window = Window("db-2").did(Moment.ENTERING_MAINTENANCE, 1.0).did(Moment.PASSING_RETURN, 2.0)

    with pytest.raises(Incomplete, match=f"{FOLLOWER} a follower still; run `pulumi up` again") as late:
        story.changeover(window).observe()
    assert "attach" not in str(late.value)


def test_one_that_nobody_has_cut_off_was_attached_by_somebody(story: Story) -> None:
    with pytest.raises(Refused, match=r"attach .* as DATABASE again"):
        story.changeover(Window("db-2")).observe()
