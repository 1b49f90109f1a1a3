"""What the driver promises whoever uses it for tests and for the demo."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from toolchain import PROGRAMS, Failed, Overrun, Refused, Stack, Toolchain

PULUMI = """#!/bin/sh
echo "arguments: $@"
echo "standard input: $(/bin/cat)"
case "$*" in
  *fail*) exit 3 ;;
  *hang*) exec /bin/sleep 60 ;;
esac
"""


@pytest.fixture
def stack(tmp_path: Path) -> Stack:
    """Return a stack on an engine that shows what it is given."""
    folder = tmp_path / "toolchain"
    folder.mkdir()
    for name in PROGRAMS:
        (folder / name).write_text(PULUMI)
        (folder / name).chmod(0o755)
    return Stack(Toolchain(folder, "given"), tmp_path, tmp_path / "home", tmp_path / "state")


@pytest.mark.parametrize("url", ["https://api.heroku.com", "http://10.0.0.1:5000", "http://127.0.0.1.example.org", ""])
def test_the_engine_is_not_started_with_a_heroku_that_is_elsewhere(stack: Stack, url: str) -> None:
    with pytest.raises(Refused, match="not a loopback address"):
        stack.start("preview", env={"HEROKU_API_URL": url})


@pytest.mark.parametrize("url", ["http://127.0.0.1:5000", "http://localhost:5000", "http://[::1]:5000"])
def test_a_heroku_on_this_machine_will_do(stack: Stack, url: str) -> None:
    assert stack.variables({"HEROKU_API_URL": url})["HEROKU_API_URL"] == url


def test_without_a_heroku_the_engine_is_led_nowhere(stack: Stack) -> None:
    assert stack.variables()["HEROKU_API_URL"] == "http://127.0.0.1:9"


def test_pip_is_kept_from_asking_its_index(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PIP_DISABLE_PIP_VERSION_CHECK", raising=False)

    assert stack.variables()["PIP_DISABLE_PIP_VERSION_CHECK"] == "1"


def test_nothing_of_the_callers_own_heroku_and_pulumi_gets_in(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HEROKU_API_KEY", "real")
    monkeypatch.setenv("HEROKU_API_URL", "https://api.heroku.com")
    monkeypatch.setenv("PULUMI_ACCESS_TOKEN", "real")

    variables = stack.variables()

    assert "real" not in variables.values()
    assert "https://api.heroku.com" not in variables.values()


def test_a_config_value_goes_through_stdin_and_into_no_argument(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = stack.pulumi("config", "set", "--secret", "key", stdin="hunter2").stdout

    assert "hunter2" not in shown.split("standard input:")[0]
    assert "standard input: hunter2" in shown


def test_a_failure_that_was_not_wanted_shows_what_was_printed(stack: Stack) -> None:
    assert stack.pulumi("fail").code == 3
    with pytest.raises(Failed, match=r"exit code 3\n--- stdout\narguments: .* fail"):
        stack.pulumi("fail", check=True)


def test_a_run_that_does_not_end_in_time_is_ended_and_shown(stack: Stack) -> None:
    with pytest.raises(Overrun, match=r"still running after 1 s(?s:.*)arguments: .* hang"):
        stack.pulumi("hang", timeout=1)


def test_a_run_that_is_interrupted_leaves_no_engine_behind(stack: Stack, monkeypatch: pytest.MonkeyPatch) -> None:
    started: list[subprocess.Popen[str]] = []
    start = stack.start

    def interrupted(*words: Any, **options: Any) -> "subprocess.Popen[str]":
        started.append(start(*words, **options))
        monkeypatch.setattr(started[0], "communicate", press_ctrl_c)
        return started[0]

    def press_ctrl_c(*_: object) -> None:
        monkeypatch.undo()
        raise KeyboardInterrupt

    monkeypatch.setattr(Stack, "start", lambda _, *words, **options: interrupted(*words, **options))
    with pytest.raises(KeyboardInterrupt):
        stack.pulumi("hang")

    assert started[0].poll() is not None


def test_the_plugins_are_installed_ones_of_the_stacks_home(stack: Stack) -> None:
    stack.pulumi("preview")

    links = sorted(str(path.relative_to(stack.home)) for path in stack.home.glob("plugins/*/*"))
    assert links == [
        "plugins/resource-command-v1.2.1/pulumi-resource-command",
        "plugins/resource-heroku-v1.0.4/pulumi-resource-heroku",
    ]
