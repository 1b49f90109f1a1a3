"""A real server for the tests of this room that need nothing of an app."""

from collections.abc import Iterator

import pytest

from local_heroku.launcher import LocalHeroku


@pytest.fixture(scope="module")
def leader(request: pytest.FixtureRequest, heroku_of_the_session: LocalHeroku) -> Iterator[str]:
    """A database for the tests of one file, which leave it as it was."""
    name = request.module.__name__.rpartition(".")[2].removeprefix("test_")
    app = heroku_of_the_session.create_app(name, web=0, rows=10)
    yield str(app["addon"])
    heroku_of_the_session.delete(f"/_control/apps/{name}")
