"""What would keep the fence from being had is found before the window, with advice that works."""

import threading

import psycopg
import pytest

from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
HELD = "INSERT INTO public.orders (reference, source) VALUES ('held', 'somebody')"


def on_both(heroku: LocalHeroku, operator: Operator, **settings: str) -> None:
    """A follower has to have as much of everything as its leader, so it comes first."""
    for addon in (operator.follower, operator.leader):
        heroku.patch(f"/_control/databases/{addon}", {"settings": settings})


def run(heroku: LocalHeroku, operator: Operator, *statements: str) -> None:
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        for statement in statements:
            session.execute(statement.encode())


def make_tables(heroku: LocalHeroku, operator: Operator, count: int) -> None:
    """In parts, as many as a server with little room for locks lets one transaction make."""
    make = "EXECUTE format('CREATE TABLE t%s (id int)', n)"
    for first in range(0, count, 250):
        run(heroku, operator, f"DO $$ BEGIN FOR n IN {first}..{first + 249} LOOP {make}; END LOOP; END $$")


def test_a_prepared_transaction_is_refused_until_it_is_ended_as_advised(
    operator: Operator, heroku: LocalHeroku
) -> None:
    on_both(heroku, operator, max_prepared_transactions="5")
    run(heroku, operator, f"BEGIN; {HELD}; PREPARE TRANSACTION 'tx-1'")

    code, said = operator.run("await-database")

    assert code == 30, said
    assert "the prepared transaction 'tx-1' of" in said
    assert "as the default credential, COMMIT PREPARED 'tx-1' or ROLLBACK PREPARED 'tx-1', then `pulumi up`" in said
    assert operator.is_as_found()
    run(heroku, operator, "COMMIT PREPARED 'tx-1'")
    assert operator.run("await-database")[0] == 0


def test_prepared_transactions_that_come_and_go_are_in_nobodys_way(operator: Operator, heroku: LocalHeroku) -> None:
    on_both(heroku, operator, max_prepared_transactions="5")
    stop = threading.Event()

    def prepare() -> None:
        number = 0
        with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
            while not stop.wait(0.02):
                number += 1
                session.execute(f"BEGIN; {HELD}; PREPARE TRANSACTION 'tx-{number}'".encode())
                session.execute(f"COMMIT PREPARED 'tx-{number}'".encode())

    client = threading.Thread(target=prepare)
    client.start()
    try:
        code, said = operator.run("await-database")
    finally:
        stop.set()
        client.join()

    assert code == 0, said


def test_a_session_that_is_not_ours_to_end_is_refused_until_it_is_ended_as_advised(
    operator: Operator, heroku: LocalHeroku
) -> None:
    url = heroku.credential(operator.leader, "reports")
    heroku.administer(operator.leader, "ALTER ROLE reports SUPERUSER")
    with psycopg.connect(url, application_name="nightly") as theirs:
        theirs.execute(HELD.encode())
        code, said = operator.run("await-database")

    assert code == 30, said
    assert "of reports (nightly), which the default credential may not end" in said
    assert "end what is signed in as reports there" in said
    assert operator.is_as_found()
    assert operator.run("await-database")[0] == 0


def test_another_credential_that_is_idle_in_a_transaction_is_in_nobodys_way(
    operator: Operator, heroku: LocalHeroku
) -> None:
    theirs = psycopg.connect(heroku.credential(operator.leader, "reports"))
    theirs.execute(HELD.encode())
    operator.run_until("restore")

    with pytest.raises(psycopg.OperationalError):
        theirs.execute("SELECT 1")
    theirs.close()
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_more_tables_than_there_is_room_to_lock_are_refused_and_the_advice_works(
    operator: Operator, heroku: LocalHeroku
) -> None:
    heroku.patch(f"/_control/databases/{operator.leader}", {"settings": {"max_locks_per_transaction": "10"}})
    make_tables(heroku, operator, 2500)

    code, said = operator.run("await-database")

    assert code == 30, said
    assert "has 2,505 tables to lock, and its server has room for 1," in said
    assert operator.is_as_found()
    operator.extra = ("--verify", "api")
    assert operator.run("await-database")[0] == 0


def test_where_the_room_is_gone_when_the_tables_are_locked_everything_is_put_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    heroku.patch(f"/_control/databases/{operator.leader}", {"settings": {"max_locks_per_transaction": "10"}})
    make_tables(heroku, operator, 6000)

    code, said = operator.run("promote")

    assert code == 10, said
    assert "has no room for the locks of all its tables" in said
    assert operator.is_as_found()


SLOW = {"autovacuum_naptime": "1", "autovacuum_vacuum_cost_delay": "100", "autovacuum_vacuum_cost_limit": "1"}
XIDS = "DO $$ BEGIN FOR n IN 1..100100 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$"
MULTIXACTS = """
    DO $$ BEGIN FOR n IN 1..10100 LOOP
        PERFORM FROM orders FOR KEY SHARE;
        BEGIN UPDATE orders SET source = n::text; EXCEPTION WHEN OTHERS THEN RAISE; END;
        COMMIT;
    END LOOP; END $$
"""
"""A row that a transaction locks and that a part of it writes has two ids at once."""


@pytest.mark.parametrize(
    ("setting", "age", "reads_all"),
    [
        ("autovacuum_freeze_max_age = 100000", XIDS, True),
        ("autovacuum_freeze_max_age = 100000", XIDS, False),
        ("autovacuum_multixact_freeze_max_age = 10000", MULTIXACTS, False),
    ],
    ids=["what it says", "its age", "its multixacts"],
)
def test_a_vacuum_against_wraparound_by_the_tables_own_setting_is_refused_until_it_is_done(
    operator: Operator, heroku: LocalHeroku, setting: str, age: str, reads_all: bool
) -> None:
    """Of itself it says so to a role that may read all statistics; to others its age tells it."""
    url = heroku.database_url(operator.leader)
    if not reads_all:
        owner = psycopg.conninfo.conninfo_to_dict(url)["user"]
        heroku.administer(operator.leader, f'REVOKE pg_monitor, pg_read_all_stats FROM "{owner}"')
    heroku.patch(f"/_control/databases/{operator.leader}", {"settings": SLOW})
    run(
        heroku,
        operator,
        "DELETE FROM orders",
        "INSERT INTO orders (reference, source) VALUES ('one', 'one')",
        f"CREATE TABLE old (id int) WITH ({setting}, autovacuum_enabled = false)",
        "INSERT INTO old SELECT generate_series(1, 100000)",
        age,
    )
    vacuumed = "SELECT 1 FROM pg_locks WHERE relation = 'old'::regclass AND mode = 'ShareUpdateExclusiveLock'"
    with psycopg.connect(url, autocommit=True) as session:
        heroku.wait_until("old to be vacuumed", lambda: session.execute(vacuumed).fetchone(), 60)
        code, said = operator.run("await-database")

        assert code == 30, said
        assert "PostgreSQL vacuums public.old of" in said
        assert operator.is_as_found()
        heroku.administer(
            operator.leader, "ALTER SYSTEM SET autovacuum_vacuum_cost_delay = 0", "SELECT pg_reload_conf()"
        )
        heroku.wait_until("that to be done", lambda: not session.execute(vacuumed).fetchone(), 90)
        assert operator.run("await-database")[0] == 0
