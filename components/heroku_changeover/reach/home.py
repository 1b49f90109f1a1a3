"""
Where this machine keeps what it remembers: a folder of the user's own, and in it one for each Heroku, because an app of
the same name on another one is another app.
"""

import os
import re
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

from heroku_changeover.reach.address import origins_from
from heroku_changeover.reach.private import open_private, private_folder
from heroku_changeover.terms.errors import BadInput

HOME_VARIABLE = "HEROKU_CHANGEOVER_HOME"


def folder(environ: Mapping[str, str] = os.environ) -> Path:
    """
    The folder of all journals of the Heroku that the environment names, made when it is missing.

    Raises:
        BadInput: it cannot be written to; names the variable that puts it elsewhere.
    """
    base = home(environ)
    try:
        base.parent.mkdir(parents=True, exist_ok=True)
        base.mkdir(mode=0o700, exist_ok=True)
        path = private_folder(base / _word_for(origins_from(environ).platform))
        open_private(path / ".writable", "a").close()
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise BadInput(
            f"{base} cannot be written to ({reason}), and an open window has to be remembered somewhere: {_ELSEWHERE}"
        ) from error
    except BadInput as error:
        if str(base) not in str(error):
            raise
        raise BadInput(f"{error}; or {_ELSEWHERE}") from error
    return path


_ELSEWHERE = "set HEROKU_CHANGEOVER_HOME to a folder that can be, and that is yours"


def home(environ: Mapping[str, str] = os.environ) -> Path:
    """
    Where the journals of all Herokus are.

    Raises:
        BadInput: nothing says where this user's files are.
    """
    try:
        base = environ.get("XDG_STATE_HOME") or Path(environ.get("HOME") or "~").expanduser() / ".local" / "state"
        return Path(environ.get(HOME_VARIABLE) or Path(base) / "heroku-changeover").absolute()
    except (RuntimeError, OSError) as error:
        raise BadInput(f"nothing says where this user's files are ({error}): {_ELSEWHERE}") from error


def _word_for(origin: str) -> str:
    """A name for a folder, another one for each origin; the usual one reads as it is."""
    parts = urlsplit(origin)
    word = re.sub(r"[^a-z0-9.-]", "_", parts.netloc)
    return f"{word}_{sha256(parts.path.encode()).hexdigest()[:8]}" if parts.path else word
