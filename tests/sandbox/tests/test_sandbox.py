"""`make sandbox` and `make shell`, as somebody uses them in a checkout."""

import json
import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import psutil
import pytest

from kit.project import project_in
from sandbox.heroku import at_work, changeover_in
from sandbox.shell import NEXT, PROMPT
from toolchain import Stack

from .conftest import typed_in

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]

Make = Callable[..., "subprocess.Popen[str]"]
LAST_LINE = "Ctrl-C ends everything."
ENDS = 40
"""Seconds until all of it is gone: dynos are given time to end by themselves."""
TEARDOWN = "pulumi stack output teardown"
RUN_WHAT_IT_PRINTS = f"""eval "$({TEARDOWN} | python3 -c 'import json, sys; print(*json.load(sys.stdin))')\""""


def printed_by(sandbox: "subprocess.Popen[str]") -> str:
    """What it prints until it is ready."""
    lines: list[str] = []
    for line in sandbox.stdout or ():
        lines.append(line)
        if LAST_LINE in line:
            return "".join(lines)
    raise AssertionError(f"it ended before it was ready: {''.join(lines)}")


def answer_to(path: str, printed: str) -> tuple[int, Any]:
    """Status and body of a request, sent with nothing but what `make sandbox` printed."""
    exports = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
    headers = {
        "Accept": "application/vnd.heroku+json; version=3",
        "Authorization": f"Bearer {exports['HEROKU_API_KEY']}",
    }
    try:
        with urlopen(Request(exports["HEROKU_API_URL"] + path, headers=headers), timeout=35) as answer:
            return answer.status, json.loads(answer.read())
    except HTTPError as error:
        with error:
            return error.code, None


def started_by(process: "subprocess.Popen[str]") -> list[psutil.Process]:
    return psutil.Process(process.pid).children(recursive=True)


def run(checkout: Path, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """A script in the shell, started as make starts it, but with an exit code that make does not pass on."""
    return subprocess.run(
        [sys.executable, "-m", "sandbox"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "tests"), **environment},
        input=script,
        capture_output=True,
        text=True,
        timeout=220,
        check=False,
    )


def test_the_five_minutes_of_the_readme_end_as_it_says(make: Make, written_in: Callable[[], list[str]]) -> None:
    heroku = printed_by(make("sandbox"))
    opened, *commands = typed_in("Five minutes in a sandbox")
    assert (opened, commands[-1]) == ("make shell", TEARDOWN)

    shell = make("shell")
    said = shell.communicate("\n".join((*commands, RUN_WHAT_IT_PRINTS, "pulumi preview --expect-no-changes")))[0]

    assert shell.returncode == 0, said
    assert answer_to("/apps/shop/addon-attachments/DATABASE", heroku)[1]["addon"]["name"] == "shop-db-2", said
    assert answer_to("/addons/postgresql-round-12345", heroku)[0] == 404, said
    assert [line for line in said.splitlines() if "warning" in line and "this is a container" not in line] == []
    assert written_in() == []


def test_the_shell_says_the_commands_of_the_readme() -> None:
    commands = typed_in("Five minutes in a sandbox")[1:]

    assert tuple(re.sub(r"\s+#.*", "", command) for command in commands) == NEXT


def test_a_person_gets_a_prompt_a_made_stack_and_an_end_of_everything(checkout: Path) -> None:
    terminal, inside = os.openpty()
    shell = subprocess.Popen(
        [sys.executable, "-m", "sandbox"],
        cwd=checkout,
        env={**os.environ, "PYTHONPATH": str(checkout / "tests"), "TERM": "dumb"},
        preexec_fn=lambda: os.login_tty(inside),  # job control wants a terminal of its own
        text=True,
    )
    os.close(inside)
    with shell:
        greeting = _shown_until(PROMPT, terminal)
        started = started_by(shell)
        os.write(terminal, b"pulumi stack --show-name; false\n")
        stack = _shown_until(PROMPT, terminal)
        os.write(terminal, b"exit\n")
        code = shell.wait(ENDS)
    os.close(terminal)

    assert all(command in greeting for command in NEXT)
    assert "\nsandbox\r\n" in stack
    assert code == 0
    assert psutil.wait_procs(started, timeout=ENDS)[1] == []


def _shown_until(wanted: str, terminal: int) -> str:
    """What a terminal shows, up to and with some text, which has to come within the time of a slow start."""
    shown, deadline = "", time.monotonic() + 90
    while not shown.endswith(wanted):
        assert select.select([terminal], [], [], max(0.0, deadline - time.monotonic()))[0], shown
        shown += os.read(terminal, 4096).decode()
    return shown


BREAK_OFF = """
pulumi config set app shop && pulumi config set plan standard-0 && pulumi config set adopt postgresql-round-12345
pulumi up --yes --skip-preview && pulumi config set plan standard-2
pulumi up > /dev/null &
timeout 90 bash -c 'until ls "$HEROKU_CHANGEOVER_HOME"/*/*.keeper 2> /dev/null; do sleep 0.1; done'
kill -INT %1 && kill -INT %1
"""


def test_a_run_that_was_broken_off_leaves_no_keeper_behind_the_shell(checkout: Path) -> None:
    ended = run(checkout, BREAK_OFF)

    assert "shop.keeper" in ended.stdout, ended
    log = next(changeover_in(checkout / "build" / "sandbox").rglob("shop.log")).read_text()
    assert "the window was closed" in log, log
    assert at_work(changeover_in(checkout / "build" / "sandbox")) == []


def test_the_first_command_that_fails_ends_a_script_with_its_code(checkout: Path) -> None:
    ended = run(checkout, "(exit 7)\necho never\n")

    assert ended.returncode == 7, ended
    assert "never" not in ended.stdout


def test_a_shell_talks_to_loopback_whatever_its_starter_talks_to(checkout: Path) -> None:
    said = run(
        checkout,
        "echo $HEROKU_API_URL; echo $HEROKU_API_KEY; echo $PULUMI_BACKEND_URL",
        HEROKU_API_URL="https://api.example.com",
        HEROKU_API_KEY="somebody-s",
        PULUMI_BACKEND_URL="s3://somebody-s",
    ).stdout.splitlines()

    assert said[0].startswith("http://127.0.0.1:")
    assert said[1] != "somebody-s"
    assert said[2].startswith(f"file://{checkout}/build/")


def test_what_the_sandbox_prints_is_enough_to_call_it(make: Make) -> None:
    printed = printed_by(make("sandbox"))

    assert answer_to("/apps/shop/addon-attachments/DATABASE", printed)[1]["addon"]["name"] in printed
    with urlopen(re.findall(r"serves at (\S+)", printed)[0], timeout=35) as page:
        assert page.status == 200


def test_ctrl_c_ends_the_sandbox_with_everything_that_it_started(make: Make) -> None:
    sandbox = make("sandbox")
    printed_by(sandbox)
    started = started_by(sandbox)
    words = " ".join(word for process in started for word in process.cmdline())
    places = {Path(tempfile.gettempdir()), Path("/dev/shm")}  # noqa: S108 - where it may have put its data

    def folders() -> list[Path]:
        return [f for place in places for p in started for f in place.glob(f"local-heroku-{p.pid}-*")]

    assert len(folders()) == 1
    os.killpg(sandbox.pid, signal.SIGINT)
    said = sandbox.communicate(timeout=ENDS)[0]

    alive = psutil.wait_procs(started, timeout=ENDS)[1]
    assert all(program in words for program in ("bin/postgres -D", "sample_app web", "sample_app worker")), words
    assert alive == [], said
    assert folders() == [], said
    assert "Traceback" not in said


def test_a_stack_made_in_the_repository_is_in_the_way_of_nothing(
    checkout: Path, written_in: Callable[[], list[str]], new_stack: Stack, tmp_path: Path
) -> None:
    own = Stack(
        new_stack.toolchain,
        checkout,
        tmp_path / "home",
        tmp_path / "state",
        {"PULUMI_CONFIG_PASSPHRASE": "somebody's"},
        "sandbox",
    )
    own.create()
    demo = tmp_path / "demo"
    stack = Stack(new_stack.toolchain, project_in(demo, checkout), demo / "home", demo / "state", {}, "sandbox")

    stack.create()
    stack.pulumi("config", "set", "--secret", "app", "shop", check=True)
    assert own.settings.is_file()
    assert written_in() == []
