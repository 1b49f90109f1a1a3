"""The engine under test, found or built once a session, and stacks on it."""

from collections.abc import Callable, Iterator, Mapping

import pytest

from toolchain import Toolchain, find
from toolchain.tests.bench import Bench
from toolchain.tests.recording_heroku import RecordingHeroku, recording_heroku

NewBench = Callable[[Mapping[str, str]], Bench]


@pytest.fixture(scope="session")
def toolchain() -> Toolchain:
    """Return the toolchain; a build that is still to be made takes minutes, so `make test` makes it beforehand."""
    return find(print)


@pytest.fixture(scope="module")
def new_bench(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> NewBench:
    """Return what makes a stack with the environment that every run of it gets."""
    return lambda environment: Bench(toolchain, tmp_path_factory.mktemp("bench"), environment)


@pytest.fixture(scope="module")
def heroku() -> Iterator[RecordingHeroku]:
    """Return a Platform API that all tests of a module share."""
    with recording_heroku() as api:
        yield api
