"""A step acts on what is its own: nobody else's database is sealed, no session of theirs ended, no name moved."""

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest

from heroku_changeover.reach.postgres.seal import is_sealed
from heroku_changeover.reach.postgres.server import open_server
from heroku_changeover.reach.postgres.session import open_session
from heroku_changeover.reach.sql import Mark
from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.errors import SqlUnreachable, TimedOut
from heroku_changeover.terms.order import STEPS
from heroku_changeover.ways.follow.replay import wait_until_replayed
from kit.fake_time import FakeTime
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
FAR = Mark("FFFFFFFF/0", 1)


def attach(heroku: LocalHeroku, app: str, addon: str, name: str) -> None:
    heroku.post("/addon-attachments", {"addon": addon, "app": app, "name": name, "confirm": app})


def attached(heroku: LocalHeroku, app: str) -> dict[str, str]:
    return {a["name"]: a["addon"]["name"] for a in heroku.get(f"/apps/{app}/addon-attachments")}


def sealed(heroku: LocalHeroku, database: str) -> bool:
    with open_session(database, heroku.database_url(database)) as session:
        return is_sealed(session)


def unseal(heroku: LocalHeroku, database: str) -> None:
    """What a person types who takes a retired database into use again."""
    with psycopg.connect(heroku.database_url(database), autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute(f"ALTER DATABASE {session.info.dbname} RESET default_transaction_read_only")


def lives(session: "psycopg.Connection[Any]") -> bool:
    with suppress(psycopg.Error):
        return session.execute("SELECT 1").fetchone() == (1,)
    return False


@contextmanager
def nothing_written(heroku: LocalHeroku) -> Iterator[None]:
    seen = heroku.counted("requests")
    yield
    assert [r for r in heroku.requests(seen) if r["method"] != "GET"] == []


# One database as leader and follower.


@pytest.mark.parametrize("step", STEPS)
def test_a_database_is_never_leader_and_follower_at_once(operator: Operator, heroku: LocalHeroku, step: str) -> None:
    operator.follower = operator.leader
    with nothing_written(heroku):
        code, said = operator.run(step)

    assert code == 30, said
    assert f"{operator.leader} is named as the database that is left and as the one that takes its place" in said
    assert not sealed(heroku, operator.leader)


@pytest.mark.parametrize("step", STEPS)
def test_nor_is_one_that_is_called_otherwise_the_second_time(
    operator: Operator, heroku: LocalHeroku, step: str
) -> None:
    operator.follower, operator.leader = operator.leader, heroku.get(f"/addons/{operator.leader}")["id"]
    with nothing_written(heroku):
        code, said = operator.run(step)

    assert code == 30, said
    assert f"{operator.leader} and {operator.follower} are one and the same database" in said
    assert not sealed(heroku, operator.follower)


# Steps that run again.


@dataclass(slots=True)
class Done:
    """A changeover that is done, and what the steps that run again know of it."""

    operator: Operator
    document: str

    def run_again(self, knows: str) -> None:
        """From a stack that lost its state, on this machine or on another, or that has an older one."""
        self.operator.document = self.document if "older state" in knows else ""
        if "other machine" in knows:
            shutil.rmtree(self.operator.home)
        for step in STEPS:
            code, said = self.operator.run(step)
            assert code == 0, said


@pytest.fixture
def done(operator: Operator) -> Done:
    operator.run_until("scale-down")
    older = operator.document
    for step in STEPS[3:]:
        assert operator.run(step)[0] == 0
    return Done(operator, older)


again = pytest.mark.parametrize("knows", ["nothing", "nothing, other machine", "older state"])


@again
def test_a_name_that_a_person_gave_the_old_database_later_stays_with_it(
    done: Done, heroku: LocalHeroku, knows: str
) -> None:
    name, old = done.operator.apps[0], done.operator.leader
    attach(heroku, name, old, "ANALYTICS")
    unseal(heroku, old)
    heroku.post(
        f"/client/v11/databases/{old}/transfer-schedules",
        {"hour": 2, "timezone": "UTC", "schedule_name": "ANALYTICS_URL"},
    )
    with psycopg.connect(heroku.database_url(old), autocommit=True) as session, nothing_written(heroku):
        done.run_again(knows)
        assert lives(session)

    assert attached(heroku, name)["ANALYTICS"] == old
    assert not sealed(heroku, old)


@again
def test_the_old_database_that_is_database_of_another_app_by_now_is_left_alone(
    done: Done, heroku: LocalHeroku, new_name: Callable[[], str], knows: str
) -> None:
    old = done.operator.leader
    unseal(heroku, old)
    heroku.create_app(new_name(), web=1, share=old)
    with psycopg.connect(heroku.database_url(old), autocommit=True) as session, nothing_written(heroku):
        done.run_again(knows)
        assert lives(session)

    assert not sealed(heroku, old)


@again
def test_an_app_that_a_colleague_took_down_afterwards_stays_down(done: Done, heroku: LocalHeroku, knows: str) -> None:
    name = done.operator.apps[0]
    heroku.patch(f"/apps/{name}", {"maintenance": True})
    heroku.patch(f"/apps/{name}/formation", {"updates": [{"type": t, "quantity": 0} for t in ("web", "worker")]})
    with nothing_written(heroku):
        done.run_again(knows)

    assert done.operator.app()["maintenance"]
    assert heroku.quantities(name) == {"web": 0, "worker": 0}


def test_a_changeover_by_hand_after_one_that_was_put_back_is_not_finished_by_the_steps(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.extra = ("--one-off-dynos", "wait")
    operator.run_until("maintenance-on")
    name = operator.apps[0]
    heroku.post(f"/apps/{name}/dynos", {"command": "sleep 60"})
    code, said = operator.run_out_of_time("scale-down", Act.AWAIT_ONE_OFFS, "waiting for the one-off dynos")
    assert code == 10, said
    move_by_hand(operator, heroku)
    attach(heroku, name, operator.leader, "ANALYTICS")
    operator.document = ""
    with nothing_written(heroku):
        for step in STEPS:
            code, said = operator.run(step)
            assert code == 0, said

    assert not sealed(heroku, operator.leader)


def move_by_hand(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    heroku.put(f"/client/v11/databases/{operator.follower}/unfollow")
    info = f"/client/v11/databases/{operator.follower}"
    heroku.wait_until("the unfollow", lambda: not heroku.get(info)["following"])
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    attach(heroku, name, operator.follower, "DATABASE")


def test_a_changeover_that_broke_after_the_move_is_finished_from_the_record_of_its_run(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    name, record = operator.apps[0], operator.document
    assert operator.run("promote")[0] == 0
    shutil.rmtree(operator.home)
    operator.document = record
    for step in STEPS[3:]:
        code, said = operator.run(step)
        assert code == 0, said

    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]
    assert sealed(heroku, operator.leader)


def test_a_finished_changeover_says_so_in_its_document(operator: Operator) -> None:
    operator.run_until("restore")

    assert max(json.loads(operator.document)["moments"].items(), key=lambda act: act[1])[0] == "restored"


def test_the_same_changeover_can_be_done_once_more_after_the_way_back(operator: Operator, heroku: LocalHeroku) -> None:
    """A record of the first one is no record of the second."""
    operator.run_until("restore")
    name = operator.apps[0]
    unseal(heroku, operator.leader)
    attach(heroku, name, operator.leader, "DATABASE")
    heroku.delete(f"/apps/{name}/addons/{operator.follower}")
    heroku.follow(name, operator.leader, "standard-2", operator.follower)
    operator.document = ""
    operator.run_until("restore")

    assert heroku.primary(name) == operator.follower
    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert sealed(heroku, operator.leader)


# What moves.


def test_only_names_that_the_record_has_are_moved_when_the_next_run_goes_on(
    operator: Operator, heroku: LocalHeroku
) -> None:
    name = operator.apps[0]
    attach(heroku, name, operator.leader, "READONLY")
    operator.run_until("scale-down")
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    heroku.fault("status", "/addon-attachments", method="POST", after=1)
    assert operator.run("promote")[0] == 0
    assert attached(heroku, name)["DATABASE"] == operator.follower
    assert attached(heroku, name)["READONLY"] == operator.leader
    attach(heroku, name, operator.leader, "ANALYTICS")

    code, said = operator.run("restore")
    assert code == 0, said

    assert attached(heroku, name)["READONLY"] == operator.follower
    assert attached(heroku, name)["ANALYTICS"] == operator.leader


def test_a_name_that_is_given_before_database_has_moved_moves_along(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    operator.run_until("scale-down")
    attach(heroku, name, operator.leader, "HEROKU_POSTGRESQL_ANALYTICS")
    for step in STEPS[3:]:
        assert operator.run(step)[0] == 0

    assert attached(heroku, name)["HEROKU_POSTGRESQL_ANALYTICS"] == operator.follower


# An app that nobody ordered.


def test_an_app_that_was_not_ordered_is_named_before_anything_is_changed(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    other = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    with nothing_written(heroku):
        code, said = operator.run("await-database")

    assert code == 30, said
    assert f"{operator.leader} is DATABASE of {other} too" in said
    assert "list it in `apps`" in said


def test_one_that_came_while_the_window_was_open_puts_everything_back(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    operator.run_until("scale-down")
    other = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    code, said = operator.run("promote")

    assert code == 30, said
    assert f"{operator.leader} is DATABASE of {other} too" in said
    assert operator.is_as_found()
    assert heroku.get(f"/client/v11/databases/{operator.follower}")["following"]


def test_one_that_came_after_the_unfollow_keeps_its_database_as_it_is(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    heroku.patch("/_control/world", {"latency": {"unfollow": 3, "unfollowed": 0.1}})
    operator.run_until("scale-down")
    promote = operator.start("promote")
    operator.read_until(promote, "from here on the only way is forward")
    other = heroku.create_app(new_name(), web=0, share=operator.leader)["name"]
    code, said = operator.finish(promote)
    assert code == 0, said
    assert f"ALARM: {operator.leader} is DATABASE of {other}" in said
    code, said = operator.run("restore")

    assert code == 0, said
    assert f"{operator.leader} is DATABASE of {other}" in said
    assert operator.facts["not_sealed"] == [other]
    assert not sealed(heroku, operator.leader)


def test_restore_leaves_a_database_alone_that_another_app_has_as_database(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    operator.run_until("scale-down")
    move_by_hand(operator, heroku)
    assert operator.run("promote")[0] == 0
    heroku.create_app(new_name(), web=0, share=operator.leader)
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        code, said = operator.run("restore")
        assert lives(session)

    assert code == 0, said
    assert not sealed(heroku, operator.leader)


def test_restore_seals_what_promote_could_not_and_ends_its_sessions(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    move_by_hand(operator, heroku)
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        for step in STEPS[3:]:
            code, said = operator.run(step)
            assert code == 0, said
        assert not lives(session)

    assert sealed(heroku, operator.leader)


# Whose sessions are ended.


def test_no_session_is_ended_on_a_server_that_is_nobodys_copy(operator: Operator, heroku: LocalHeroku) -> None:
    move_by_hand(operator, heroku)
    url, clock = heroku.database_url(operator.follower), FakeTime().clock
    with psycopg.connect(url, autocommit=True) as theirs, open_server(operator.follower, url) as copy:
        with pytest.raises(SqlUnreachable, match="is no copy any more"):
            wait_until_replayed(clock, copy, FAR, clock.now() + 2)

        assert lives(theirs)


def test_a_query_that_may_hold_replay_back_is_ended_on_a_copy(operator: Operator, heroku: LocalHeroku) -> None:
    url, clock = heroku.database_url(operator.follower), FakeTime().clock
    with psycopg.connect(url, autocommit=True) as theirs, open_server(operator.follower, url) as copy:
        with pytest.raises(TimedOut):
            wait_until_replayed(clock, copy, FAR, clock.now() + 2)

        assert not lives(theirs)


def test_no_session_on_the_leader_is_ended_before_the_fence_is_held(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    url = heroku.database_url(operator.leader)
    theirs = heroku.credential(operator.leader, "reports")
    heroku.administer(operator.leader, "ALTER ROLE reports SUPERUSER")  # whom the default credential may not end
    with psycopg.connect(theirs) as holder, psycopg.connect(url, autocommit=True) as idle:
        holder.execute("INSERT INTO orders (reference, source) VALUES ('held', 'reports')")
        code, said = operator.run_out_of_time("promote", Act.LOCK)

        assert code == 10, said
        assert "could not be locked in time" in said
        assert lives(idle)
