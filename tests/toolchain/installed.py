"""A `pulumi` that this machine already has, if its language hosts and the two plugins are there or can be had."""

import hashlib
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from toolchain import cache
from toolchain.programs import BESIDE, COMMAND_PLUGIN, HEROKU_PLUGIN, HOSTS, PLUGINS

OLDEST = (3, 220)
"""The oldest engine that the Python SDK which this project asks for is meant for."""
ASK_SECONDS = 20.0
INSTALL_SECONDS = 60.0
SOURCES = {COMMAND_PLUGIN: (), HEROKU_PLUGIN: ("--server", "github://api.github.com/pulumiverse")}


class _Unusable(Exception):
    """What is installed does not do; the message is the reason."""


def folder(progress: Callable[[str], None]) -> Path | None:
    """Return a folder of links to the installed programs, or None where there is no pulumi or it does not do."""
    pulumi = shutil.which("pulumi")
    if not pulumi:
        return None
    try:
        programs = _programs(Path(pulumi), progress)
    except _Unusable as reason:
        progress(f"{pulumi} is not used: {reason}")
        return None
    key = "installed-" + hashlib.sha256(repr(sorted(programs.items())).encode()).hexdigest()[:16]
    return cache.once(key, lambda into: _link(programs, into), progress)


def _programs(pulumi: Path, progress: Callable[[str], None]) -> dict[str, Path]:
    _recent_enough(pulumi)
    hosts = {name: _language_host(pulumi, name) for name in HOSTS}
    present = _installed_plugins(pulumi)
    for plugin in PLUGINS:
        if plugin not in present:
            _install(pulumi, plugin, progress)
    plugins = {file.name: file for file in map(_plugin_file, PLUGINS)}
    return {"pulumi": pulumi.resolve(), **hosts, **_beside(hosts), **plugins}


def _recent_enough(pulumi: Path) -> None:
    version = _ask(pulumi, "version")
    found = re.match(r"v(\d+)\.(\d+)", version)
    if not found or not OLDEST <= (int(found[1]), int(found[2])) < (4,):
        raise _Unusable(f"it is {version.strip() or 'of no known version'}, wanted v3.{OLDEST[1]} or newer")


def _language_host(pulumi: Path, name: str) -> Path:
    beside = pulumi.resolve().parent / name
    found = str(beside) if os.access(beside, os.X_OK) else shutil.which(name)
    if not found:
        raise _Unusable(f"{name} is neither beside it nor on PATH")
    return Path(found).resolve()


def _beside(hosts: dict[str, Path]) -> dict[str, Path]:
    """What lies beside the language hosts in an installation, and that not every project needs."""
    folders = {host.parent for host in hosts.values()}
    files = (folder / name for name in BESIDE for folder in folders)
    return {file.name: file for file in files if os.access(file, os.X_OK)}


def _installed_plugins(pulumi: Path) -> set[tuple[str, str]]:
    try:
        rows = json.loads(_ask(pulumi, "plugin", "ls", "--json") or "[]")
        return {(row["name"], row.get("version", "")) for row in rows if row["kind"] == "resource"}
    except (ValueError, TypeError, KeyError) as error:
        raise _Unusable(
            f"`pulumi plugin ls --json` printed something else than a list of plugins ({error!r})"
        ) from error


def _install(pulumi: Path, plugin: tuple[str, str], progress: Callable[[str], None]) -> None:
    name, version = plugin
    progress(f"installing the plugin {name} {version} (at most {INSTALL_SECONDS:.0f} s)")
    _ask(pulumi, "plugin", "install", "resource", name, version, *SOURCES[plugin], seconds=INSTALL_SECONDS)


def _plugin_file(plugin: tuple[str, str]) -> Path:
    name, version = plugin
    home = Path(os.environ.get("PULUMI_HOME") or "~/.pulumi").expanduser()
    file = home / "plugins" / f"resource-{name}-v{version}" / f"pulumi-resource-{name}"
    if not os.access(file, os.X_OK):
        raise _Unusable(f"it counts the plugin {name} {version} as installed, but there is no program {file}")
    return file.resolve()


def _ask(pulumi: Path, *arguments: str, seconds: float = ASK_SECONDS) -> str:
    """Run it and return what it prints; the first line of what it says on stderr is the reason where it fails."""
    asked = f"`pulumi {' '.join(arguments[:5])}`"
    try:
        answer = subprocess.run(
            (pulumi, *arguments),
            env={**os.environ, "PULUMI_SKIP_UPDATE_CHECK": "true"},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise _Unusable(f"{asked} took longer than {seconds:.0f} s") from None
    except OSError as error:
        raise _Unusable(f"it cannot be started ({error})") from error
    if answer.returncode != 0:
        said = (answer.stderr or answer.stdout).strip().splitlines() or ["without a word"]
        raise _Unusable(f"{asked} failed: {said[-1].strip()}")
    return answer.stdout


def _link(programs: dict[str, Path], into: Path) -> None:
    for name, file in programs.items():
        (into / name).symlink_to(file)
