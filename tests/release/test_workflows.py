"""What the workflows hand to whom: secrets to the steps that need them, and nothing unpinned runs beside them."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
NAMES = sorted(path.name for path in FOLDER.glob("*.yml"))
PIN = re.compile(r"^([\w.-]+)==(\S+)", re.MULTILINE)


def text_of(name: str) -> str:
    return (FOLDER / name).read_text()


def jobs_of(name: str) -> list[dict[str, Any]]:
    return list(yaml.safe_load(text_of(name))["jobs"].values())


def steps_of(name: str) -> Iterator[dict[str, Any]]:
    for job in jobs_of(name):
        yield from job["steps"]


def pins_of(name: str) -> dict[str, str]:
    return dict(PIN.findall((ROOT / name).read_text()))


@pytest.mark.parametrize("name", NAMES)
def test_no_secret_is_there_while_something_is_installed(name: str) -> None:
    """What a pull request installs may be its own code."""
    for job in jobs_of(name):
        assert "secrets." not in str(job.get("env", {}))
        for step in job["steps"]:
            assert not ("pip install" in step.get("run", "") and "secrets." in str(step.get("env", {})))
    assert "secrets." not in str(yaml.safe_load(text_of(name)).get("env", {}))


@pytest.mark.parametrize("name", NAMES)
def test_an_action_is_named_by_a_commit_because_a_tag_can_be_moved(name: str) -> None:
    used = re.findall(r"uses: (\S+)(.*)", text_of(name))

    assert used
    for action, comment in used:
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action), action
        assert re.fullmatch(r" # v\d+\.\d+\.\d+", comment), f"{action}: no version beside it"


@pytest.mark.parametrize("name", NAMES)
def test_what_is_installed_is_pinned_by_hash_or_is_this_project(name: str) -> None:
    commands = [line for step in steps_of(name) for line in step.get("run", "").splitlines() if "pip install" in line]

    for command in commands:
        by_hash = command.endswith(" --require-hashes -r requirements.txt")
        assert by_hash or command.endswith(" --no-deps --no-build-isolation ."), command


def test_what_is_deployed_was_tested_in_just_these_versions() -> None:
    deployed, tested = pins_of("requirements.txt"), pins_of("requirements-dev.txt")

    assert {"pulumi", "psycopg", "urllib3", "setuptools"} <= deployed.keys()
    assert {name: tested.get(name) for name in deployed} == deployed


@pytest.mark.parametrize("name", ["deploy.yml", "preview.yml"])
def test_the_engine_of_a_workflow_is_the_one_of_the_tests(name: str) -> None:
    (inputs,) = (step["with"] for step in steps_of(name) if "pulumi/actions@" in step.get("uses", ""))
    built = (ROOT / "tests" / "toolchain" / "languages" / "go.mod").read_text()

    assert f"github.com/pulumi/pulumi/pkg/v3 v{inputs['pulumi-version']}\n" in built


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_that_a_comment_names_is_there(name: str) -> None:
    assert set(re.findall(r"`(\w+\.yml)`", text_of(name))) <= set(NAMES)


def test_a_pull_request_from_a_fork_is_checked_without_a_secret() -> None:
    (job,) = jobs_of("checks.yml")

    assert "secrets." not in text_of("checks.yml")
    assert "if" not in job
    assert [step["run"] for step in job["steps"] if "run" in step] == [".ci/run"]
