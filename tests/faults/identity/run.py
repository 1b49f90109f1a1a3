"""Runs one case of identity: the moment, the slip, the commands, and the way on that they print."""

import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import psycopg

from faults.identity.advice import advised, aims
from faults.identity.cases import Case
from faults.identity.kinds import KINDS
from faults.identity.promises import Leave, Seen, Verdict, at_the_end, deleted, down, look
from faults.identity.stage import Stage, reach_moment, set_stage, words_of
from faults.scene import CaseFailed
from local_heroku.launcher import LocalHeroku, LocalHerokuFailed
from toolchain import Failed, Overrun, Stack

ROUNDS = 4
"""How often a person does what was printed before they give up."""

SPEAKS = re.compile(r"^ *(\[[a-z-]+\]|error:|[a-z-]+: )")
LONGEST, WORDS = 300, 6
"""How much of what was printed last is in the trouble of a case; all of it is in its log."""


@dataclass(slots=True)
class Outcome:
    """`told` is everything that was printed."""

    case: Case
    verdict: Verdict = field(default_factory=Verdict)
    told: str = ""
    seconds: float = 0.0

    @property
    def trouble(self) -> list[str]:
        return self.verdict.trouble


@dataclass(slots=True)
class Play:
    """A case under way: all that was seen in it, the last of it where the next command begins."""

    stage: Stage
    verdict: Verdict
    seen: list[Seen] = field(default_factory=list)

    def look(self) -> Seen:
        self.seen.append(look(self.stage))
        return self.seen[-1]

    def judged(self, told: str, leave: Leave, do: Callable[[], tuple[int, str]]) -> tuple[int, str]:
        before = self.seen[-1]
        answer = do()
        self.verdict.add(told, before, self.look(), leave)
        return answer


def run_case(case: Case, heroku: LocalHeroku, new_stack: Stack, name: str) -> Outcome:
    """One case; every way in which it can go wrong ends up in the outcome."""
    outcome, began = Outcome(case), time.monotonic()
    with tempfile.TemporaryDirectory(prefix="heroku-postgres-identity-") as folder:
        stage = set_stage(case, heroku, new_stack, Path(folder), name)
        try:
            _play(Play(stage, outcome.verdict))
        except (CaseFailed, LocalHerokuFailed, Failed, Overrun, OSError, psycopg.Error) as error:
            outcome.verdict.stuck.append(f"{type(error).__name__}: {error}")
        finally:
            for app in reversed(stage.apps):
                heroku.delete(f"/_control/apps/{app['name']}")
        outcome.told = "\n".join([*stage.scene.said, *_logs(Path(folder))])
    outcome.seconds = round(time.monotonic() - began, 1)
    return outcome


def _logs(folder: Path) -> list[str]:
    logs = sorted((folder / "changeover").rglob("*.log"))
    return ["--- log of the changeover", *(path.read_text(errors="replace") for path in logs)]


def _play(play: Play) -> None:
    stage = play.stage
    kind = KINDS[stage.case.slip]
    kind.before(stage)
    reach_moment(stage)
    play.look()
    kind.slip(stage)
    play.look()
    stage.scene.said.append(f"--- what comes after: {stage.case}")
    for command in stage.case.commands:
        last = _command(play, command)
    _go_on(play, stage.case.commands[-1], *last)
    play.verdict.stuck += at_the_end(stage, play.seen)


def _command(play: Play, command: str) -> tuple[int, str]:
    stage = play.stage
    words = words_of(stage, command)
    if not words:
        return 0, ""
    aimed = frozenset(aims(stage, words))
    stage.aimed |= aimed - play.seen[-1].in_use
    return play.judged(command, Leave(aimed, _leaders(stage, command)), lambda: stage.pulumi(*words))


def _leaders(stage: Stage, command: str) -> frozenset[str]:
    """Only an update finishes a changeover that has begun, and is not held."""
    finishes = command.startswith("up") and stage.case.moment != "settled" and not _is_held(stage)
    return frozenset({stage.leader}) if finishes else frozenset()


def _is_held(stage: Stage) -> bool:
    return stage.settings.get("hold") == "true"


def _go_on(play: Play, command: str, code: int, said: str) -> None:
    """
    Raises:
        CaseFailed: what was printed did not lead to a run that ends well.
    """
    for _ in range(ROUNDS):
        if command.startswith("up") and code == 0 and not down(play.stage):
            break
        _follow(play, said)
        command = "up"
        code, said = _command(play, command)
    if code:
        raise CaseFailed(f"what was printed leads nowhere: {_last_words(said)}")
    if _command(play, "up --expect-no-changes")[0]:
        raise CaseFailed("a second `up` still has something to do")


def _follow(play: Play, said: str) -> None:
    """What a person does by hand may move a name; a database goes only where the command that was printed says so."""
    for deed in advised(said):
        play.stage.scene.said.append(f"--- advice that is followed: {deed.printed}")
        deed.do(play.stage)
    before = play.seen[-1]
    leave = Leave(frozenset(play.stage.aimed))
    play.verdict.deleted += [f"the advice: {what}" for what in deleted(before, play.look(), leave)]


def _last_words(said: str) -> str:
    """What a person reads of it: findings, refusals, errors of the engine."""
    lines = [line.strip()[:LONGEST] for line in said.splitlines() if SPEAKS.search(line)]
    return " / ".join(dict.fromkeys(lines[-WORDS:]))
