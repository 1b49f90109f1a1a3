"""What a run that is gone has left on a database is ended once the apps are back on it, and holds nobody up."""

import pytest

from heroku_changeover.rescue.recovery import recover
from heroku_changeover.terms.errors import SqlUnreachable
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.window import AppAsFound, Window
from heroku_changeover.ways.way import Changeover

from .model import ModelSession
from .story import Story


def lost(story: Story) -> Changeover:
    """A window whose run is gone before anything was moved."""
    (name,) = story.model.apps
    found = AppAsFound(maintenance=False, formation=story.model.app(name).formation)
    app = story.model.apps[name]
    app.maintenance, app.formation = True, dict.fromkeys(app.formation, 0)
    return story.changeover(Window("db-2", {name: found}, {Moment.ENTERING_MAINTENANCE: story.model.time}))


def is_back(story: Story) -> bool:
    return all(sum(app.formation.values()) and not app.maintenance for app in story.model.apps.values())


def test_sessions_that_a_lost_run_has_left_are_waited_for_until_none_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    story, left = Story(monkeypatch, apps=1, rogue=False), [3, 1, 0]
    monkeypatch.setattr(ModelSession, "end_sessions_left_over", lambda _: left.pop(0))
    recover(lost(story))

    assert left == []
    assert is_back(story)


@pytest.mark.parametrize("why", ["it stays", "nobody answers"])
def test_what_cannot_be_ended_or_seen_keeps_no_app_down(monkeypatch: pytest.MonkeyPatch, why: str) -> None:
    def look(_: ModelSession) -> int:
        if why == "nobody answers":
            raise SqlUnreachable("the session on database x broke")
        return 1

    story = Story(monkeypatch, apps=1, rogue=False)
    monkeypatch.setattr(ModelSession, "end_sessions_left_over", look)
    said = recover(lost(story))

    assert "put back" in said
    assert is_back(story)


def test_without_sql_nobody_looks_for_them(monkeypatch: pytest.MonkeyPatch) -> None:
    def look(_: ModelSession) -> int:
        raise AssertionError("nobody asked for SQL")

    story = Story(monkeypatch, apps=1, rogue=False, verify="api")
    monkeypatch.setattr(ModelSession, "end_sessions_left_over", look)
    recover(lost(story))

    assert is_back(story)
