"""A checkout for each test, as somebody has who has just cloned the repository."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from kit.checkout import ROOT

README = (ROOT / "README.md").read_text()


def git(folder: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=folder, capture_output=True, text=True, check=True).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """What is or will be tracked, as it is now."""
    folder = tmp_path / "checkout"
    for name in git(ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard").split("\0"):
        if name and (ROOT / name).is_file():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    return folder


@pytest.fixture
def written_in(checkout: Path) -> Callable[[], list[str]]:
    """What `git status` would show in the checkout: files that were changed, or made and are not ignored."""
    return lambda: git(checkout, "ls-files", "--modified", "--others", "--exclude-standard").splitlines()


@pytest.fixture
def make(checkout: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a verb of the Makefile as in a terminal, where Ctrl-C reaches the whole process group."""
    started: list[subprocess.Popen[str]] = []
    ready = checkout.with_name("ready")
    ready.touch()  # the environment of the tests is the one to use; make is not to put this checkout into it

    def start(verb: str) -> "subprocess.Popen[str]":
        process = subprocess.Popen(
            ["make", "--no-print-directory", verb, f"VENV={sys.prefix}", f"READY={ready}"],
            cwd=checkout,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process, suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def typed_in(title: str) -> list[str]:
    """The commands of a section of the README, as printed: every line with a prompt in a block of a console."""
    section = re.split(r"^#+ ", README.partition(f"# {title}\n")[2], maxsplit=1, flags=re.MULTILINE)[0]
    blocks = re.findall(r"^ *```console\n(.*?)^ *```$", section, re.MULTILINE | re.DOTALL)
    return [line for block in blocks for line in re.findall(r"^ *\$ (.*)$", block, re.MULTILINE)]
