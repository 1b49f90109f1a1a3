"""What a test does inside of processes that it does not start itself: stop them at an act, and move their clocks."""

import json
import shutil
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from heroku_changeover.terms.acts import Act

PROGRAM = Path(__file__).parent / "injected" / "sitecustomize.py"
STOP_LIMIT = 90.0
POLL = 0.02


@dataclass(frozen=True, slots=True)
class Stop:
    """The first process that comes to an act for the nth time waits there; of keepers or of all others."""

    name: str
    act: str
    phase: str
    nth: int = 1
    keeper: bool = False


class Injection:
    """
    A folder of a test's own, put in front of what a process imports. `stops` are known before it starts.

    Everything lies in that folder and nothing in the environment, since a process may hand on only a part of that.
    """

    def __init__(self, folder: Path, *stops: Stop, clock: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        shutil.copy(PROGRAM, folder)
        for stop in stops:
            (folder / stop.name).mkdir()
        (folder / "plan.json").write_text(json.dumps([asdict(stop) for stop in stops]))
        self._moved = {"passed": 0.0, "stepped": 0.0}
        if clock:
            self._write()

    @property
    def environment(self) -> dict[str, str]:
        return {"PYTHONPATH": str(self.folder)}

    def stopped(self, name: str) -> dict[str, Any] | None:
        """Who stopped there, by its process id and its plugin's; None as long as nobody has."""
        path = self.folder / name / "stopped"
        return dict(json.loads(path.read_text())) if path.exists() else None

    def wait_for(self, name: str) -> dict[str, Any]:
        deadline = time.monotonic() + STOP_LIMIT
        while (stopped := self.stopped(name)) is None:
            if time.monotonic() > deadline:
                raise AssertionError(f"nobody stopped at {name} within {STOP_LIMIT:.0f} s")
            time.sleep(POLL)
        return stopped

    def go(self, name: str) -> None:
        (self.folder / name / "go").touch()

    def pass_time(self, seconds: float) -> None:
        """As if the processes had run for so much longer."""
        self._moved["passed"] += seconds
        self._write()

    def step_wall_clock(self, seconds: float) -> None:
        """As when the time of the machine is set: no time passes."""
        self._moved["stepped"] += seconds
        self._write()

    def take_program_away(self) -> None:
        """From now on keepers can import nothing of what is installed."""
        (self.folder / "gone").touch()

    def _write(self) -> None:
        draft = self.folder / "clock.draft"
        draft.write_text(json.dumps(self._moved))
        draft.replace(self.folder / "clock")


def at(act: Act, phase: str = "before", nth: int = 1, name: str = "act", *, keeper: bool = False) -> Stop:
    """A stop, as most tests need it."""
    return Stop(name, act.value, phase, nth, keeper)
