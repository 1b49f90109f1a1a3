"""`make sandbox`, as somebody uses it: what it prints is enough to call it, and Ctrl-C ends all of it."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import psutil
import pytest

ROOT = Path(__file__).parents[3]
LAST_LINE = "Ctrl-C ends everything."
ENDS = 40
"""Seconds until all of it is gone: dynos are given time to end by themselves."""


@pytest.fixture
def sandbox() -> Iterator["subprocess.Popen[str]"]:
    """It runs in a process group of its own, as in a terminal, where Ctrl-C reaches the whole group."""
    process = subprocess.Popen(
        ["make", "--no-print-directory", "sandbox", f"VENV={sys.prefix}"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    with process:
        yield process
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def printed_by(sandbox: "subprocess.Popen[str]") -> str:
    """What it prints until it is ready."""
    lines: list[str] = []
    for line in sandbox.stdout or ():
        lines.append(line)
        if LAST_LINE in line:
            return "".join(lines)
    raise AssertionError(f"it ended before it was ready: {''.join(lines)}")


def test_what_the_sandbox_prints_is_enough_to_call_it(sandbox: "subprocess.Popen[str]") -> None:
    printed = printed_by(sandbox)

    exports = dict(re.findall(r"^export (\w+)=(\S+)$", printed, re.MULTILINE))
    headers = {
        "Accept": "application/vnd.heroku+json; version=3",
        "Authorization": f"Bearer {exports['HEROKU_API_KEY']}",
    }
    request = Request(f"{exports['HEROKU_API_URL']}/apps/shop/addon-attachments/DATABASE", headers=headers)
    with urlopen(request, timeout=10) as answer:
        primary = json.loads(answer.read())["addon"]["name"]
    with urlopen(re.findall(r"serves at (\S+)", printed)[0], timeout=10) as page:
        assert page.status == 200
    assert f"pulumi config set adopt {primary}\n" in printed


def test_ctrl_c_ends_the_sandbox_with_everything_that_it_started(sandbox: "subprocess.Popen[str]") -> None:
    printed_by(sandbox)
    started = psutil.Process(sandbox.pid).children(recursive=True)
    places = {Path(tempfile.gettempdir()), Path("/dev/shm")}  # noqa: S108 - where it may have put its data

    def folders() -> list[Path]:
        return [f for place in places for p in started for f in place.glob(f"local-heroku-{p.pid}-*")]

    assert len(folders()) == 1
    os.killpg(sandbox.pid, signal.SIGINT)
    said = sandbox.communicate(timeout=ENDS)[0]

    alive = psutil.wait_procs(started, timeout=ENDS)[1]
    assert len(started) > 3
    assert alive == [], said
    assert folders() == [], said
    assert "Traceback" not in said
