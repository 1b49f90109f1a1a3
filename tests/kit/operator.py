"""Steps run as the engine runs them: processes, with the window document in the environment."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.order import STEPS
from kit.injection import Injection, at
from local_heroku.launcher import LocalHeroku

LIMIT = 100
"""Seconds for one step. What a step waits for itself is far shorter: the rest is for a machine that is busy."""

LONG = 3600.0
"""Seconds that are more than any budget."""


@dataclass(slots=True)
class Operator:
    """Runs steps of one changeover of one app (or several) and keeps the document between them."""

    heroku: LocalHeroku
    apps: tuple[str, ...]
    leader: str
    follower: str
    home: Path
    extra: tuple[str, ...] = ()
    document: str = ""
    variables: dict[str, str] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def words(self, step: str) -> list[str]:
        """The arguments of a step, for an interpreter."""
        order = [word for app in self.apps for word in ("--app", app)]
        words = ["-m", "heroku_changeover", step, "--generation", "db-2", *order]
        return [*words, "--from", self.leader, "--to", self.follower, *self.extra]

    def start(self, step: str) -> "subprocess.Popen[str]":
        return subprocess.Popen(
            [sys.executable, *self.words(step)],
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    @property
    def environment(self) -> dict[str, str]:
        window = {"HEROKU_CHANGEOVER_WINDOW": self.document, "HEROKU_CHANGEOVER_HOME": str(self.home)}
        return {**os.environ, **self.heroku.environment, **window, **self.variables}

    def read_until(self, process: "subprocess.Popen[str]", words: str) -> None:
        """Reads what a step says until it says this; it has to, before it ends."""
        lines = []
        for line in process.stderr or ():
            lines.append(line)
            if words in line:
                return
        raise AssertionError(f"it never said {words!r}: {''.join(lines)}")

    def finish(self, process: "subprocess.Popen[str]") -> tuple[int, str]:
        """Exit code and what was said; a document that was printed is handed to the next step."""
        stdout, stderr = process.communicate(timeout=LIMIT)
        self.said.append(stderr)
        if process.returncode == 0:
            self.document = stdout.strip()
        print(stderr)
        return process.returncode, stderr

    def run(self, step: str) -> tuple[int, str]:
        return self.finish(self.start(step))

    def run_out_of_time(self, step: str, act: Act, meanwhile: str = "") -> tuple[int, str]:
        """
        A step whose budget is spent at an act, by its own clock: right before it, or as soon as the step says that it
        waits there. No real time has to pass, so a busy machine changes nothing.
        """
        injection = Injection(self.home.parent / f"injected-{len(self.said)}", at(act), clock=True)
        self.variables = injection.environment
        process = self.start(step)
        injection.wait_for("act")
        if meanwhile:
            injection.go("act")
            self.read_until(process, meanwhile)
        injection.pass_time(LONG)
        injection.go("act")
        try:
            return self.finish(process)
        finally:
            self.variables = {}

    def run_until(self, last: str) -> None:
        """Every step up to and with the last one; all of them have to reach their state."""
        for step in STEPS[: STEPS.index(last) + 1]:
            code, said = self.run(step)
            assert code == 0, f"{step}: {said}"

    def break_the_move(self, **fault: Any) -> None:
        """Heroku fails to attach DATABASE as often as it is tried; the old database has its spare name already."""
        name = self.apps[0]
        self.heroku.post("/addon-attachments", {"addon": self.leader, "app": name, "confirm": name})
        self.heroku.fault("status", "/addon-attachments", method="POST", times=3, **fault)

    @property
    def facts(self) -> dict[str, Any]:
        return dict(json.loads(self.document)["report"])

    def app(self) -> dict[str, Any]:
        return dict(self.heroku.get(f"/apps/{self.apps[0]}"))

    def is_as_found(self) -> bool:
        """Whether the app serves on the leader with the dynos that it had."""
        name = self.apps[0]
        found = {"web": 2, "worker": 1}
        quantities = {t: q for t, q in self.heroku.quantities(name).items() if t != "release"}
        return quantities == found and not self.app()["maintenance"] and self.heroku.primary(name) == self.leader
