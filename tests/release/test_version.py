"""One version, in pyproject.toml; whatever else carries it is held to it, and so is the tag of a release."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
VERSION = str(tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"])
WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text())


def step(name: str) -> str:
    """The script of a step of the workflow."""
    steps: list[dict[str, Any]] = WORKFLOW["jobs"]["release"]["steps"]
    return next(str(step["run"]) for step in steps if step.get("name") == name)


def run(name: str, tag: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """A step of the workflow as GitHub runs it, at a tag."""
    environ = {**os.environ, "GITHUB_REF_NAME": tag, "RUNNER_TEMP": str(folder)}
    return subprocess.run(
        ["bash", "-e", "-o", "pipefail", "-c", step(name)],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("command", ["pip install", "pulumi package add"])
def test_the_readme_installs_this_version_by_its_tag(command: str) -> None:
    lines = [line for line in (ROOT / "README.md").read_text().splitlines() if command in line]
    tags = [tag for line in lines for tag in re.findall(r"@(v[0-9][\w.]*)", line)]

    assert tags
    assert set(tags) == {f"v{VERSION}"}


def test_the_newest_version_of_the_changelog_is_this_one() -> None:
    headings = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)

    assert headings[0] == "Unreleased"
    assert re.fullmatch(rf"{re.escape(VERSION)} - \d{{4}}-\d\d-\d\d", headings[1])


def test_a_tag_that_is_the_version_is_released(tmp_path: Path) -> None:
    assert run("the tag is the version", f"v{VERSION}", tmp_path).returncode == 0


@pytest.mark.parametrize("tag", ["v999.0.0", VERSION, f"v{VERSION}rc1", "v"])
def test_a_tag_that_is_not_the_version_is_not_released(tmp_path: Path, tag: str) -> None:
    ended = run("the tag is the version", tag, tmp_path)

    assert ended.returncode == 1
    assert f"the tag is {tag}, but pyproject.toml says {VERSION}: a release is tagged v{VERSION}" in ended.stderr


def test_a_release_says_what_is_new_in_its_version(tmp_path: Path) -> None:
    ended = run("what is new in it", f"v{VERSION}", tmp_path)
    notes = (tmp_path / "notes.md").read_text()

    assert ended.returncode == 0, ended.stderr
    assert "### Added" in notes
    assert "## Unreleased" not in notes
    assert "\n## " not in notes


def test_a_version_without_a_word_of_what_is_new_is_not_released(tmp_path: Path) -> None:
    ended = run("what is new in it", "v999.0.0", tmp_path)

    assert ended.returncode == 1
    assert "CHANGELOG.md has nothing under ## 999.0.0" in ended.stderr


def test_the_workflow_may_write_in_the_job_that_makes_the_release_and_nowhere_else() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()} == {"release": {"contents": "write"}}
