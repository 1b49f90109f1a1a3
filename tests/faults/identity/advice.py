"""Follows what was printed, as a tired person does: every command and line that a message names, in its order."""

import re
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

import psycopg

from faults.identity.kinds import add_alias
from faults.identity.stage import Stage


class Deed(NamedTuple):
    """One thing to do, as it was printed."""

    printed: str
    do: Callable[[Stage], None]


def advised(said: str) -> list[Deed]:
    """Each thing once, in the order in which it was printed; of two ways that are offered, the first."""
    found = sorted(_found(said), key=lambda place: place[0])
    return list({deed.printed: deed for _, deed in found}.values())


def _found(said: str) -> Iterator[tuple[int, Deed]]:
    for pattern, make in ADVICE:
        for match in re.finditer(pattern, said):
            yield match.start(), Deed(match[0], make(match))


Make = Callable[[re.Match[str]], Callable[[Stage], None]]


def _type(match: re.Match[str]) -> Callable[[Stage], None]:
    return lambda stage: _told(stage.pulumi(*shlex.split(match[1])))


def _agree(match: re.Match[str]) -> Callable[[Stage], None]:
    return lambda stage: _told(stage.pulumi(*shlex.split(match[1]), "--yes"))


def _told(_: tuple[int, str]) -> None:
    """A command that fails is seen by the `up` after it."""


def _untaint(_: re.Match[str]) -> Callable[[Stage], None]:
    return lambda stage: _told(stage.pulumi("state", "untaint", "--all", "--yes"))


def _destroy(match: re.Match[str]) -> Callable[[Stage], None]:
    def do(stage: Stage) -> None:
        variables = dict(assignment.split("=", 1) for assignment in match[1].split())
        words = shlex.split(match[2])
        stage.aimed |= aims(stage, words)
        stage.pulumi(*words, "--yes", "--skip-preview", **variables)

    return do


def aims(stage: Stage, words: list[str] | tuple[str, ...]) -> set[str]:
    """The UUIDs of the databases whose generations a command names."""
    names = {word.rpartition("::")[2] for before, word in pairwise(words) if before == "--target"}
    return {database for name in names if (database := stage.database_of(name))}


def _psql(match: re.Match[str]) -> Callable[[Stage], None]:
    def do(stage: Stage) -> None:
        with psycopg.connect(stage.heroku.database_url(match[1]), autocommit=True) as session:
            session.execute(match[2])

    return do


def _attach(match: re.Match[str]) -> Callable[[Stage], None]:
    return lambda stage: stage.attach(match[1], match[2])


def _detach(match: re.Match[str]) -> Callable[[Stage], None]:
    def do(stage: Stage) -> None:
        attachment = stage.heroku.get(f"/apps/{match[2]}/addon-attachments/{match[1]}")
        stage.heroku.delete(f"/addon-attachments/{attachment['id']}")

    return do


def _set(key: str) -> Make:
    return lambda match: lambda stage: stage.config(**{key: match[1]})


def _apps(match: re.Match[str]) -> Callable[[Stage], None]:
    listed = match[1].split(", ") if match.re.groups else []
    return lambda stage: stage.config(apps=listed)


def _alias(match: re.Match[str]) -> Callable[[Stage], None]:
    return lambda stage: add_alias(stage, match[1])


def _recover(match: re.Match[str]) -> Callable[[Stage], None]:
    def do(stage: Stage) -> None:
        words = (sys.executable, "-m", "heroku_changeover", "recover", "--app", match[1], "--yes")
        ran = subprocess.run(
            words, env=stage.scene.stack.variables(), capture_output=True, text=True, timeout=120, check=False
        )
        stage.scene.said += [f"$ heroku-changeover {shlex.join(words[3:])}", ran.stdout, ran.stderr]

    return do


def _bring_back(_: re.Match[str]) -> Callable[[Stage], None]:
    return _serve


def _give_up(match: re.Match[str]) -> Callable[[Stage], None]:
    def do(stage: Stage) -> None:
        _serve(stage)
        cut_off = stage.addon(match[1])
        stage.aimed.add(cut_off["id"])
        stage.heroku.delete(f"/apps/{cut_off['app']['id']}/addons/{cut_off['id']}")

    return do


def _serve(stage: Stage) -> None:
    for app in stage.apps:
        stage.heroku.patch(f"/apps/{app['name']}/formation", {"updates": [{"type": "web", "quantity": 1}]})
        stage.heroku.patch(f"/apps/{app['name']}", {"maintenance": False})


ADVICE: tuple[tuple[str, Make], ...] = (
    (r"`pulumi (config (?:set|rm) [^`]+)`", _type),
    (r"`pulumi ((?:cancel|state unprotect)[^`]*)`", _agree),
    (r"`pulumi state untaint` what was tainted", _untaint),
    # the engine's own words for an add-on that was tainted; the README tells the way on
    (r"still specify an ID may not be replaced|unable to replace resource", _untaint),
    (r"`((?:\w+=\S+ )*)pulumi (destroy --target [^`]+)`", _destroy),
    (r"`heroku pg:psql (\S+) --app \S+ --command '([^']+)'`", _psql),
    (r"`heroku addons:attach (\S+) --as (\S+) --app [^`]+`", _attach),
    (r"`heroku addons:detach (\S+) --app ([^`]+)`", _detach),
    (r"[Ss]et `hold: (false)`", _set("hold")),
    (r"[Ss]et plan back to ([a-z]+-\d+)", _set("plan")),
    (r"[Tt]ake it out of `apps`", _apps),
    (r"[Ll]ist it: `apps: \[([^\]]+)\]`", _apps),
    (r"`aliases=\[pulumi\.Alias\(name='([^']+)'\)\]`", _alias),
    (r"`heroku-changeover recover --app ([a-z0-9-]+)[^`]*`", _recover),
    (r"(?<!to give it up, )[Bb]ring the apps back on [^`]+`heroku maintenance:off`\) and destroy ([^,]+)", _give_up),
    (r"[Bb]ring it back: scale it up and `heroku maintenance:off`", _bring_back),
)
"""What messages name, and what a person does about it."""
