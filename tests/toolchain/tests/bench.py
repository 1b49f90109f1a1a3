"""A stack in a folder of its own, with a program that a test writes as text."""

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from toolchain import Finished, Stack, Toolchain

PROJECT = f"""\
name: bench
runtime:
  name: python
  options:
    toolchain: pip
    virtualenv: {sys.prefix}
"""
SECRET_MARK = "4dabf18193072939515e22adb298388d"
"""The key by which the engine's state marks a value as something else than plain JSON."""


class Bench:
    """A project, its stack and what the engine says of them."""

    def __init__(self, toolchain: Toolchain, folder: Path, environment: Mapping[str, str] | None = None) -> None:
        """Make the project and the stack; `environment` is that of every run."""
        self.project = folder / "project"
        self.project.mkdir(parents=True)
        (self.project / "Pulumi.yaml").write_text(PROJECT)
        self.stack = Stack(toolchain, self.project, folder / "home", folder / "state", environment or {})
        self.program("")
        self.stack.create()

    def program(self, text: str) -> None:
        """Set the program of the next runs."""
        (self.project / "__main__.py").write_text(text)

    def up(self, *arguments: str, env: Mapping[str, str] | None = None, check: bool = True) -> Finished:
        """Update without a preview."""
        return self.stack.pulumi("up", "--yes", "--skip-preview", *arguments, env=env, check=check, timeout=100)

    def refresh(self) -> Finished:
        """Refresh without a preview; the caller looks at the exit code."""
        return self.stack.pulumi("refresh", "--yes", "--skip-preview", timeout=100)

    def destroy(self, *arguments: str, env: Mapping[str, str] | None = None) -> Finished:
        """Destroy without a preview; the caller looks at the exit code."""
        return self.stack.pulumi("destroy", "--yes", "--skip-preview", *arguments, env=env, timeout=100)

    def state(self) -> "State":
        """Return what is in state, by logical name."""
        return {resource["urn"].rpartition("::")[2]: resource for resource in self.stack.resources()}


State = dict[str, dict[str, Any]]


def is_secret(value: Any) -> bool:
    """Whether a value of the state is stored encrypted."""
    return isinstance(value, dict) and SECRET_MARK in value and "ciphertext" in value
