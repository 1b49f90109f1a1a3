"""A real Pulumi engine for the demo and the tests, on a machine that may have none."""

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from toolchain import build, golang, installed
from toolchain.programs import PROGRAMS, Toolchain, Unavailable, missing_from
from toolchain.stack import Failed, Finished, Overrun, Refused, Stack

__all__ = ["PROGRAMS", "Failed", "Finished", "Overrun", "Refused", "Stack", "Toolchain", "Unavailable", "can", "find"]


def find(progress: Callable[[str], None]) -> Toolchain:
    """
    Return the engine to use: the folder given, else what is installed, else what is built here.

    `progress` is called with one line of text whenever there is something to tell, and at least every 15 seconds.
    Raises Unavailable.
    """
    _heed_interrupts()
    if given := os.environ.get("PULUMI_TOOLCHAIN"):
        return _given(Path(given).expanduser().absolute())
    if folder := installed.folder(progress):
        return Toolchain(folder, "installed")
    return Toolchain(build.folder(progress), "built")


def can() -> None:
    """Raise Unavailable at once where `find` is bound to do so after whatever else its caller does first."""
    if given := os.environ.get("PULUMI_TOOLCHAIN"):
        _given(Path(given).expanduser().absolute())
    elif not shutil.which("pulumi"):
        golang.platform()


def _heed_interrupts() -> None:
    """
    Undoes what a shell does to a job in the background, whose programs inherit an ignored SIGINT.

    The engine ends its language host with SIGINT, and would wait 5 s for it at every update. Call in the main thread.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


def _given(folder: Path) -> Toolchain:
    if missing := missing_from(folder):
        raise Unavailable(
            f"PULUMI_TOOLCHAIN names {folder}, which does not hold these as executable files: {', '.join(missing)}. "
            "Put them there, or unset PULUMI_TOOLCHAIN to have what is installed or to build."
        )
    return Toolchain(folder, "given")
