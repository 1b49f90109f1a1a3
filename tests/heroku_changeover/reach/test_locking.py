"""Whatever the role may write is locked, shown by the server itself; and who stands in the way is ended or named."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from typing import Any

import psycopg
import pytest

from heroku_changeover.reach.postgres.locking import Lock, lock_all
from heroku_changeover.reach.postgres.server import open_server
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.errors import NothingChanged, TimedOut
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
SOON, LONG = 4, 30
"""Seconds for a lock that is not had, and for one that is."""


class Base:
    """A database with nothing but the sample app's tables, and no app that uses it."""

    def __init__(self, heroku: LocalHeroku, app: dict[str, Any]) -> None:
        self.heroku, self.addon, self.url = heroku, str(app["addon"]), str(app["database_url"])
        self.said: list[str] = []

    def run(self, *statements: str) -> None:
        with psycopg.connect(self.url, autocommit=True) as session:
            for statement in statements:
                session.execute(statement.encode())

    def administer(self, *statements: str) -> None:
        self.heroku.administer(self.addon, *statements)

    def stranger(self) -> str:
        """A credential whose role the default one is no member of, so that its tables are none of ours."""
        url = self.heroku.credential(self.addon, "stranger")
        owner = psycopg.conninfo.conninfo_to_dict(self.url)["user"]
        self.administer(f'REVOKE stranger FROM "{owner}"', "GRANT CREATE ON SCHEMA public TO stranger")
        return url

    @contextmanager
    def locked(self, seconds: float = LONG) -> Iterator[tuple[int, tuple[str, ...]]]:
        clock = Clock()
        with open_server(self.addon, self.url) as holder, open_server(self.addon, self.url) as observer:
            yield lock_all(Lock(holder, observer, clock, self.said.append), clock.now() + seconds)

    def may_write(self, statement: str, url: str = "") -> bool:
        """Whether a statement gets through, or has to wait."""
        with psycopg.connect(url or self.url, autocommit=True) as session:
            session.execute("SET lock_timeout = 100")
            try:
                session.execute(statement.encode())
            except psycopg.errors.LockNotAvailable:
                return False
            return True


@pytest.fixture
def base(heroku: LocalHeroku, new_name: Callable[[], str]) -> Base:
    return Base(heroku, heroku.create_app(new_name()))


def test_a_partition_of_ours_below_a_parent_of_somebody_elses_is_locked(base: Base) -> None:
    with psycopg.connect(base.stranger()) as session:
        session.execute("CREATE TABLE public.days (day int) PARTITION BY LIST (day)")
    base.run("CREATE TABLE today (day int)")
    base.administer("ALTER TABLE days ATTACH PARTITION today FOR VALUES IN (1)")

    with base.locked() as (_, unlocked):
        assert unlocked == ("public.days",)
        assert not base.may_write("INSERT INTO today VALUES (1)")


def test_a_child_of_ours_of_somebody_elses_table_is_locked_and_so_are_its_own_children(base: Base) -> None:
    theirs = base.stranger()
    with psycopg.connect(theirs) as session:
        session.execute("CREATE TABLE public.animals (id int)")
    base.administer("CREATE TABLE cats () INHERITS (animals)", "CREATE TABLE kittens () INHERITS (cats)")
    owner = psycopg.conninfo.conninfo_to_dict(base.url)["user"]
    base.administer(f'ALTER TABLE cats OWNER TO "{owner}"', f'ALTER TABLE kittens OWNER TO "{owner}"')

    with base.locked() as (_, unlocked):
        assert unlocked == ("public.animals",)
        assert not base.may_write("INSERT INTO cats VALUES (1)")
        assert not base.may_write("INSERT INTO kittens VALUES (1)")


def test_a_partition_of_somebody_elses_below_a_parent_of_ours_is_locked_with_it(base: Base) -> None:
    theirs = base.stranger()
    base.run("CREATE TABLE days (day int) PARTITION BY LIST (day)")
    base.administer("CREATE TABLE today PARTITION OF days FOR VALUES IN (1)", "ALTER TABLE today OWNER TO stranger")

    with base.locked() as (_, unlocked):
        assert unlocked == ()
        assert not base.may_write("INSERT INTO public.today VALUES (1)", theirs)


def test_what_only_another_role_of_ours_may_write_is_locked_as_that_role(base: Base) -> None:
    theirs, owner = base.stranger(), psycopg.conninfo.conninfo_to_dict(base.url)["user"]
    with psycopg.connect(theirs) as session:
        session.execute('CREATE TABLE public."Their 50% {x}" (id int)')
    base.administer(f'GRANT stranger TO "{owner}" WITH INHERIT FALSE, SET TRUE')

    with base.locked() as (_, unlocked):
        assert unlocked == ()
        assert not base.may_write('SET ROLE stranger; INSERT INTO public."Their 50% {x}" VALUES (1)')


def test_what_may_be_written_through_a_view_only_is_locked_through_it(base: Base) -> None:
    theirs, owner = base.stranger(), psycopg.conninfo.conninfo_to_dict(base.url)["user"]
    with psycopg.connect(theirs) as session:
        session.execute("CREATE TABLE public.under (id int)")
        session.execute("CREATE VIEW public.over AS SELECT * FROM public.under")
        session.execute(f'GRANT SELECT, INSERT, UPDATE ON public.over TO "{owner}"')

    with base.locked() as (_, unlocked):
        assert unlocked == ()
        assert not base.may_write("INSERT INTO over VALUES (1)")


def test_what_may_not_be_locked_is_named(base: Base) -> None:
    theirs, owner = base.stranger(), psycopg.conninfo.conninfo_to_dict(base.url)["user"]
    base.run("CREATE SCHEMA hidden", "CREATE TABLE hidden.within (id int)", "CREATE TEMPORARY TABLE t (id int)")
    with psycopg.connect(theirs) as session:
        session.execute("CREATE TABLE public.only_insert (id int)")
        session.execute(f'GRANT INSERT ON public.only_insert TO "{owner}"')
        session.execute("CREATE TABLE public.only_column (id int, x int)")
        session.execute(f'GRANT UPDATE (x) ON public.only_column TO "{owner}"')
        session.execute("CREATE TABLE public.only_view (id int)")
        session.execute("CREATE VIEW public.narrow AS SELECT * FROM public.only_view")
        session.execute(f'GRANT INSERT ON public.narrow TO "{owner}"')
    base.administer(
        f'ALTER SCHEMA hidden OWNER TO stranger; REVOKE ALL ON SCHEMA hidden FROM "{owner}"',
        "CREATE MATERIALIZED VIEW sums AS SELECT 1 AS one",
        "ALTER TABLE orders ENABLE ROW LEVEL SECURITY; ALTER TABLE orders FORCE ROW LEVEL SECURITY",
    )

    with base.locked() as (_, unlocked):
        assert set(unlocked) == {"public.only_insert", "public.only_column", "public.only_view", "hidden.within"}
        assert not base.may_write("DELETE FROM orders")


@contextmanager
def churning(url: str) -> Iterator[None]:
    """Somebody who makes, renames, moves and drops tables all the time."""
    stop = threading.Event()

    def churn() -> None:
        with suppress(psycopg.OperationalError), psycopg.connect(url, autocommit=True) as session:
            session.execute("SET lock_timeout = '1s'")
            while not stop.is_set():
                with suppress(psycopg.errors.LockNotAvailable):
                    session.execute("CREATE TABLE IF NOT EXISTS passing (id int)")
                    session.execute("ALTER TABLE passing RENAME TO passed")
                    session.execute("CREATE SCHEMA IF NOT EXISTS attic")
                    session.execute("ALTER TABLE passed SET SCHEMA attic")
                    session.execute("DROP SCHEMA attic CASCADE")

    thread = threading.Thread(target=churn)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_tables_that_come_and_go_all_the_time_do_not_keep_the_lock_from_being_had(base: Base) -> None:
    base.run("DO $$ BEGIN FOR n IN 1..3000 LOOP EXECUTE format('CREATE TABLE t%s (id int)', n); END LOOP; END $$")

    with churning(base.url), base.locked() as (tables, unlocked):
        assert tables >= 3000
        assert unlocked == ()


def test_a_session_of_another_credential_that_holds_a_table_is_ended(base: Base) -> None:
    with psycopg.connect(base.heroku.credential(base.addon, "reports")) as theirs:
        theirs.execute("INSERT INTO public.orders (reference, source) VALUES ('held', 'reports')")
        with base.locked(), pytest.raises(psycopg.OperationalError):
            theirs.execute("SELECT 1")
    assert any("of reports" in line and "was ended" in line for line in base.said)


def test_a_session_of_our_own_login_that_has_set_another_role_is_ended(base: Base) -> None:
    base.heroku.credential(base.addon, "reports")
    with psycopg.connect(base.url) as theirs:
        theirs.execute("SET ROLE reports")
        theirs.execute("INSERT INTO public.orders (reference, source) VALUES ('held', 'reports')")
        with base.locked(), pytest.raises(psycopg.OperationalError):
            theirs.execute("SELECT 1")


def test_a_session_that_is_not_ours_to_end_is_named_with_what_to_do(base: Base) -> None:
    url = base.heroku.credential(base.addon, "reports")
    base.administer("ALTER ROLE reports SUPERUSER")
    with psycopg.connect(url) as theirs:
        theirs.execute("INSERT INTO public.orders (reference, source) VALUES ('held', 'reports')")
        with pytest.raises(TimedOut) as refused, base.locked(SOON):
            pass
        theirs.execute("SELECT 1")
    assert "held by session" in str(refused.value)
    assert "end what is signed in as reports there" in str(refused.value)

    with base.locked():
        pass


def test_a_prepared_transaction_is_named_with_what_to_do(base: Base) -> None:
    base.heroku.patch(f"/_control/databases/{base.addon}", {"settings": {"max_prepared_transactions": "5"}})
    base.run("BEGIN; INSERT INTO orders (reference, source) VALUES ('a', 'b'); PREPARE TRANSACTION 'it''s one'")

    with pytest.raises(TimedOut) as refused, base.locked(SOON):
        pass
    assert "held by the prepared transaction 'it''s one'" in str(refused.value)
    assert "as the default credential, COMMIT PREPARED 'it''s one' or ROLLBACK PREPARED" in str(refused.value)

    base.run("ROLLBACK PREPARED 'it''s one'")
    with base.locked():
        pass


def test_sessions_that_wait_for_each_other_do_not_keep_the_lock_from_being_had(base: Base) -> None:
    base.run("CREATE TABLE first (id int)", "CREATE TABLE second (id int)")
    with closing(psycopg.connect(base.url)) as theirs:
        theirs.execute("INSERT INTO second VALUES (1)")
        late = threading.Timer(0.3, lambda: _try(theirs, "INSERT INTO first VALUES (1)"))
        late.start()
        with base.locked() as (_, unlocked):
            late.join()
            assert unlocked == ()
            assert not base.may_write("INSERT INTO second VALUES (1)")


def _try(session: "psycopg.Connection[tuple[Any, ...]]", statement: str) -> None:
    with suppress(psycopg.Error):
        session.execute(statement.encode())


def test_twenty_thousand_tables_are_locked_with_little_work(base: Base) -> None:
    base.heroku.patch(f"/_control/databases/{base.addon}", {"settings": {"max_locks_per_transaction": "512"}})
    for start in range(0, 20_000, 2000):
        base.run(
            f"DO $$ BEGIN FOR n IN {start + 1}..{start + 2000} LOOP"
            " EXECUTE format('CREATE TABLE t%s (id int)', n); END LOOP; END $$"
        )

    began, spent = time.monotonic(), time.process_time()
    with base.locked() as (tables, unlocked):
        print(f"{tables} tables in {time.monotonic() - began:.2f} s")
        assert tables >= 20_000
        assert unlocked == ()
        assert time.process_time() - spent < 0.5  # of the processor; how long it takes depends on who else is there


def test_a_server_without_room_for_the_locks_is_a_clear_error(base: Base) -> None:
    base.heroku.patch(f"/_control/databases/{base.addon}", {"settings": {"max_locks_per_transaction": "10"}})
    for start in range(0, 6000, 500):
        base.run(
            f"DO $$ BEGIN FOR n IN {start + 1}..{start + 500} LOOP"
            " EXECUTE format('CREATE TABLE t%s (id int)', n); END LOOP; END $$"
        )

    with pytest.raises(NothingChanged, match="no room for the locks"), base.locked():
        pass
