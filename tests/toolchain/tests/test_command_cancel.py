"""What happens to running commands when the engine is cancelled."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import Popen

import psutil
import pytest

from toolchain import Toolchain
from toolchain.tests.bench import Bench

pytestmark = pytest.mark.toolchain

DEADLINE = 30.0

PROGRAM = """
from pulumi_command import local

local.Command("deaf", create="trap '' INT TERM; echo $$ > deaf; exec sleep 600")
local.Command(
    "holder",
    create="(echo > began; until test -e release; do sleep 0.05; done; echo > lived) & echo $$ > holder; wait",
)
"""


def wait_until(what: str, holds: Callable[[], bool], log: Callable[[], str] = str) -> None:
    """Poll until something holds, for at most DEADLINE seconds."""
    end = time.monotonic() + DEADLINE
    while not holds():
        assert time.monotonic() < end, f"{what}: not within {DEADLINE:.0f} s\n{log()}"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether a process is there and not a zombie."""
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def pid_in(file: Path) -> int:
    """Return the process id that a command wrote, 0 while it has not."""
    return int(file.read_text() or 0) if file.exists() else 0


def test_a_cancel_kills_the_direct_child_then_waits_for_whoever_holds_its_streams(
    toolchain: Toolchain, tmp_path: Path
) -> None:
    bench = Bench(toolchain, tmp_path)
    bench.program(PROGRAM)
    deaf, holder, began = (bench.project / name for name in ("deaf", "holder", "began"))
    process = bench.stack.start("up", "--yes", "--skip-preview")
    try:
        wait_until("both commands run", lambda: bool(pid_in(deaf) and pid_in(holder) and began.exists()))

        process.send_signal(signal.SIGINT)

        wait_until(
            "the direct children are killed", lambda: not is_running(pid_in(deaf)) and not is_running(pid_in(holder))
        )
        assert process.poll() is None, "the engine did not wait for the grandchild that holds a stream"
        printed = released(process, bench.project / "release")
        assert process.returncode != 0, printed
        assert "signal: killed" in printed
        assert (bench.project / "lived").exists(), printed
        assert not {"deaf", "holder"} & set(bench.state())
    finally:
        (bench.project / "release").touch()
        process.kill()
        process.communicate()


def released(process: "Popen[str]", release: Path) -> str:
    """Let the grandchild end and return all that the engine printed."""
    release.touch()
    printed, _ = process.communicate(timeout=DEADLINE)
    return printed
