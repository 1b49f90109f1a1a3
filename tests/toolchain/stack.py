"""A Pulumi project in a folder of its own with state in a file, driven through the real command line."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolchain.find import Toolchain

LIMIT = 110.0
"""Seconds for one command of the engine."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What a command left: exit code and output; its text form is what a failing test shows."""

    arguments: tuple[str, ...]
    code: int
    stdout: str
    stderr: str

    @property
    def text(self) -> str:
        return f"{self.stdout}\n{self.stderr}"

    def __repr__(self) -> str:
        return f"pulumi {' '.join(self.arguments)} -> {self.code}\n{self.stdout}\n{self.stderr}"


class CommandFailed(AssertionError):
    """A command that had to succeed did not, or the other way round; the text holds all that it printed."""


@dataclass(slots=True)
class Stack:
    """
    One stack. `project` is the folder of Pulumi.yaml, `home` gets the engine's own files and the state.

    Refuses to start with a Heroku address that is not on this machine.
    """

    toolchain: Toolchain
    project: Path
    home: Path
    name: str = "sandbox"
    extra: Mapping[str, str] = field(default_factory=dict)
    virtualenv: Path = Path(sys.prefix)

    def __post_init__(self) -> None:
        host = urlsplit(self.environment.get("HEROKU_API_URL", "")).hostname
        if host not in {"127.0.0.1", "localhost", "::1"}:
            raise RuntimeError(
                f"HEROKU_API_URL names {host or 'nothing'}: the engine is run here against a local Heroku only"
            )
        (self.home / "state").mkdir(parents=True, exist_ok=True)

    @property
    def environment(self) -> dict[str, str]:
        """The environment of every command: none of the caller's Pulumi or Heroku variables get in."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith(("PULUMI_", "HEROKU_"))}
        own = {
            "PULUMI_HOME": str(self.home / "pulumi"),
            "PULUMI_BACKEND_URL": f"file://{self.home / 'state'}",
            "NO_COLOR": "1",
        }
        # An engine that was found on PATH has its plugins in the user's own PULUMI_HOME.
        if self.toolchain.origin == "installed":
            own.pop("PULUMI_HOME")
        return {**clean, **self.toolchain.environment(self.virtualenv), **own, **self.extra}

    def init(self) -> "Stack":
        self.pulumi("stack", "init", self.name, "--non-interactive", check=True, stack=False)
        return self

    def start(self, *arguments: str, env: Mapping[str, str] | None = None, **options: Any) -> "subprocess.Popen[str]":
        """A command that goes on while the caller does something else; its output is text."""
        return subprocess.Popen(
            ["pulumi", *arguments, *self._selected(arguments)],
            cwd=self.project,
            env={**self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            text=True,
            **options,
        )

    def pulumi(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        check: bool = False,
        stack: bool = True,
        limit: float = LIMIT,
    ) -> Finished:
        """Runs a command to its end; `check` raises with all that was printed if it failed."""
        completed = subprocess.run(
            ["pulumi", *arguments, *(self._selected(arguments) if stack else ())],
            cwd=self.project,
            env={**self.environment, **(env or {})},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=limit,
            check=False,
        )
        finished = Finished(arguments, completed.returncode, completed.stdout, completed.stderr)
        if check and finished.code != 0:
            raise CommandFailed(repr(finished))
        return finished

    def _selected(self, arguments: tuple[str, ...]) -> tuple[str, ...]:
        return () if "--stack" in arguments or arguments[0] == "plugin" else ("--stack", self.name)

    def up(self, *arguments: str, env: Mapping[str, str] | None = None) -> Finished:
        return self.pulumi("up", "--yes", "--skip-preview", *arguments, env=env, check=True)

    def config(self, key: str, value: str) -> None:
        self.pulumi("config", "set", "--", key, value, check=True) if value.startswith("-") else self.pulumi(
            "config", "set", key, value, check=True
        )

    def outputs(self) -> dict[str, Any]:
        return dict(json.loads(self.pulumi("stack", "output", "--json", check=True).stdout))

    def resources(self) -> list[dict[str, Any]]:
        """The resources in state, each as the engine exports it."""
        exported = json.loads(self.pulumi("stack", "export", check=True).stdout)
        return list(exported["deployment"].get("resources", []))

    def names(self) -> list[str]:
        """The last part of each URN, in the order of the state."""
        return [str(resource["urn"]).rpartition("::")[2] for resource in self.resources()]
