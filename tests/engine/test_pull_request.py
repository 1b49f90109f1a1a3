"""What a pull request and a merge do: the commands of the two workflows, read from them, run as a runner runs them."""

import re
import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from heroku_changeover.terms.order import STEPS
from kit.checkout import ROOT
from local_heroku.launcher import LocalHeroku

from .conftest import Operator

pytestmark = [pytest.mark.engine, pytest.mark.timeout(240)]
CI = {"CI": "true", "GITHUB_ACTIONS": "true", "TERM": "dumb"}
LONGEST_COMMENT = 64_000
"""Characters; pulumi/actions cuts off what is longer."""

OPTIONS = {"suppress-progress": "--suppress-progress", "diff": "--diff", "refresh": "--refresh"}
"""Inputs of pulumi/actions that are options of the command, as the action hands them on."""

AROUND = {"command", "stack-name", "comment-on-pr", "always-include-summary", "pulumi-version"}
"""Inputs that say which command it is and what becomes of what it prints."""

BY_THE_ACTION = {"up": ["--yes", "--skip-preview"], "preview": []}
"""What the action adds by itself, because nobody is there who could say yes."""


def steps_of(workflow: str) -> list[dict[str, Any]]:
    """The steps of the only job of a workflow."""
    text = (ROOT / ".github" / "workflows" / f"{workflow}.yml").read_text()
    (job,) = yaml.safe_load(text)["jobs"].values()
    return list(job["steps"])


def command_of(workflow: str) -> list[str]:
    """The words after `pulumi` with which the action of a workflow runs it; an input that is not known here fails."""
    (inputs,) = (step["with"] for step in steps_of(workflow) if step.get("uses", "").startswith("pulumi/actions@"))
    options = [OPTIONS[name] for name, value in inputs.items() if name not in AROUND and value is True]
    assert set(inputs) <= AROUND | set(OPTIONS), inputs
    return [inputs["command"], *BY_THE_ACTION[inputs["command"]], *options]


def run_where_it_fails(operator: Operator, folder: Path) -> str:
    """Runs what the preview's workflow does after a failure; returns the comment that it hands to GitHub's CLI."""
    (script,) = (step["run"] for step in steps_of("preview") if step.get("if") == "failure()")
    gh = folder / "gh"
    gh.write_text(
        '#!/bin/sh\nfor last; do :; done\necho "$*" > "$RUNNER_TEMP/asked"\ncp "$last" "$RUNNER_TEMP/posted"\n'
    )
    gh.chmod(0o755)
    variables = operator.stack.variables(CI)
    path = f"{folder}:{operator.stack.toolchain.folder}:{variables['PATH']}"
    given = {"PATH": path, "RUNNER_TEMP": str(folder), "STACK": operator.stack.name, "PULL_REQUEST": "7"}
    finished = subprocess.run(
        ["bash", "-e", "-c", script],
        cwd=operator.stack.project,
        env={**variables, **given},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=120,
        check=False,
    )
    assert finished.returncode == 0, finished
    assert (folder / "asked").read_text().startswith("pr comment 7 --body-file")
    return (folder / "posted").read_text()


def runbook_in(comment: str) -> list[str]:
    """The numbered sentences, each without its number, which have to count from 1."""
    numbered = re.findall(r"^ +(\d+)\. (.*)$", comment, re.MULTILINE)
    assert [int(number) for number, _ in numbered] == list(range(1, len(numbered) + 1)), comment
    return [sentence for _, sentence in numbered]


@pytest.fixture
def admin(operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]) -> str:
    """A second app on the same database; both have adopted it, and another plan is in config, no more."""
    name: str = heroku.create_app(new_name(), web=1, share=operator.app["addon"])["name"]
    operator.stack.pulumi("config", "set", "--path", "apps[0]", name, check=True)
    operator.adopt()
    operator.config("plan", "standard-2")
    return name


@pytest.fixture
def comment(operator: Operator, heroku: LocalHeroku, admin: str) -> str:
    """What the action puts into its comment on a changed plan with findings: the command's standard output."""
    heroku.patch(f"/_control/apps/{operator.name}", {"features": {"preboot": True}, "services": ["scheduler"]})
    return operator.stack.pulumi(*command_of("preview"), env=CI, check=True).stdout


def test_the_comment_tells_the_whole_runbook_with_its_apps_and_plans_and_findings(
    operator: Operator, admin: str, comment: str
) -> None:
    old, new, both = operator.app["addon"], f"{operator.name}-db-2", f"{operator.name} and {admin}"
    told = [
        *(re.escape(f"{step}: ") for step in ("database", *STEPS)),
        "An error before the unfollow",
        f"{old} stays, ",
    ]

    sentences = runbook_in(comment)

    assert [bool(re.match(start, sentence)) for start, sentence in zip(told, sentences, strict=True)] == [True] * 8
    assert f"{operator.name}, {admin} move from {old} (standard-0) to {new} (standard-2):" in comment
    assert f"{new} is created on standard-2 as a follower of {old} (standard-0)" in sentences[0]
    assert [both in sentence for sentence in sentences[2:6]] == [True] * 4
    assert all(f"warning: [{finding}]" in comment for finding in ("preboot", "scheduler"))


def test_the_comment_says_what_stays_with_the_whole_command_that_removes_it_and_is_not_cut_off(
    operator: Operator, comment: str
) -> None:
    assert f"{operator.app['addon']} stays, read-only and paid for, until this removes it" in comment
    (removal,) = re.findall(r"^ {7}(pulumi destroy .*)$", comment, re.MULTILINE)
    named = [urn.rpartition("::")[2] for urn in shlex.split(removal)[3:-2:2]]
    assert named == ["db-1", "db-1-database", "db-1-retire-guard"]
    assert removal.endswith(f" --message 'remove {operator.app['addon']}'")
    assert len(comment) < LONGEST_COMMENT


def test_the_preview_in_the_readme_is_what_the_code_prints(operator: Operator, heroku: LocalHeroku) -> None:
    operator.adopt()
    operator.config("plan", "standard-2")
    heroku.patch(f"/_control/apps/{operator.name}", {"features": {"preboot": True}})

    shown = operator.stack.pulumi(*command_of("preview"), env=CI, check=True).stdout

    pasted = (ROOT / "README.md").read_text().split("<!-- preview -->\n```text\n")[1].split("```\n<!-- /preview -->")[0]
    for found, name in ((operator.app["addon"], "postgresql-round-12345"), (operator.name, "shop")):
        shown = shown.replace(found, name)
    assert lines_of(re.sub(r"\btest\b", "sandbox", shown)) == lines_of(pasted)


def lines_of(shown: str) -> list[str]:
    """The lines without their order, which is that of events."""
    return sorted(line.rstrip() for line in shown.splitlines() if line.strip() and not line.startswith("@"))


def test_a_preview_that_fails_is_commented_with_the_finding_that_made_it_fail(
    operator: Operator, heroku: LocalHeroku, tmp_path: Path
) -> None:
    operator.adopt()
    operator.config("plan", "standard-2")
    heroku.patch(f"/_control/databases/{operator.app['addon']}", {"rows": {"Data Size": ["900 GB / 64 GB"]}})
    before = operator.writes()

    failed = operator.stack.pulumi(*command_of("preview"), env=CI)
    comment = run_where_it_fails(operator, tmp_path)

    assert failed.code != 0, failed
    assert "`pulumi preview` fails" in comment
    assert "[target-too-small]" in comment
    assert "Traceback" not in comment
    assert heroku.token not in comment
    assert operator.writes() == before


def test_the_merge_changes_the_plan_without_a_terminal(operator: Operator, heroku: LocalHeroku) -> None:
    operator.adopt()
    operator.config("plan", "standard-2")

    merged = operator.stack.pulumi(*command_of("deploy"), env=CI, check=True)

    assert heroku.primary(operator.name) == f"{operator.name}-db-2", merged
    assert operator.is_as_found()
