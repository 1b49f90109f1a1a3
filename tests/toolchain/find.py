"""Where the engine comes from, and what has to be in the environment to use it."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("pulumi", "pulumi-language-python", "pulumi-resource-command", "pulumi-resource-heroku")
"""What a folder must hold; the language host's helper `pulumi-language-python-exec` lies beside it."""

RELEASED = {"command": ("1.2.1",), "heroku": ("1.0.4", "--server", "github://api.github.com/pulumiverse")}
"""The released plugins that an installed engine is asked to fetch, with the arguments of `pulumi plugin install`."""

INSTALL_SECONDS = 60

Progress = Callable[[str], None]


class ToolchainError(Exception):
    """No engine could be found or built; the text says why and what can be done."""


@dataclass(frozen=True, slots=True)
class Toolchain:
    """A folder with the engine; `origin` is `given`, `installed` or `built`."""

    folder: Path
    origin: str

    def environment(self, virtualenv: Path) -> dict[str, str]:
        """What a process needs to use this engine; the virtual environment's `python3` has to come first on PATH."""
        search = [str(virtualenv / "bin"), str(self.folder), os.environ.get("PATH", os.defpath)]
        return {
            "PATH": os.pathsep.join(search),
            "PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION": "true",
            "PULUMI_SKIP_UPDATE_CHECK": "true",
            "PULUMI_CONFIG_PASSPHRASE": "",
        }


def find(progress: Progress, environ: Mapping[str, str] = os.environ) -> Toolchain:
    """
    The engine, built if there is none.

    Raises:
        ToolchainError: names what is missing or what failed.
    """
    if folder := environ.get("PULUMI_TOOLCHAIN"):
        return given(Path(folder).expanduser().absolute())
    if installed := _installed(progress, environ):
        return installed
    from toolchain.build import built

    return Toolchain(built(progress, environ), "built")


def given(folder: Path) -> Toolchain:
    """The folder that the user named, used as it is."""
    missing = [name for name in PROGRAMS if not os.access(folder / name, os.X_OK)]
    if missing:
        raise ToolchainError(
            f"PULUMI_TOOLCHAIN is {folder}, where these programs are missing or not executable: {', '.join(missing)}; "
            "put them there, or unset the variable to have an engine found or built"
        )
    return Toolchain(folder, "given")


def _installed(progress: Progress, environ: Mapping[str, str]) -> Toolchain | None:
    """An engine on PATH, if it has its language host and has or gets the released plugins."""
    search = environ.get("PATH", os.defpath)
    pulumi = shutil.which("pulumi", path=search)
    if not pulumi or not shutil.which("pulumi-language-python", path=f"{Path(pulumi).parent}{os.pathsep}{search}"):
        return None
    for name in sorted(set(RELEASED) - _plugins(pulumi)):
        progress(f"asking {pulumi} to install the plugin {name} {RELEASED[name][0]}")
        if not _ran([pulumi, "plugin", "install", "resource", name, *RELEASED[name]]):
            progress(f"the plugin {name} is not to be had, so {pulumi} is left alone and an engine is built")
            return None
    return Toolchain(Path(pulumi).parent, "installed")


def _plugins(pulumi: str) -> set[str]:
    listed = subprocess.run([pulumi, "plugin", "ls", "--json"], capture_output=True, text=True, check=False)
    try:
        return {str(plugin["name"]) for plugin in json.loads(listed.stdout)}
    except (ValueError, TypeError, KeyError):
        return set()


def _ran(arguments: list[str]) -> bool:
    try:
        return subprocess.run(arguments, capture_output=True, timeout=INSTALL_SECONDS, check=False).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False
