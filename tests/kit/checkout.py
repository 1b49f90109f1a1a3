"""This checkout, and a copy of what a release is made of, so that nothing is built in the checkout itself."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = ("components", "plugin", "Makefile", "MANIFEST.in", "pyproject.toml", "README.md", "CHANGELOG.md", "LICENSE")
MADE = ("__pycache__", "*.egg-info", "venv", "build")


def copy_to(folder: Path) -> None:
    """As a clone has it, without what was made in this one."""
    folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, folder / part, ignore=shutil.ignore_patterns(*MADE), dirs_exist_ok=True)
        else:
            shutil.copy2(ROOT / part, folder)
