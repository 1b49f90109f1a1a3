"""What more than one room of tests needs: a local Heroku for the whole session, apps of its own for each test."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from hypothesis import settings

from kit.project import new_stack_in
from local_heroku.launcher import LocalHeroku
from toolchain import Stack, find

_numbers = itertools.count(1)

settings.register_profile("same", derandomize=True)
settings.load_profile("same")  # every run tries the same; `pytest --hypothesis-profile default` draws others


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Tests of the toolchain share what is dear to make within a file, so a file of them runs in one worker; all others
    are spread over the workers.
    """
    for item in items:
        if "toolchain" in item.path.parts:
            item.add_marker(pytest.mark.xdist_group(str(item.path)))


@pytest.fixture(scope="session")
def new_stack(tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """A stack of the real program on the engine that `make test` has found or built before; others are copied of it."""
    return new_stack_in(tmp_path_factory.mktemp("new-stack"), find(print))


@pytest.fixture(scope="session")
def heroku_of_the_session() -> Iterator[LocalHeroku]:
    """One local Heroku; tests share it and take apps with names of their own."""
    with LocalHeroku() as heroku:
        yield heroku


@pytest.fixture
def heroku(heroku_of_the_session: LocalHeroku, request: pytest.FixtureRequest) -> Iterator[LocalHeroku]:
    """The shared local Heroku without any fault left from another test; a failing test shows what went on in it."""
    heroku = heroku_of_the_session
    heroku.clear_faults()
    seen = heroku.counted("events")
    yield heroku
    report = getattr(request.node, "outcome", None)
    if report is not None and report.failed:
        print("\n".join(str(event) for event in heroku.events(seen)))
        print(heroku.log_text())
    heroku.clear_faults()
    heroku.patch(
        "/_control/world", {"profile": "instant", "grace": 30, "rate_limit": None, "warning": "", "recording": False}
    )


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """Leaves the outcome of a test where its fixtures find it."""
    report = yield
    if call.when == "call":
        setattr(item, "outcome", report)  # noqa: B010 - an attribute that pytest does not declare
    return report


@pytest.fixture
def new_name(heroku: LocalHeroku) -> Iterator[Callable[[], str]]:
    """Names of apps that no other test has; the apps go when the test is over."""
    given: list[str] = []

    def name() -> str:
        given.append(f"shop-{next(_numbers)}")
        return given[-1]

    yield name
    for app in reversed(given):
        heroku.delete(f"/_control/apps/{app}")


@pytest.fixture
def shop(heroku: LocalHeroku, new_name: Callable[[], str]) -> dict[str, Any]:
    """An app that serves, with 2 web dynos, a worker and some orders on `standard-0`."""
    app: dict[str, Any] = heroku.create_app(new_name(), web=2, worker=1, rows=500)
    return app
