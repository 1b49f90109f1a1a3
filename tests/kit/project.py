"""The program of this repository as somebody has it who uses it: a project of their own, and a stack in it."""

import shutil
import sys
from pathlib import Path

from kit.checkout import ROOT
from toolchain import Stack, Toolchain

NOT_COPIED = ("__pycache__", "Pulumi.*.yaml", "requirements.txt")


def project_in(folder: Path, checkout: Path = ROOT) -> Path:
    """
    The program as it is in this repository, in a folder where config may be changed.

    Without the files of stacks that somebody made here: what they hold is encrypted with a passphrase of that person's.
    """
    project = folder / "project"
    folder.mkdir(exist_ok=True)
    shutil.copytree(checkout / "stacks", project / "stacks", ignore=shutil.ignore_patterns(*NOT_COPIED))
    shutil.copy(checkout / "Pulumi.yaml", project)
    (project / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    return project


def new_stack_in(folder: Path, toolchain: Toolchain) -> Stack:
    """A stack that was made and no more, for others to be copied from."""
    stack = Stack(toolchain, project_in(folder), folder / "home", folder / "state")
    stack.create()
    return stack
