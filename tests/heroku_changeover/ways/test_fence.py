"""Writes of another credential, whose sessions the default one may not end."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psycopg
import pytest

from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
INSERT = "INSERT INTO orders (reference, source) VALUES ('other', 'other')"


def test_a_write_of_another_role_that_waits_behind_the_fence_puts_everything_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    with _writing(heroku.credential(operator.leader, "reports")):
        code, said = operator.run("promote")

    assert code == 10, said
    assert "writes of reports wait behind the fence" in said
    assert operator.is_as_found()


def test_a_session_of_another_role_that_does_nothing_is_named_and_in_nobodys_way(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    with psycopg.connect(heroku.credential(operator.leader, "reports")):
        code, said = operator.run("promote")

    assert code == 0, said
    assert operator.facts["other_roles"] == ["reports"]
    assert operator.facts["blocked_at_release"] == []


def test_a_write_of_another_role_that_came_after_the_unfollow_is_an_alarm(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    url = heroku.credential(operator.leader, "reports")
    with psycopg.connect(url, autocommit=True) as late:
        promote = operator.start("promote")
        operator.read_until(promote, "from here on the only way is forward")
        writer = threading.Thread(target=_try, args=(late,))
        writer.start()
        code, said = operator.finish(promote)
        writer.join()

    assert code == 0, said
    assert "ALARM: writes of reports" in said
    assert operator.facts["blocked_at_release"] == ["reports"]


@contextmanager
def _writing(url: str) -> Iterator[None]:
    """One session that never stops writing, whatever it has to wait for."""
    stop = threading.Event()

    def write() -> None:
        with psycopg.connect(url, autocommit=True) as session:
            while not stop.wait(0.01):
                session.execute(INSERT)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield
    finally:
        stop.set()
        writer.join()


def _try(session: "psycopg.Connection[tuple[object, ...]]") -> None:
    with suppress(psycopg.Error):
        session.execute(INSERT)
