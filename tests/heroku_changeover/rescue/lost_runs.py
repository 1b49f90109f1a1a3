"""Runs that end before their window is closed, and what a person has and types then."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import psutil

from heroku_changeover.terms.order import STEPS
from kit.operator import Operator

RUN = """
import subprocess, sys
document = ""
for words in {steps!r}:
    done = subprocess.run(words, env={{**__import__("os").environ, "HEROKU_CHANGEOVER_WINDOW": document}}, stdout=-1)
    document = done.stdout.decode()
print(document, flush=True)
sys.stdin.read()
"""
"""Stands for a plugin: runs steps one after the other, says so when they are done, and is there until it is ended."""


@contextmanager
def run_until(operator: Operator, last: str) -> Iterator["subprocess.Popen[str]"]:
    """A run whose last step so far has ended, and that has not gone on."""
    with started(operator, last) as process:
        operator.document = process.stdout.readline().strip() if process.stdout else ""
        yield process


@contextmanager
def started(operator: Operator, last: str) -> Iterator["subprocess.Popen[str]"]:
    """A run that is at its first step, and does not go on after the last one."""
    steps = [[sys.executable, *operator.words(step)] for step in STEPS[: STEPS.index(last) + 1]]
    process = subprocess.Popen(
        [sys.executable, "-c", RUN.format(steps=steps)],
        env=operator.environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        yield process
        process.kill()


def keeper_of(operator: Operator) -> psutil.Process | None:
    """The living keeper, by the number that it left."""
    for file in operator.home.rglob("*.keeper"):
        with suppress(ValueError, psutil.NoSuchProcess):  # a zombie counts as gone, whenever it becomes one
            process = psutil.Process(int(file.read_text()))
            if process.status() != psutil.STATUS_ZOMBIE and "keep" in process.cmdline():
                return process
    return None


def by_hand(operator: Operator, *words: str, stdin: str = "") -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command that an operator types, with no document in the environment."""
    environment = {**operator.environment, "HEROKU_CHANGEOVER_WINDOW": ""}
    completed = subprocess.run(
        [sys.executable, "-m", "heroku_changeover", *words],
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return completed.returncode, completed.stdout, completed.stderr


def lose_the_machine(operator: Operator, last: str) -> None:
    """The run and its keeper are gone; the window is open."""
    with run_until(operator, last) as run:
        keeper = keeper_of(operator)
        assert keeper is not None
        keeper.kill()
        run.kill()


def exported(operator: Operator) -> str:
    """What `pulumi stack export` prints after a run whose last step was scale-down."""
    command = f"exec heroku-changeover {' '.join(operator.words('scale-down')[2:])}"
    resource = {"inputs": {"create": command}, "outputs": {"stdout": operator.document}}
    return json.dumps({"deployment": {"resources": [{"urn": "urn:of:a:stack"}, resource]}})


def break_behind_the_seal(operator: Operator) -> None:
    """The new database is cut off, the old one is read-only, and no app has moved; the run and its keeper are gone."""
    operator.run_until("scale-down")
    operator.break_the_move()
    assert operator.run("promote")[0] == 20
    keeper = keeper_of(operator)
    assert keeper is not None
    keeper.kill()
