"""Projects beside the repository, with the built wheel installed in each of the ways in which people do it."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import distributions
from pathlib import Path
from typing import Any

from uv import find_uv_bin

from kit.checkout import copy_to

PROGRAMS = Path(__file__).parent / "programs"
INSTALL_SECONDS = 240


def path_of_a_user(folder: Path, toolchain: Path) -> str:
    """
    The value of PATH for somebody who has Pulumi, Python and uv: nothing of the environment that the tests run in,
    where a step could be found by chance.
    """
    folder.mkdir()
    (folder / "uv").symlink_to(find_uv_bin())
    return os.pathsep.join(map(str, (toolchain, folder, Path(sys.base_prefix) / "bin", "/usr/bin", "/bin")))


def built_wheel(folder: Path) -> Path:
    """This repository's package as it is released; built of a copy, because building leaves folders behind."""
    source = folder / "source"
    copy_to(source)
    run([sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", folder, source])
    (wheel,) = folder.glob("*.whl")
    return wheel


def project(folder: Path, options: Mapping[str, str], program: str) -> Path:
    """A project with a program that lies beside its Pulumi.yaml, as `pulumi new` makes it."""
    about = {"name": "own", "runtime": {"name": "python", "options": dict(options)}}
    folder.mkdir(parents=True)
    (folder / "Pulumi.yaml").write_text(json.dumps(about))
    (folder / "__main__.py").write_text(program)
    return folder


def program_text() -> str:
    """The one with two databases."""
    return (PROGRAMS / "python" / "__main__.py").read_text()


def with_pip(environment: Path, wheel: Path) -> None:
    """As `python3 -m venv` and `pip install` do it."""
    run([sys.executable, "-m", "venv", environment])
    constraints = environment / "constraints.txt"
    constraints.write_text("\n".join(pinned()))
    pip = [environment / "bin" / "python", "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    run([*pip, "--constraint", constraints, wheel])


def uv_project(folder: Path, wheel: Path) -> None:
    """The pyproject of a project of uv, as `uv add` writes it."""
    pins = ", ".join(f'"{pin}"' for pin in pinned())
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "own"\nversion = "0"\nrequires-python = ">=3.11"\n'
        f'dependencies = ["heroku-postgres @ {wheel.as_uri()}"]\n'
        f"[tool.uv]\nconstraint-dependencies = [{pins}]\n"
    )


def pinned() -> list[str]:
    """What the tests run with, so that a release of somebody else's changes nothing here."""
    return sorted({f"{d.name}=={d.version}" for d in distributions() if d.name != "heroku-postgres"})


def run(words: list[Any]) -> None:
    """Runs a command that has to succeed."""
    done = subprocess.run(
        [str(word) for word in words],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{words}\n{done.stdout}\n{done.stderr}"
