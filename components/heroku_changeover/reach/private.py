"""Folders and files of this user alone: nobody else reads them, or can have put something in their place."""

import errno
import os
import stat
from pathlib import Path
from typing import IO

from heroku_changeover.terms.errors import BadInput

ONLY_MINE = 0o700


def private_folder(path: Path) -> Path:
    """
    Makes a folder where it is missing, and sees that it is ours alone.

    Raises:
        BadInput: something else is there, or somebody else could put things into it.
        OSError: it cannot be made.
    """
    _require_safe_above(path.parent)
    path.mkdir(mode=ONLY_MINE, exist_ok=True)
    found = path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise BadInput(f"{path} {_what(found)}: look who has put it there, and remove it")
    if stat.S_IMODE(found.st_mode) & 0o077:
        path.chmod(ONLY_MINE)
    return path


def _what(found: os.stat_result) -> str:
    if stat.S_ISLNK(found.st_mode):
        return "is a symbolic link, where a folder of this user's own has to be"
    if not stat.S_ISDIR(found.st_mode):
        return "is no folder"
    return f"belongs to user {found.st_uid}, and not to this one, who is {os.geteuid()}"


def _require_safe_above(path: Path) -> None:
    """Others who may write in a folder can put another one in the place of ours, unless its sticky bit is set."""
    found = path.stat()
    if not stat.S_ISDIR(found.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "it is no folder", str(path))
    for owner in (path.lstat().st_uid, found.st_uid):
        if owner not in {0, os.geteuid()}:
            raise BadInput(f"{path} belongs to user {owner}, who could put another folder in the place of ours")
    if found.st_mode & 0o022 and not found.st_mode & stat.S_ISVTX:
        raise BadInput(f"{path} can be written to by others: `chmod go-w {path}` ends that")


def open_private(path: Path, mode: str) -> IO[str]:
    """
    A file in such a folder, in the modes of `open`. No symbolic link is followed, and no pipe is waited for.

    Raises:
        OSError: it is not there, or it is no plain file of this user's.
    """
    descriptor = os.open(path, _FLAGS[mode] | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o600)
    try:
        _require_mine(os.fstat(descriptor), path)
        return os.fdopen(descriptor, mode, encoding="utf-8", errors="backslashreplace")
    except BaseException:
        os.close(descriptor)
        raise


def _require_mine(found: os.stat_result, path: Path) -> None:
    if not stat.S_ISREG(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "it is no plain file of this user's", str(path))


_FLAGS = {
    "r": os.O_RDONLY,
    "r+": os.O_RDWR,
    "w": os.O_WRONLY | os.O_CREAT | os.O_TRUNC,
    "a": os.O_WRONLY | os.O_CREAT | os.O_APPEND,
    "a+": os.O_RDWR | os.O_CREAT | os.O_APPEND,
}


def open_needed(path: Path, mode: str) -> IO[str]:
    """
    A file that nothing can be done without.

    Raises:
        BadInput: it cannot be used; says what to do.
    """
    try:
        return open_private(path, mode)
    except OSError as error:
        raise BadInput(f"{path} cannot be used ({error.strerror}): look who has put it there, and remove it") from error


def read_private(path: Path) -> str:
    with open_private(path, "r") as file:
        return file.read()
