"""Clients with a login of their own, that write into a table of their own and keep a ledger of what was committed."""

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

BREATH, PAUSE = 0.01, 0.02
"""Seconds between two writes of a session, and before another session is opened."""


@dataclass(slots=True)
class Writer:
    """`hold` is for how many seconds each of its transactions is left open between the write and the commit."""

    url: str
    table: str
    hold: float = 0.0
    acknowledged: set[int] = field(default_factory=set)
    refusals: set[str] = field(default_factory=set)
    over: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        while not self.over.wait(PAUSE):
            try:
                with psycopg.connect(self.url) as session:
                    while not self.over.wait(BREATH):
                        self._write_once(session)
            except psycopg.Error as error:
                self.refusals.add(type(error).__name__)

    def _write_once(self, session: "psycopg.Connection[tuple[int]]") -> None:
        row = session.execute(
            sql.SQL("INSERT INTO {} DEFAULT VALUES RETURNING id").format(sql.Identifier(self.table))
        ).fetchone()
        self.over.wait(self.hold)
        session.commit()
        if row is not None:
            self.acknowledged.add(int(row[0]))

    def missing_on(self, url: str) -> set[int]:
        """What was acknowledged and is not there; `url` may be that of any role that reads the table."""
        with psycopg.connect(url) as session:
            rows = session.execute(sql.SQL("SELECT id FROM {}").format(sql.Identifier(self.table)))
            return self.acknowledged - {int(i) for (i,) in rows}


@contextmanager
def writing(writers: Sequence[Writer]) -> Iterator[None]:
    """All of them write until the block ends."""
    running = [threading.Thread(target=writer.write) for writer in writers]
    for thread in running:
        thread.start()
    try:
        yield
    finally:
        for writer in writers:
            writer.over.set()
        for thread in running:
            thread.join()
