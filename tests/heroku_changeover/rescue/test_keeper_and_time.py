"""Steps that hang, and a clock that is set, as real processes: a test moves their clocks."""

import os
import signal
import time
from pathlib import Path

import pytest

from heroku_changeover.terms.acts import Act
from kit.injection import Injection, at
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

from .lost_runs import keeper_of, run_until, started

pytestmark = pytest.mark.steps

NOTICED, SEEN, POLL = 60.0, 3.0, 0.05
"""Seconds for a keeper to notice that much time has passed, for it to look, and between two looks of a test."""


def log_of(operator: Operator) -> str:
    return next(operator.home.rglob("*.log")).read_text()


def pass_time_until_noticed(operator: Operator, injection: Injection, seconds: float) -> None:
    """
    A word of the step that the keeper sees only after time has passed is one of that later time: then it has to pass
    once more.
    """
    deadline = time.monotonic() + NOTICED
    while not is_noticed(operator):
        assert time.monotonic() < deadline, "the keeper does not notice that the step hangs"
        injection.pass_time(seconds)
        seen = time.monotonic() + SEEN
        while not is_noticed(operator) and time.monotonic() < seen:
            time.sleep(POLL)


def is_noticed(operator: Operator) -> bool:
    log = log_of(operator)
    return "nothing was heard of the run" in log or "has overrun the window's budget" in log


@pytest.mark.parametrize(
    ("act", "seconds", "ends_on"),
    [(Act.KEEP_ATTACHED, 400, "the leader"), (Act.LOCK, 400, "the leader"), (Act.AWAIT_WRITABLE, 200, "the follower")],
)
def test_a_step_that_is_stopped_while_its_run_lives_is_ended_by_the_keeper(
    operator: Operator,
    heroku: LocalHeroku,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    act: Act,
    seconds: float,
    ends_on: str,
) -> None:
    """After the unfollow was asked for there is no budget any more, and a hang is one all the same."""
    injection = Injection(tmp_path / "injected", at(act), clock=True)
    monkeypatch.setenv("PYTHONPATH", injection.environment["PYTHONPATH"])
    with started(operator, "promote"):
        step = injection.wait_for("act")
        os.kill(step["pid"], signal.SIGSTOP)
        injection.go("act")
        pass_time_until_noticed(operator, injection, seconds)
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None, 90)

    assert "hangs, and was ended" in log_of(operator)
    assert heroku.primary(operator.apps[0]) == (operator.leader if ends_on == "the leader" else operator.follower)
    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]


@pytest.mark.parametrize("step", [2.0, -2.0, 7200.0, -7200.0])
def test_a_clock_that_is_set_in_the_window_changes_nothing(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: float
) -> None:
    injection = Injection(tmp_path / "injected", clock=True)
    monkeypatch.setenv("PYTHONPATH", injection.environment["PYTHONPATH"])
    with run_until(operator, "scale-down"):
        injection.step_wall_clock(step)
        code, said = operator.run("promote")
        assert code == 0, said
        assert "is gone" not in log_of(operator)
        assert operator.run("restore")[0] == 0
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None)

    assert heroku.primary(operator.apps[0]) == operator.follower
    assert 0 <= operator.facts["maintenance_seconds"] < 600
