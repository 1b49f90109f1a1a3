"""At the barrier no transaction is in progress, and before the cut it is the last one: what commits later is lost."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.report import report_from
from kit.injection import Injection, at
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

from .strangers import stranger_on, with_a_table_of_its_own

pytestmark = pytest.mark.steps
NOTE = "INSERT INTO reports_own.audit VALUES ('noted')"


def notes(heroku: LocalHeroku, addon: str) -> int:
    """How many rows are in the table that the default credential may not read."""
    heroku.administer(
        addon, "GRANT USAGE ON SCHEMA reports_own TO PUBLIC", "GRANT SELECT ON reports_own.audit TO PUBLIC"
    )
    with psycopg.connect(heroku.database_url(addon)) as session:
        row = session.execute("SELECT count(*) FROM reports_own.audit").fetchone()
    return int(row[0]) if row else 0


@pytest.fixture
def stranger(operator: Operator, heroku: LocalHeroku) -> str:
    """The address of a role whose sessions are not ours to end, with a table that is not ours to lock."""
    url = stranger_on(heroku, operator.leader)
    with_a_table_of_its_own(heroku, operator.leader)
    operator.run_until("scale-down")
    return url


def test_one_that_began_before_the_barrier_and_may_not_be_ended_puts_everything_back(
    operator: Operator, heroku: LocalHeroku, stranger: str
) -> None:
    with psycopg.connect(stranger) as session:
        session.execute(NOTE)
        code, said = operator.run("promote")
        session.commit()

    assert code == 10, said
    assert "of reports is in progress behind the fence" in said
    assert operator.is_as_found()
    assert notes(heroku, operator.leader) == 1


def test_one_that_ends_in_time_is_waited_for_and_is_on_the_new_primary(
    operator: Operator, heroku: LocalHeroku, stranger: str
) -> None:
    with psycopg.connect(stranger) as session:
        session.execute(NOTE)
        promote = operator.start("promote")
        operator.read_until(promote, "are locked against writes")
        session.commit()
        code, said = operator.finish(promote)

    assert code == 0, said
    assert notes(heroku, operator.follower) == 1


def test_one_that_is_ours_to_end_is_ended(operator: Operator, heroku: LocalHeroku) -> None:
    """It was never acknowledged, so nothing is lost."""
    url = heroku.credential(operator.leader, "reports")
    with_a_table_of_its_own(heroku, operator.leader)
    operator.run_until("scale-down")
    with psycopg.connect(url) as session:
        session.execute(NOTE)
        code, said = operator.run("promote")
        with pytest.raises(psycopg.OperationalError):
            session.commit()

    assert code == 0, said
    assert notes(heroku, operator.follower) == 0


def test_one_of_our_own_login_is_ours_to_end_under_another_role_too(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    """It comes back right after all were ended."""
    injection = Injection(tmp_path / "injected", at(Act.END_SESSIONS, "after"))
    heroku.credential(operator.leader, "reports")
    with_a_table_of_its_own(heroku, operator.leader)
    operator.run_until("scale-down")
    operator.variables = injection.environment
    promote = operator.start("promote")
    injection.wait_for("act")
    with psycopg.connect(heroku.database_url(operator.leader)) as session:
        session.execute("SET ROLE reports")
        session.execute("CREATE TABLE reports_own.later ()")
        injection.go("act")
        code, said = operator.finish(promote)
        assert not _commits(session)

    assert code == 0, said
    assert "had a transaction in progress behind the fence and was ended" in said


def _commits(session: "psycopg.Connection[tuple[object, ...]]") -> bool:
    try:
        session.commit()
    except psycopg.OperationalError:
        return False
    return True


def test_a_prepared_one_is_named_with_what_ends_it(operator: Operator, heroku: LocalHeroku) -> None:
    heroku.patch(f"/_control/databases/{operator.follower}", {"settings": {"max_prepared_transactions": "5"}})
    heroku.patch(f"/_control/databases/{operator.leader}", {"settings": {"max_prepared_transactions": "5"}})
    url = stranger_on(heroku, operator.leader)
    with_a_table_of_its_own(heroku, operator.leader)
    operator.run_until("scale-down")
    with psycopg.connect(url, autocommit=True) as session:
        session.execute("BEGIN")
        session.execute(NOTE)
        session.execute("PREPARE TRANSACTION 'payment-7'")
    code, said = operator.run("promote")

    assert code == 10, said
    assert "prepared transaction 'payment-7' of reports" in said
    assert "COMMIT PREPARED" in said
    assert operator.is_as_found()


@contextmanager
def _noting(url: str) -> Iterator[list[int]]:
    """One that commits again and again, in transactions too short to be seen."""
    stop, committed = threading.Event(), list[int]()

    def note() -> None:
        with psycopg.connect(url, autocommit=True) as session:
            while not stop.wait(0.001):
                session.execute(NOTE)
                committed.append(1)

    thread = threading.Thread(target=note)
    thread.start()
    try:
        yield committed
    finally:
        stop.set()
        thread.join()


def test_where_somebody_writes_again_and_again_what_cannot_be_locked_everything_is_put_back(
    operator: Operator, heroku: LocalHeroku, stranger: str
) -> None:
    with _noting(stranger) as committed:
        code, said = operator.run("promote")

    assert code == 10, said
    assert "reports" in said
    assert operator.is_as_found()
    assert notes(heroku, operator.leader) == len(committed)


def test_one_that_comes_after_the_last_look_is_an_alarm_and_nothing_is_called_proved(
    operator: Operator, heroku: LocalHeroku, stranger: str
) -> None:
    heroku.patch("/_control/world", {"latency": {"unfollow": 2, "unfollowed": 0.1}})
    with psycopg.connect(stranger, autocommit=True) as session:
        promote = operator.start("promote")
        operator.read_until(promote, "from here on the only way is forward")
        session.execute(NOTE)
        code, said = operator.finish(promote)

    assert code == 0, said
    assert "ALARM: 1 transactions were started" in said
    assert operator.run("restore")[0] == 0
    assert "every committed write proved" not in report_from(operator.facts).sentence()
