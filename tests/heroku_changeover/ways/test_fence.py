"""Writes behind the fence: none is acknowledged by the old database, or its role is named."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import pytest

from heroku_changeover.reach.postgres.server import open_server
from heroku_changeover.terms.report import report_from
from kit.operator import Operator
from kit.orders import orders_on
from local_heroku.launcher import LocalHeroku

from .strangers import stranger_on

pytestmark = pytest.mark.steps
INSERT = "INSERT INTO orders (reference, source) VALUES ('other', 'other') RETURNING id"


def test_a_write_of_another_role_that_waits_behind_the_fence_puts_everything_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    url = stranger_on(heroku, operator.leader)
    operator.run_until("scale-down")
    with Late(url, again=True):
        code, said = operator.run("promote")

    assert code == 10, said
    assert "writes of reports wait behind the fence" in said
    assert operator.is_as_found()


def test_a_write_that_waits_and_is_ours_to_end_fails_and_is_in_nobodys_way(
    operator: Operator, heroku: LocalHeroku
) -> None:
    url = heroku.credential(operator.leader, "reports")
    operator.run_until("scale-down")
    with Late(url, again=True) as late:
        code, said = operator.run("promote")

    assert code == 0, said
    assert late.failures
    assert late.acknowledged <= set(orders_on(heroku.database_url(operator.follower)))
    assert operator.facts["blocked_at_release"] == []


def test_a_session_of_another_role_that_does_nothing_is_named_and_in_nobodys_way(
    operator: Operator, heroku: LocalHeroku
) -> None:
    url = stranger_on(heroku, operator.leader)
    operator.run_until("scale-down")
    with psycopg.connect(url):
        code, said = operator.run("promote")

    assert code == 0, said
    assert operator.facts["other_roles"] == ["reports"]
    assert operator.facts["blocked_at_release"] == []


def writes_after_the_unfollow(operator: Operator, late: "Late") -> str:
    """What promote says while somebody writes as soon as the follower is being cut off; it goes through."""
    promote = operator.start("promote")
    operator.read_until(promote, "from here on the only way is forward")
    late.write()
    code, said = operator.finish(promote)
    assert code == 0, said
    return said


@contextmanager
def waiting_after_the_unfollow(operator: Operator, url: str) -> Iterator["Late"]:
    """A transaction that began before the fence, and writes when the follower is being cut off."""
    with Late(url, begun=True) as late:
        writes_after_the_unfollow(operator, late)
        yield late
    assert not late.acknowledged


def test_a_write_that_comes_up_after_the_unfollow_fails_when_the_lock_goes(
    operator: Operator, heroku: LocalHeroku
) -> None:
    url = stranger_on(heroku, operator.leader)
    operator.run_until("scale-down")
    with waiting_after_the_unfollow(operator, url) as late:
        pass

    assert ["replaced by another one" in failure for failure in late.failures] == [True]
    assert operator.facts["blocked_at_release"] == []
    assert operator.facts["tripwire_before"] == operator.facts["tripwire_after"]


def left_with_triggers(operator: Operator, heroku: LocalHeroku) -> str:
    """An old database of which a table refuses writes; returns its address."""
    url = stranger_on(heroku, operator.leader)
    operator.run_until("scale-down")
    with waiting_after_the_unfollow(operator, url):
        pass
    return heroku.database_url(operator.leader)


def test_the_old_database_takes_writes_again_by_the_words_that_are_told(
    operator: Operator, heroku: LocalHeroku
) -> None:
    """The triggers go with the seal."""
    old = left_with_triggers(operator, heroku)
    with open_server(operator.leader, old) as session:
        words = session.unsealing()
    with psycopg.connect(old, autocommit=True) as session:
        for statement in words.split("; "):
            session.execute(statement)
    with psycopg.connect(old, autocommit=True) as session:
        session.execute(INSERT)


def test_one_whose_setting_alone_was_reset_is_known_to_refuse_writes_until_it_is_let_write(
    operator: Operator, heroku: LocalHeroku
) -> None:
    """A person attaches it again, and whoever brings the app up on it sees to the triggers too."""
    old = left_with_triggers(operator, heroku)
    with psycopg.connect(old, autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute(f"ALTER DATABASE {session.info.dbname} RESET default_transaction_read_only")
    with open_server(operator.leader, old) as session:
        assert session.refuses_writes() == "its tables refuse writes, since a changeover has left it"
        session.unseal()
        assert session.refuses_writes() is None
    with psycopg.connect(old, autocommit=True) as session:
        session.execute(INSERT)


def test_a_write_that_cannot_be_refused_is_an_alarm_that_names_its_role(
    operator: Operator, heroku: LocalHeroku
) -> None:
    url = stranger_on(heroku, operator.leader)
    heroku.administer(
        operator.leader,
        "CREATE FUNCTION nothing_new() RETURNS event_trigger LANGUAGE plpgsql"
        " AS $$ BEGIN RAISE EXCEPTION 'no DDL here'; END $$",
        "CREATE EVENT TRIGGER nothing_new ON ddl_command_start WHEN TAG IN ('CREATE TRIGGER', 'CREATE SCHEMA')"
        " EXECUTE FUNCTION nothing_new()",
    )
    operator.run_until("scale-down")
    with Late(url, begun=True) as late:
        said = writes_after_the_unfollow(operator, late)

    assert late.acknowledged
    assert "ALARM: writes of reports" in said
    assert operator.facts["blocked_at_release"] == ["reports"]
    assert operator.run("restore")[0] == 0
    assert "every committed write proved" not in report_from(operator.facts).sentence()


class Late:
    """
    A client that writes when it is told to, or `again` and again; `begun` opens its transaction before that.
    `acknowledged` are the orders that were, `failures` what it was told instead.
    """

    def __init__(self, url: str, *, again: bool = False, begun: bool = False) -> None:
        self.acknowledged, self.failures = set[int](), list[str]()
        self._url, self._again, self._begun = url, again, begun
        self._told, self._stop, self._ready = threading.Event(), threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> "Late":
        self._thread.start()
        if self._again:
            self._told.set()
        else:
            self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._told.set()
        self._thread.join()

    def write(self) -> None:
        self._told.set()

    def _run(self) -> None:
        while True:
            try:
                with psycopg.connect(self._url, autocommit=not self._begun) as session:
                    self._write_with(session)
            except psycopg.Error as error:
                self.failures.append(str(error))
            if not self._again or self._stop.wait(0.01):
                return

    def _write_with(self, session: "psycopg.Connection[tuple[int]]") -> None:
        if self._begun:
            session.execute("SELECT 1")
        self._ready.set()
        self._told.wait(60)
        while True:
            row = session.execute(INSERT).fetchone()
            if self._begun:
                session.commit()
            self.acknowledged.add(row[0] if row else 0)
            if not self._again or self._stop.wait(0.01):
                return
