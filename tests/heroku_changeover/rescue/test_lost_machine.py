"""A machine that is lost with the fence held: nobody says good-bye, and the server hears of it by silence alone."""

import sys
import time
from pathlib import Path

import psycopg
import pytest

from kit.operator import Operator
from kit.wire import wire_to
from local_heroku.launcher import LocalHeroku

from .lost_runs import by_hand, exported, keeper_of

pytestmark = [
    pytest.mark.steps,
    pytest.mark.skipif(
        sys.platform != "linux", reason="a wire that is cut without a word takes Linux's socket filters"
    ),
]

SERVING_AGAIN = 40.0
"""Seconds from the loss of a machine until the old database takes writes: a server's patience, and as long again."""


def test_a_machine_that_is_lost_with_the_fence_held_holds_up_no_write_of_the_apps_that_were_brought_back(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    url = heroku.database_url(operator.leader)
    operator.run_until("scale-down")
    heroku.patch(f"/_control/databases/{operator.follower}", {"hold_replay": True})
    with wire_to(url) as wire:
        heroku.patch(f"/_control/databases/{operator.leader}", {"through": wire.port})
        promote = operator.start("promote")
        operator.read_until(promote, "are locked against writes")
        keeper = keeper_of(operator)
        assert keeper is not None
        wire.cut()
        lost = time.monotonic()
        keeper.kill()
        promote.kill()
        promote.communicate()
        heroku.patch(f"/_control/databases/{operator.leader}", {"through": None})
        operator.home = tmp_path / "another-machine"
        words = ("recover", "--app", operator.apps[0], "--state", "-", "--yes")
        code, _, said = by_hand(operator, *words, stdin=exported(operator))
        with psycopg.connect(url, autocommit=True) as app:
            app.execute(f"SET lock_timeout = {int(SERVING_AGAIN * 1000)}".encode())
            app.execute("INSERT INTO orders (reference, source) VALUES ('after', 'app')")
        heroku.patch(f"/_control/databases/{operator.follower}", {"hold_replay": False})

    assert code == 0, said
    assert operator.is_as_found()
    assert time.monotonic() - lost < SERVING_AGAIN
