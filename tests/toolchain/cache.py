"""Where what was found or built is kept, and how two callers keep out of each other's way."""

import errno
import fcntl
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from toolchain.programs import Unavailable, missing_from

SPEAK_EVERY = 10.0
"""Seconds between two lines of progress while nothing else happens."""


def root() -> Path:
    """Return the folder of all that is cached here."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "heroku-postgres" / "toolchain"


Missing = Callable[[Path], list[str]]
"""What a folder lacks of what is asked for."""


def once(
    key: str, fill: Callable[[Path], None], progress: Callable[[str], None], missing: Missing = missing_from
) -> Path:
    """
    Return the cached folder of a key; where there is none, let `fill` put what is asked for into a new one.

    The folder appears whole or not at all, and of several callers at once only one fills it.
    """
    folder = root() / key
    if folder.is_dir() and not missing(folder):
        return folder
    with _clear_about_the_disk():
        root().mkdir(parents=True, exist_ok=True)
        with _locked(root() / f"{key}.lock", progress):
            if not folder.is_dir() or missing(folder):
                _fill(folder, fill, missing)
    return folder


def _fill(folder: Path, fill: Callable[[Path], None], missing: Missing) -> None:
    partial = folder.with_name(folder.name + ".partial")
    shutil.rmtree(partial, ignore_errors=True)  # left by a caller that was killed
    shutil.rmtree(folder, ignore_errors=True)
    partial.mkdir()
    try:
        fill(partial)
        if lacking := missing(partial):
            raise Unavailable(f"What was made for {folder} lacks {', '.join(lacking)}.")
        partial.rename(folder)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def _locked(path: Path, progress: Callable[[str], None]) -> Iterator[None]:
    with path.open("w") as file:
        since, spoken = time.monotonic(), float("-inf")
        while not _taken(file.fileno()):
            if time.monotonic() - spoken >= SPEAK_EVERY:
                spoken = time.monotonic()
                progress(f"waiting for another process that is building the toolchain, {spoken - since:.0f} s")
            time.sleep(0.2)
        yield


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _clear_about_the_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable(_disk_sentence(error)) from error


def _disk_sentence(error: OSError) -> str:
    where = error.filename or root()
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return f"The disk is full at {where}. The toolchain needs about 300 MB there: free some, or set XDG_CACHE_HOME."
    return f"The toolchain's cache {root()} cannot be written ({error}). Set XDG_CACHE_HOME to a folder that can."
