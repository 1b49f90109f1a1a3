"""Installs Heroku's CLI once, and runs it where it can reach nothing but a local Heroku."""

import fcntl
import hashlib
import ipaddress
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from local_heroku.launcher import LocalHeroku

PACKAGE = Path(__file__).parent / "cli"
PROGRAM = Path("node_modules/heroku/bin/run.js")
OLDEST_NODE = 20
INSTALL_SECONDS, LIMIT_SECONDS = 600, 120


class NoCli(Exception):
    """The CLI cannot be installed; the text says why and what to do."""


class Refused(Exception):
    """The CLI is not started, because it could talk to the real Heroku."""


def install(progress: Callable[[str], None]) -> Path:
    """The program, from the cache or installed by npm from the lock file that is checked in. Raises NoCli."""
    lock = (PACKAGE / "package-lock.json").read_bytes()
    base = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser() / "heroku-postgres" / "heroku-cli"
    folder = base / hashlib.sha256(lock).hexdigest()[:16]
    program = folder / PROGRAM
    if not program.exists():
        base.mkdir(parents=True, exist_ok=True)
        with (base / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            if not program.exists():
                _install(folder, progress)
    return program


def _install(folder: Path, progress: Callable[[str], None]) -> None:
    """Into a folder that appears whole or not at all; without the packages' own install scripts."""
    npm = shutil.which("npm")
    if npm is None:
        raise NoCli("npm is not on PATH: install Node.js 20 or newer with npm, then run this again")
    if not _is_new_enough():
        raise NoCli("Heroku's CLI needs Node.js 20 or newer as `node` on PATH")
    progress("installing Heroku's CLI with npm (once a machine, about a minute)")
    partial = folder.with_suffix(".partial")
    shutil.rmtree(partial, ignore_errors=True)
    shutil.copytree(PACKAGE, partial)
    words = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    ran = subprocess.run(words, cwd=partial, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if ran.returncode:
        raise NoCli(f"npm could not install Heroku's CLI:\n{ran.stdout}{ran.stderr}")
    if not (partial / PROGRAM).exists():
        raise NoCli(f"the package that npm installed has no {PROGRAM}")
    shutil.rmtree(folder, ignore_errors=True)
    partial.rename(folder)


def _is_new_enough() -> bool:
    version = subprocess.run(("node", "--version"), capture_output=True, text=True, check=False).stdout
    return version.startswith("v") and int(version[1:].partition(".")[0]) >= OLDEST_NODE


@dataclass(frozen=True, slots=True)
class Ran:
    """What came of one command; `requests` are those that the local Heroku got meanwhile, in order."""

    words: tuple[str, ...]
    code: int
    out: str
    err: str
    requests: list[dict[str, Any]]

    @property
    def said(self) -> str:
        """All that it printed, in one line: the CLI breaks sentences at the width of the terminal."""
        return " ".join(f"{self.out}\n{self.err}".replace("\u203a", " ").split())

    @property
    def asked(self) -> list[str]:
        return [f"{r['method']} {r['path']}" for r in self.requests]

    @property
    def writes(self) -> list[str]:
        return [line for line in self.asked if not line.startswith("GET ") and "/resolve" not in line]

    def sent(self, request: str) -> Any:
        """The body of the first request of that kind."""
        return next(r["sent"] for r in self.requests if f"{r['method']} {r['path']}" == request)

    def __str__(self) -> str:
        asked = "\n".join(f"{r['method']} {r['path']} {r.get('sent')} -> {r['status']}" for r in self.requests)
        said = f"--- stdout\n{self.out}\n--- stderr\n{self.err}"
        return f"$ heroku {' '.join(self.words)}\nexit code {self.code}\n{said}\n--- requests\n{asked}"


@dataclass(slots=True)
class Cli:
    """The CLI with a home of its own; a local Heroku is all that it can reach."""

    program: Path
    heroku: LocalHeroku
    home: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """
        Everything of Heroku's is taken out of the ambient environment and set anew. An address that the CLI does not
        accept would make it fall back to the real Heroku, so only the form that it does accept passes.
        """
        address = urlsplit(self.heroku.api)
        if address.scheme != "http" or not ipaddress.ip_address(address.hostname or "").is_loopback:
            raise Refused(f"{self.heroku.api} is not on loopback: this CLI is for tests only")
        if address.hostname != "127.0.0.1" or address.port is None:
            raise Refused(f"{self.heroku.api} is not of the form http://127.0.0.1:<port>, the only one that is safe")
        ambient = {n: v for n, v in os.environ.items() if not n.upper().startswith(("HEROKU_", "NODE_", "HTTP"))}
        return {
            **ambient,
            "HEROKU_HOST": self.heroku.api,
            "HEROKU_DATA_HOST": "127.0.0.1",
            "HEROKU_PARTICLEBOARD_URL": self.heroku.api,
            "HEROKU_API_KEY": self.heroku.token,
            "HOME": str(self.home),
            "XDG_CACHE_HOME": str(self.home / "cache"),
            "XDG_CONFIG_HOME": str(self.home / "config"),
            "XDG_DATA_HOME": str(self.home / "data"),
            "DISABLE_TELEMETRY": "true",
            "HEROKU_DISABLE_AUTOUPDATE": "1",
            "HEROKU_SKIP_NEW_VERSION_CHECK": "1",
            "NO_PROXY": "127.0.0.1,localhost",
            "COLUMNS": "200",
            **self.extra,
        }

    def run(self, *words: str, stdin: str | None = None, env: Mapping[str, str] | None = None) -> Ran:
        """One command to its end; without `stdin` it gets none."""
        seen = self.heroku.counted("requests")
        ran = subprocess.run(
            ("node", self.program, *words),
            env={**self.environment(), **(env or {})},
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            timeout=LIMIT_SECONDS,
            check=False,
        )
        return Ran(words, ran.returncode, ran.stdout, ran.stderr, self.heroku.requests(seen))


def main() -> int:
    """Installs it and says where it is."""
    try:
        print(install(lambda line: print(line, file=sys.stderr)))
    except NoCli as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
