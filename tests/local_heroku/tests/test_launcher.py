"""The hold that tests have on a local Heroku."""

import pytest

from local_heroku.launcher import LocalHeroku, LocalHerokuFailed

PATIENCE, LONGER = 2.0, 5.0


@pytest.fixture
def impatient(heroku: LocalHeroku, monkeypatch: pytest.MonkeyPatch) -> LocalHeroku:
    monkeypatch.setattr(heroku, "patience", PATIENCE)
    return heroku


def test_a_look_without_answer_is_asked_for_again_and_says_what_went_on(
    impatient: LocalHeroku, capsys: pytest.CaptureFixture[str]
) -> None:
    impatient.fault("hang", "/apps", method="GET", seconds=LONGER)

    assert impatient.get("/apps") is not None
    said = capsys.readouterr().err
    assert "GET /apps: no answer in 2.0 s" in said
    assert "server.py" in said
    assert "_instead" in said


def test_one_that_stays_without_answer_fails(impatient: LocalHeroku) -> None:
    impatient.fault("hang", "/apps", method="GET", times=2, seconds=LONGER)

    with pytest.raises(LocalHerokuFailed, match="nor when it was asked for again"):
        impatient.get("/apps")


def test_a_write_without_answer_is_not_sent_twice(impatient: LocalHeroku) -> None:
    impatient.fault("hang", "/apps", method="POST", seconds=LONGER)

    with pytest.raises(LocalHerokuFailed, match="POST /apps: no answer"):
        impatient.post("/apps", {})


def test_what_is_asked_for_begins_with_the_number_that_was_counted(heroku: LocalHeroku) -> None:
    before = heroku.counted("requests")
    heroku.get("/account")

    assert [request["path"] for request in heroku.requests(before)] == ["/account"]
