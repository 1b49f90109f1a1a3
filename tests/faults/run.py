"""Runs one case from beginning to end and says what came of it."""

import re
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from faults.cases import Case
from faults.play import finish, play, prepare, traffic
from faults.promises import Verdict, judge
from faults.scene import Scene, changeover_processes, kill
from local_heroku.launcher import LocalHeroku
from toolchain import Stack


@dataclass(slots=True)
class Outcome:
    """`trouble` is empty when every promise was kept; `told` is everything that was printed."""

    case: Case
    verdict: Verdict
    trouble: list[str] = field(default_factory=list)
    told: str = ""
    seconds: float = 0.0
    down_seconds: float | None = None
    started_over: bool = False


def run_case(case: Case, heroku: LocalHeroku, new_stack: Stack, name: str) -> Outcome:
    """One case; every way in which it can go wrong ends up in the outcome."""
    began, verdict = time.monotonic(), Verdict()
    trouble: list[str] = []
    with tempfile.TemporaryDirectory(prefix="heroku-postgres-fault-") as folder:
        scene = None
        try:
            scene = prepare(case, heroku, new_stack, Path(folder), name)
            with traffic(scene) as (customers, rogue):
                play(scene)
                finish(scene)
            judge(verdict, scene, customers, rogue)
        except Exception as error:  # noqa: BLE001 - a case that cannot be played is one that failed
            verdict.inconsistent.append(f"{type(error).__name__}: {error}")
            verdict.left_down += scene.trouble if scene and scene.trouble != verdict.left_down else []
        finally:
            trouble = _trouble(verdict)
            trouble += _last_words(scene) if trouble and scene else []
            log = (
                f"{_journal(Path(folder) / 'changeover')}\n--- local Heroku\n{_events(heroku, name) if trouble else ''}"
            )
            kill(*(changeover_processes(scene) if scene else ()))
            heroku.clear_faults()
            heroku.patch("/_control/world", {"grace": 30, "profile": "instant"})
            for app in (f"{name}-c", f"{name}-b", name):
                heroku.delete(f"/_control/apps/{app}")
        told = "\n".join([*(scene.said if scene else ()), "--- log of the changeover", log])
        down, over = (scene.down_seconds, scene.started_over) if scene else (None, False)
    return Outcome(case, verdict, trouble, told, round(time.monotonic() - began, 1), down, over)


def _events(heroku: LocalHeroku, app: str) -> str:
    """What went on in it that concerns one app, and what it logged last."""
    events = [str(event) for event in heroku.events() if app in str(event) or "failed" in event["what"]]
    asked = [f"{r['at']} {r['method']} {r['path']} {r['status']}" for r in heroku.requests() if r["method"] != "GET"]
    return "\n".join([*events, *asked[-40:], heroku.log_text()[-4000:]])


def _trouble(verdict: Verdict) -> list[str]:
    lost = [f"{verdict.lost_writes} acknowledged writes are not on the primary"] if verdict.lost_writes else []
    return [*lost, *verdict.left_down, *verdict.inconsistent, *verdict.leaks]


SPOKEN = re.compile(r"command:local:Command \(([\w-]+)\):\n((?:    .*\n)+)")
LONGEST = 400


def _last_words(scene: Scene) -> list[str]:
    """What the step said that failed last."""
    said = SPOKEN.findall("\n".join(scene.said))
    return [f"said last: {step}: {' '.join(words.split())[-LONGEST:]}" for step, words in said[-1:]]


def _journal(home: Path) -> str:
    return "\n".join(path.read_text(errors="replace") for path in sorted(home.rglob("*.log")))
