"""Both ends of a session notice that the other one is gone, though nobody says so; and silence tells the rest."""

import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager, suppress

import psycopg
import pytest

from heroku_changeover.reach.postgres import connecting, sessions
from heroku_changeover.reach.postgres import port as port_module
from heroku_changeover.reach.postgres import session as session_module
from heroku_changeover.reach.postgres.port import Postgres
from heroku_changeover.reach.postgres.server import open_server
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import ConnectionsTaken, SqlUnreachable
from kit.wire import wire_to
from local_heroku.launcher import LocalHeroku

pytestmark = [
    pytest.mark.steps,
    pytest.mark.skipif(
        sys.platform != "linux", reason="a wire that is cut without a word takes Linux's socket filters"
    ),
]

NOTICED = 40.0
"""Seconds in which a server has noticed that a machine is lost: some 20, and as many again on a busy one."""

AWAY = 2.0
"""Seconds for which a network may be away, and nothing comes of it."""

OURS = "SELECT pid FROM pg_stat_activity WHERE application_name = 'heroku-changeover'"


@pytest.fixture
def url(heroku: LocalHeroku, leader: str) -> str:
    return heroku.database_url(leader)


def until(what: str, is_so: Callable[[], object], seconds: float) -> float:
    """Returns after how long it was so."""
    began = time.monotonic()
    while not is_so():
        assert time.monotonic() - began < seconds, f"{what}: not within {seconds} s"
        threading.Event().wait(0.05)
    return time.monotonic() - began


@contextmanager
def limited(heroku: LocalHeroku, leader: str, sessions: int, kind: str = "role") -> Iterator[None]:
    """A server on which the app's role, or everybody, may have only so many sessions."""
    name = str(heroku.database_url(leader).rpartition("/")[2])
    whose = {"role": f"ROLE u{name[1:]}", "database": f"DATABASE {name}"}.get(kind)
    if whose is None:
        yield
        return
    heroku.administer(leader, f"ALTER {whose} CONNECTION LIMIT {sessions}")
    try:
        yield
    finally:
        heroku.administer(leader, f"ALTER {whose} CONNECTION LIMIT -1")


@contextmanager
def full(url: str) -> Iterator[None]:
    """Sessions of the app's, until it may have no more."""
    with ExitStack() as held:
        with suppress(psycopg.OperationalError):
            while True:
                held.enter_context(psycopg.connect(url))
        yield


def port() -> Postgres:
    return Postgres(Clock(), print)


def test_a_machine_that_is_lost_without_a_word_leaves_no_lock_behind(leader: str, url: str) -> None:
    with wire_to(url) as wire, psycopg.connect(url, autocommit=True) as app:
        fence = port().fence(leader, wire.url, time.time() + 10)
        wire.cut()
        app.execute(f"SET lock_timeout = {int(NOTICED * 1000)}".encode())
        app.execute("INSERT INTO orders (reference, source) VALUES ('after', 'app')")
        until("the sessions to be gone", lambda: not app.execute(OURS).fetchall(), NOTICED)

        assert not fence.is_held()
        fence.release()


def test_a_session_of_a_lost_machine_that_waits_for_a_lock_does_not_wait_for_ever(leader: str, url: str) -> None:
    with wire_to(url) as wire, psycopg.connect(url) as holder, psycopg.connect(url, autocommit=True) as app:
        holder.execute("LOCK TABLE orders IN ACCESS EXCLUSIVE MODE")
        waiter = threading.Thread(target=_wait_for_a_lock, args=(open_server(leader, wire.url),))
        waiter.start()
        until("the lock to be waited for", lambda: app.execute(f"{OURS} AND wait_event_type = 'Lock'").fetchall(), 10)
        wire.cut()

        until("the session to be gone", lambda: not app.execute(OURS).fetchall(), NOTICED)
        waiter.join()


def _wait_for_a_lock(session: "session_module.Session") -> None:
    with session, suppress(SqlUnreachable):
        session.do("SET statement_timeout = 0")
        session.do("BEGIN")
        session.do("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")


def test_a_session_survives_a_network_that_is_away_for_a_moment(leader: str, url: str) -> None:
    with wire_to(url) as wire, ThreadPoolExecutor(1) as pool:
        fence = port().fence(leader, wire.url, time.time() + 10)
        wire.cut()
        held = pool.submit(fence.is_held)
        with pytest.raises(TimeoutError):
            held.result(AWAY)
        wire.mend()

        assert held.result(NOTICED)
        fence.release()


def test_a_server_that_stands_still_is_given_up_after_a_while(
    heroku: LocalHeroku, leader: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its system answers for it, so nothing but a look at the clock tells."""
    monkeypatch.setattr(connecting, "SPEECHLESS_SECONDS", 1.0)
    with open_server(leader, url) as session:
        heroku.patch(f"/_control/databases/{leader}", {"stall": True})
        try:
            with pytest.raises(SqlUnreachable, match="the server said nothing for 1 s"):
                session.rows("SELECT 1")
            assert not session.is_alive()
        finally:
            heroku.patch(f"/_control/databases/{leader}", {"stall": False})


def test_a_session_under_a_statement_of_another_thread_is_closed_when_that_has_its_answer(
    leader: str, url: str
) -> None:
    session = open_server(leader, url)
    with ThreadPoolExecutor(1) as pool:
        asked = pool.submit(session.row, "SELECT pg_sleep(0.3), 1")
        until("the statement", session.connection.lock.locked, 10)
        session.close()

        assert asked.result()[1] == 1
        assert session.connection.closed


def test_a_session_whose_server_says_nothing_is_closed_all_the_same(leader: str, url: str) -> None:
    with wire_to(url) as wire, ThreadPoolExecutor(1) as pool:
        session = open_server(leader, wire.url)
        wire.cut()
        asked = pool.submit(session.is_alive)
        until("the statement", session.connection.lock.locked, 10)
        began = time.monotonic()
        session.close()

        assert time.monotonic() - began < 5
        assert asked.result() is False
        assert session.connection.closed


def test_a_run_that_holds_a_fence_and_waits_gives_signs_of_life_and_is_left_alone(
    leader: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LEFT_OVER_AFTER", "2 seconds")
    monkeypatch.setattr(port_module, "BEAT_SECONDS", 0.2)
    fence = port().fence(leader, url, time.time() + 10)
    with open_server(leader, url) as other:
        oldest = "SELECT min(backend_start) < clock_timestamp() - interval '4 seconds' FROM pg_stat_activity WHERE"
        pids = [fence.holder.connection.info.backend_pid, fence.observer.connection.info.backend_pid]
        until("the run to be old", lambda: other.row(f"{oldest} pid = ANY(%s)", pids)[0], 20)

        assert other.end_sessions_left_over() == 2
        assert fence.is_held()
    fence.release()


def test_what_a_run_that_is_no_more_has_left_is_ended_before_a_new_fence_is_opened(
    leader: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sessions, "LEFT_OVER_AFTER", "1 second")
    left = open_server(leader, url)
    left.connection.autocommit = False
    left.do("LOCK TABLE public.orders IN ACCESS EXCLUSIVE MODE")
    with psycopg.connect(url, autocommit=True) as app:
        silent = "SELECT 1 FROM pg_stat_activity WHERE pid = %s AND state_change < now() - interval '1.2 seconds'"
        pid = left.connection.info.backend_pid
        until("it to be silent", lambda: app.execute(silent, [pid]).fetchall(), 10)
        began = time.monotonic()
        fence = port().fence(leader, url, time.time() + 10)

        assert time.monotonic() - began < 1  # nobody had to be patient with who holds the table
        assert not left.is_alive()
        fence.release()


def test_a_connection_that_is_given_back_in_time_is_waited_for(heroku: LocalHeroku, leader: str, url: str) -> None:
    with limited(heroku, leader, 2), psycopg.connect(url), psycopg.connect(url) as second:
        threading.Timer(1.0, second.close).start()
        with port().session(leader, url) as session:
            assert session.is_alive()


def test_a_connection_that_nobody_gives_back_is_told_as_that_after_a_bounded_time(
    heroku: LocalHeroku, leader: str, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(port_module, "SLOT_SECONDS", 1.0)
    with (
        limited(heroku, leader, 1),
        psycopg.connect(url),
        pytest.raises(ConnectionsTaken, match=r"no connection left: .*none was given back within 1 s.*pg:ps"),
    ):
        port().session(leader, url)


@pytest.mark.parametrize("kind", ["role", "database", "server"])
def test_whichever_limit_is_reached_a_fence_says_so_within_its_deadline(
    heroku: LocalHeroku, leader: str, url: str, kind: str
) -> None:
    with limited(heroku, leader, 1, kind), full(url), pytest.raises(ConnectionsTaken) as taken:
        port().fence(leader, url, time.time() + 1)

    assert leader in str(taken.value)
