"""What a program in TypeScript needs: Pulumi's SDK and the compiler, installed once a machine by npm."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

from toolchain import cache, modules
from toolchain.programs import Unavailable

PACKAGES = modules.HERE / "npm"
OLDEST = 20
INSTALL_SECONDS = 600


def folder(progress: Callable[[str], None]) -> Path:
    """Return a folder with `node_modules`, from the cache or by npm from the lock file. Raises Unavailable."""
    npm = _npm()
    key = "npm-" + hashlib.sha256((PACKAGES / "package-lock.json").read_bytes()).hexdigest()[:16]
    return cache.once(key, lambda into: _install(npm, into), progress, missing=_missing_from)


def _npm() -> str:
    npm, node = shutil.which("npm"), shutil.which("node")
    if not npm or not node:
        raise Unavailable("There is no Node.js with npm on PATH.")
    said = subprocess.run((node, "--version"), capture_output=True, text=True, timeout=20, check=False).stdout
    if (modules.numbers(said) or (0,)) < (OLDEST,):
        raise Unavailable(f"{node} is {said.strip() or 'of no known version'}, wanted Node.js {OLDEST} or newer.")
    return npm


def _install(npm: str, into: Path) -> None:
    """Without the packages' own install scripts."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(PACKAGES / name, into)
    words = (npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")
    ran = subprocess.run(words, cwd=into, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if ran.returncode:
        raise Unavailable(f"npm could not install what programs in TypeScript need:\n{ran.stdout}{ran.stderr}")


def _missing_from(folder: Path) -> list[str]:
    wanted = ("node_modules/@pulumi/pulumi/cmd/run/index.js", "node_modules/typescript/bin/tsc")
    return [name for name in wanted if not (folder / name).is_file()]
