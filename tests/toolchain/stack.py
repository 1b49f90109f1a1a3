"""Drives a real engine over one stack: a program, a home and a file backend of its own, loopback only."""

import ipaddress
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from toolchain.programs import Toolchain

NOWHERE = "http://127.0.0.1:9"
"""The discard port: where Heroku is when a caller names no Heroku, so that the real one is never asked."""

INHERITED_NEVER = ("PULUMI_", "HEROKU_", "NETRC")
"""Starts of the names of variables that would make a run depend on who runs it."""


class Refused(Exception):
    """The engine is not started, because it would talk to something that is not on this machine."""


class Failed(Exception):
    """The engine ended with an exit code that the caller did not want; the message shows what it printed."""


class Overrun(Exception):
    """The engine did not end in time; the message shows what it printed until then."""


@dataclass(frozen=True)
class Finished:
    """What came of one run of the engine."""

    code: int
    stdout: str
    stderr: str

    def __str__(self) -> str:
        return f"exit code {self.code}\n--- stdout\n{self.stdout}\n--- stderr\n{self.stderr}"


@dataclass(frozen=True)
class Stack:
    """
    One stack of one project.

    `project` holds Pulumi.yaml; `home` and `backend` are folders that it alone uses and that are made when needed.
    `environment` comes on top of the ambient one, from which everything of Pulumi's and Heroku's is taken out.
    """

    toolchain: Toolchain
    project: Path
    home: Path
    backend: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    name: str = "test"

    def create(self) -> None:
        """Make the stack; its secrets are encrypted with an empty passphrase."""
        self.pulumi("stack", "init", self.name, env={"PULUMI_STACK": ""}, check=True)

    def create_like(self, other: "Stack") -> None:
        """
        Make the stack as a copy of one that was made before and never updated: the same empty state and the same salt,
        without what deriving a key costs.
        """
        shutil.copytree(other.backend, self.backend)
        shutil.copy(other.settings, self.settings)

    @property
    def settings(self) -> Path:
        """The file of the stack's config, which a user edits."""
        folder = str(self._about().get("stackConfigDir", "."))
        return self.project / folder / f"Pulumi.{self.name}.yaml"

    def _about(self) -> dict[str, Any]:
        import yaml  # here, so that a Python with nothing installed can find or build an engine

        about: dict[str, Any] = yaml.safe_load((self.project / "Pulumi.yaml").read_text())
        return about

    def edit(self, values: Mapping[str, Any]) -> None:
        """Set keys of the project as a user does with an editor; none of the values may be a secret."""
        import yaml

        project = self._about()["name"]
        written = yaml.safe_load(self.settings.read_text()) or {}
        written.setdefault("config", {}).update({f"{project}:{key}": value for key, value in values.items()})
        self.settings.write_text(yaml.safe_dump(written))

    def pulumi(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdin: str = "",
        check: bool = False,
        timeout: float = 300.0,
    ) -> Finished:
        """
        Run the engine to its end, which has to come within `timeout` seconds.

        `env` is for this run only. Raises Refused, Overrun and, with `check`, Failed.
        """
        process = self.start(*arguments, env=env, stdin=subprocess.PIPE, stderr=subprocess.PIPE)
        asked = f"`pulumi {' '.join(arguments)}`"
        try:
            stdout, stderr = process.communicate(stdin, timeout)
        except subprocess.TimeoutExpired:
            ended = end(process)
            raise Overrun(f"{asked} was still running after {timeout:.0f} s: {ended}") from None
        except BaseException:  # Ctrl-C, or a test that took too long: the engine has a group of its own
            end(process)
            raise
        finished = Finished(process.returncode, stdout, stderr)
        if check and finished.code != 0:
            raise Failed(f"{asked} failed: {finished}")
        return finished

    def start(
        self,
        *arguments: str,
        env: Mapping[str, str] | None = None,
        stdin: int = subprocess.DEVNULL,
        stdout: int = subprocess.PIPE,
        stderr: int = subprocess.STDOUT,
        prefix: Sequence[str] = (),
    ) -> "subprocess.Popen[str]":
        """
        Start the engine and return it running, in a process group of its own, its output as one stream of lines.

        `prefix` is the beginning of the command, such as what starts it in another network. SIGINT cancels the run;
        whoever kills it instead leaves the plugins and the running step behind.
        """
        environment = self.variables(env)
        self.toolchain.link_plugins(self.home)
        self.backend.mkdir(parents=True, exist_ok=True)
        return subprocess.Popen(
            (*prefix, self.toolchain.folder / "pulumi", "--non-interactive", "--color=never", *arguments),
            cwd=self.project,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            text=True,
            start_new_session=True,
        )

    def variables(self, env: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the whole environment of a run. Raises Refused where it leads to a Heroku that is not on loopback."""
        ambient = {name: value for name, value in os.environ.items() if not name.startswith(INHERITED_NEVER)}
        variables = {
            **ambient,
            **self.toolchain.environment(),
            "PULUMI_HOME": str(self.home),
            # Without this, each state file has a side file that is not replaced whole: a kill in between empties it,
            # and the engine cannot read its state any more ("failed to load checkpoint: EOF").
            "PULUMI_BACKEND_URL": f"file://{self.backend}?metadata=skip",
            "PULUMI_STACK": self.name,
            "PULUMI_CONFIG_PASSPHRASE": "",
            "PULUMI_SKIP_CONFIRMATIONS": "true",
            "PULUMI_IGNORE_AMBIENT_PLUGINS": "true",
            # The language host asks pip for what is installed, and pip would ask its index for a newer pip.
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "HEROKU_API_URL": NOWHERE,
            "NETRC_PATH": str(self.home / "no-netrc"),
            **self.environment,
            **(env or {}),
        }
        for name, value in variables.items():
            if name.startswith("HEROKU_") and name.endswith("_URL") and not _on_loopback(value):
                raise Refused(f"{name} is {value!r}, which is not a loopback address: this engine is for tests only")
        return variables

    def state(self) -> dict[str, Any]:
        """Return the stack's deployment as stored, secrets still encrypted."""
        exported: dict[str, Any] = json.loads(self.pulumi("stack", "export", check=True).stdout)
        return exported

    def resources(self) -> list[dict[str, Any]]:
        """Return the resources in state: each has `urn` and `type`, custom ones also `id`, `inputs` and `outputs`."""
        resources: list[dict[str, Any]] = self.state()["deployment"].get("resources", [])
        return resources

    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the program, secret ones in the clear."""
        shown = self.pulumi("stack", "output", "--json", "--show-secrets", check=True)
        outputs: dict[str, Any] = json.loads(shown.stdout)
        return outputs


def _on_loopback(url: str) -> bool:
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def end(process: "subprocess.Popen[str]") -> Finished:
    """Cancel a run twice, then kill it: the second signal makes the engine end its plugins, a kill would not."""
    for last_word in (signal.SIGINT, signal.SIGINT, signal.SIGKILL):
        process.send_signal(last_word)
        try:
            stdout, stderr = process.communicate(timeout=10)
        except subprocess.TimeoutExpired:
            continue
        return Finished(process.returncode, stdout, stderr)
    return Finished(-signal.SIGKILL, "", "it did not end, not even when killed")
