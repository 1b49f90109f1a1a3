"""The CLI, apps for it, and the account of what was checked."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from conformance.counting import RESULT, figures_of, is_whole, left_out
from conformance.effects import unfollowed
from conformance.heroku_cli import Cli, install
from conformance.schemas import schema_of
from local_heroku.launcher import LocalHeroku

ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)
RAN = ("passed", "failed", "error")


@pytest.hookimpl(trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> None:
    """Leaves the figures of a whole run, and fails one that left out a file of checks; each runs the real CLI."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    cut_off = session.shouldstop or session.shouldfail or exitstatus not in ENDED
    if reporter is None or cut_off or not is_whole(session.config.args, session.config.option):
        return
    figures = figures_of({name: len(found) for name, found in reporter.stats.items()})
    reporter.write_line(f"\n{RESULT.name}: {figures}")
    if missing := left_out(report.nodeid for what in RAN for report in reporter.stats.get(what, ())):
        reporter.write_line(f"no check was run of {', '.join(missing)}")
        RESULT.unlink(missing_ok=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
        return
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(figures) + "\n")


@pytest.fixture(scope="session")
def program() -> Path:
    return install(print)


@pytest.fixture
def cli(program: Path, heroku: LocalHeroku, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cli]:
    """The CLI on a local Heroku whose every answer in this test is held to its schema afterwards."""
    heroku.patch("/_control/world", {"recording": True})
    seen = heroku.counted("requests")
    ready = Cli(program, heroku, tmp_path_factory.getbasetemp() / "cli-home")
    (ready.home / "cache").mkdir(parents=True, exist_ok=True)
    yield ready
    for request in heroku.requests(seen):
        _validate(request)


def _validate(request: dict[str, Any]) -> None:
    """An answer that does not have its form fails the test; the message names the request and the place in it."""
    schema = schema_of(request["method"], request["path"], request["status"], request["headers"])
    try:
        jsonschema.validate(request["got"], schema)
    except jsonschema.ValidationError as error:
        place = "/".join(str(part) for part in error.absolute_path)
        pytest.fail(f"{request['method']} {request['path']} -> {request['status']}: at {place!r}: {error.message}")


@pytest.fixture
def shop(heroku: LocalHeroku, new_name: Callable[[], str]) -> dict[str, Any]:
    """An app that serves, with one web dyno and a worker."""
    app: dict[str, Any] = heroku.create_app(new_name(), web=1, worker=1, rows=10)
    return app


@pytest.fixture
def name(shop: dict[str, Any]) -> str:
    return str(shop["name"])


@pytest.fixture
def follower(heroku: LocalHeroku, shop: dict[str, Any]) -> str:
    """A follower of the app's database."""
    return heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-copy")


@pytest.fixture
def free(heroku: LocalHeroku, follower: str) -> str:
    """A database that was a follower and can be promoted."""
    unfollowed(heroku, follower)
    return follower
