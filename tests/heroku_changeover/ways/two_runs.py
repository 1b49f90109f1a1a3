"""
Two runs on one Heroku in memory, each in a thread of its own, of which only one goes at a time.

A schedule says for how many acts and pauses the one that has the word keeps it; after it both go on until they end.
"""

import threading
from collections.abc import Callable, Iterator, Sequence

from .model import Model


class Talk:
    """Who has the word; `schedule` are the numbers of acts after which it passes to the other one."""

    def __init__(self, model: Model, schedule: Sequence[int]) -> None:
        self._left: Iterator[int] = iter(schedule)
        self._rest = next(self._left, None)
        self._speaker, self._ended = 0, [False, False]
        self._changed = threading.Condition()
        self._me = threading.local()
        model.turn = self.turn

    def turn(self) -> None:
        """Called at every act and pause of either run."""
        if self._rest is None:
            return
        if self._rest > 0:
            self._rest -= 1
            return
        self._rest = next(self._left, None)
        self._pass_on()

    def _pass_on(self) -> None:
        me = self._me.number
        with self._changed:
            if not self._ended[1 - me]:
                self._speaker = 1 - me
                self._changed.notify_all()
                self._changed.wait_for(lambda: self._speaker == me)

    def run(self, *runs: Callable[[], None]) -> None:
        """Both to their ends; what one of them raises is raised here."""
        failures: list[BaseException] = []
        threads = [threading.Thread(target=self._run, args=(n, run, failures)) for n, run in enumerate(runs)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failures:
            raise failures[0]

    def _run(self, number: int, run: Callable[[], None], failures: list[BaseException]) -> None:
        self._me.number = number
        with self._changed:
            self._changed.wait_for(lambda: self._speaker == number)
        try:
            run()
        except BaseException as error:  # noqa: BLE001 - for the thread that waits for both
            failures.append(error)
        with self._changed:
            self._ended[number], self._speaker = True, 1 - number
            self._changed.notify_all()
