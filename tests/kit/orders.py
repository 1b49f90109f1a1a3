"""A client that keeps ordering, with a ledger of every order that was acknowledged, and what a database has of them."""

import json
import threading
import time
from dataclasses import dataclass, field
from http.client import HTTPException
from itertools import pairwise
from urllib.error import URLError
from urllib.request import Request, urlopen


@dataclass(slots=True)
class Customer:
    """
    Orders from several threads, with pauses in seconds, until it is told to stop; `ledger` maps the id that was
    acknowledged to the reference.
    """

    web_url: str
    threads: int = 2
    pause: float = 0.02
    ledger: dict[int, str] = field(default_factory=dict)
    answered_at: list[float] = field(default_factory=list)
    refused: int = 0
    _stop: threading.Event = field(default_factory=threading.Event)
    _running: list[threading.Thread] = field(default_factory=list)

    def start(self) -> "Customer":
        self._running = [threading.Thread(target=self._order, args=(n,)) for n in range(self.threads)]
        for thread in self._running:
            thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        for thread in self._running:
            thread.join()

    def _order(self, thread: int) -> None:
        number = 0
        while not self._stop.wait(self.pause):
            number += 1
            reference = f"customer-{thread}-{number}"
            acknowledged = self._acknowledged(reference)
            if acknowledged is None:
                self.refused += 1
            else:
                self.ledger[acknowledged] = reference
                self.answered_at.append(time.time())

    def _acknowledged(self, reference: str) -> int | None:
        """The committed id, or None: an order without an answer may or may not have been stored, and is not counted."""
        body = json.dumps({"reference": reference}).encode()
        try:
            with urlopen(Request(f"{self.web_url}orders", body, method="POST"), timeout=35) as answer:
                return int(json.loads(answer.read())["id"])
        except (URLError, HTTPException, OSError, ValueError, KeyError):
            return None

    def longest_silence(self, since: float, until: float) -> float:
        """The longest time between two acknowledged orders, in seconds: the outage as a client sees it."""
        moments = [since, *sorted(t for t in self.answered_at if since <= t <= until), until]
        return max(later - earlier for earlier, later in pairwise(moments))


def orders_on(url: str) -> dict[int, str]:
    """Every order on a database, by id."""
    import psycopg

    with psycopg.connect(url) as connection:
        return {int(i): str(reference) for i, reference in connection.execute("SELECT id, reference FROM orders")}
