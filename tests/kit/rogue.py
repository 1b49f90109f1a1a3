"""Clients outside the apps: one that never stops writing to a URL, whatever happens to it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import psycopg

BREATH = 0.01
"""Seconds between two writes of a session: some hundred a second, and most of the processor is left for the rest."""

PAUSE = 0.005


@dataclass(slots=True)
class Rogue:
    """`acknowledged` holds the id of every order whose commit was answered."""

    url: str
    acknowledged: list[int] = field(default_factory=list)
    refusals: set[str] = field(default_factory=set)
    _stop: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        while not self._stop.is_set():
            try:
                with psycopg.connect(self.url, autocommit=True) as connection:
                    self._write_with(connection)
            except psycopg.Error as error:
                self.refusals.add(type(error).__name__)
                self._stop.wait(PAUSE)

    def _write_with(self, connection: "psycopg.Connection[tuple[int]]") -> None:
        while not self._stop.wait(BREATH):
            row = connection.execute(
                "INSERT INTO orders (reference, source) VALUES ('r', 'rogue') RETURNING id"
            ).fetchone()
            if row is not None:
                self.acknowledged.append(int(row[0]))

    def missing_on(self, url: str) -> set[int]:
        """Acknowledged orders that a database does not have."""
        with psycopg.connect(url) as connection:
            there = {int(i) for (i,) in connection.execute("SELECT id FROM orders WHERE source = 'rogue'")}
        return set(self.acknowledged) - there


@contextmanager
def rogue_on(url: str, threads: int = 2) -> Iterator[Rogue]:
    """Writes from several sessions until the block ends."""
    rogue = Rogue(url)
    running = [threading.Thread(target=rogue.write) for _ in range(threads)]
    for thread in running:
        thread.start()
    try:
        yield rogue
    finally:
        rogue._stop.set()
        for thread in running:
            thread.join()
