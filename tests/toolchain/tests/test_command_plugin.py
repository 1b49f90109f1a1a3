"""
What the product leans on in the command plugin, through the real engine.

One stack goes through its life: a preview, a first update, an update with changes, one with failures, a destroy.
"""

import re
from dataclasses import dataclass

import pytest

from toolchain import Finished, Toolchain
from toolchain.tests.bench import Bench, State, is_secret

pytestmark = pytest.mark.toolchain

FIRST = """
from pathlib import Path

import pulumi
from pulumi_command.local import Command, Logging

says = Command("says", create="echo create >> ran-says; printf 'one\\\\n\\\\n'; echo two >&2")
says.stdout.apply(lambda text: Path("known").write_text(text))
Command("environment", environment={"A": "resource", "B": "resource"}, create='echo "$A $B $C"')
Command("bare", create='echo $0; pwd; wc -c')
Command("typed", interpreter=["/bin/cat"], create="/dev/stdin", stdin="typed in")
Command("elsewhere", dir="..", create="pwd")
Command("only-delete", delete="echo delete >> ran-only-delete")
Command("secret", environment={"TOKEN": pulumi.Output.secret("hunter2")}, create='echo ${#TOKEN}')
for way in Logging:
    Command(f"logs-{way.value}", logging=way, create=f"echo out-{way.value}; echo err-{way.value} >&2")

n = {"N": "1"}
Command("rerun", environment=n, create='echo "$N $PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR"; echo e >&2')
Command("updated", environment=n, create="echo created", update='echo "updated after $PULUMI_COMMAND_STDOUT"')
Command("quiet", environment=n, create='echo "<$PULUMI_COMMAND_STDOUT>"', add_previous_output_in_env=False)
Command("fails-to-update", environment=n, create='echo was $N; test "$N" != 3')
Command(
    "one-shot", environment=n, create="echo create >> ran-one-shot",
    opts=pulumi.ResourceOptions(ignore_changes=["environment"]),
)
Command(
    "triggered", triggers=["first"], create='echo "create <$PULUMI_COMMAND_STDOUT>" >> ran-triggered; echo x',
    delete="echo delete >> ran-triggered",
)
Command(
    "deleted", environment={"WORD": "stored"}, create="echo output; echo error >&2",
    delete='echo "$WORD $PULUMI_COMMAND_STDOUT $PULUMI_COMMAND_STDERR" >> ran-deleted',
)
Command("kept", create="true", delete="exit 4")
"""
SECOND = FIRST.replace('n = {"N": "1"}', 'n = {"N": "2"}').replace('triggers=["first"]', 'triggers=["second"]')
BROKEN = (
    SECOND.replace('"fails-to-update", environment=n', '"fails-to-update", environment={"N": "3"}')
    + """
Command("fails", create='echo a word on stdout; echo "a word on stderr" >&2; exit 3')
"""
)


@dataclass(frozen=True)
class Stage:
    """What one run of the engine printed and left: the state, and the lines of each file that commands wrote."""

    run: Finished
    state: State
    ran: dict[str, list[str]]

    def stdout(self, name: str) -> str:
        """Return the stdout that is stored for a command."""
        return str(self.state[name]["outputs"]["stdout"])


def stage(bench: Bench, run: Finished) -> Stage:
    """Look at what a run left."""
    files = {path.name: path.read_text().splitlines() for path in bench.project.glob("ran-*")}
    return Stage(run, bench.state(), files)


@pytest.fixture(scope="module")
def bench(toolchain: Toolchain, tmp_path_factory: pytest.TempPathFactory) -> Bench:
    """Return a stack whose engine runs with B and C in its environment."""
    bench = Bench(toolchain, tmp_path_factory.mktemp("command"), {"B": "ambient", "C": "ambient"})
    bench.program(FIRST)
    return bench


@pytest.fixture(scope="module")
def left_by_preview(bench: Bench) -> list[str]:
    """Preview the first program; return the files that something wrote into the project meanwhile."""
    before = set(bench.project.iterdir())
    bench.stack.pulumi("preview", check=True)
    return sorted(path.name for path in set(bench.project.iterdir()) - before if path.name != "__pycache__")


@pytest.fixture(scope="module")
def first(bench: Bench, left_by_preview: list[str]) -> Stage:
    """Create everything."""
    return stage(bench, bench.up())


@pytest.fixture(scope="module")
def second(bench: Bench, first: Stage) -> Stage:
    """Change an input of many of them."""
    bench.program(SECOND)
    return stage(bench, bench.up())


@pytest.fixture(scope="module")
def broken(bench: Bench, second: Stage) -> Stage:
    """Let one create and one update fail."""
    bench.program(BROKEN)
    return stage(bench, bench.up("--continue-on-error", check=False))


@pytest.fixture(scope="module")
def destroyed(bench: Bench, broken: Stage) -> Stage:
    """Destroy everything, with another program in place and one command that refuses."""
    bench.program("raise SystemExit('a destroy does not run the program')")
    return stage(bench, bench.destroy("--continue-on-error"))


def test_a_preview_starts_no_process_and_leaves_outputs_unknown(left_by_preview: list[str]) -> None:
    assert left_by_preview == []


def test_create_keeps_both_streams_without_one_trailing_newline(first: Stage) -> None:
    outputs = first.state["says"]["outputs"]

    assert (outputs["stdout"], outputs["stderr"]) == ("one\n", "two")


def test_only_inputs_that_are_given_are_stored(first: Stage) -> None:
    assert first.state["says"]["inputs"].keys() == {"create"}
    assert first.state["says"]["outputs"].keys() == {"create", "stdout", "stderr"}


def test_an_id_is_the_name_and_eight_hex_digits(first: Stage) -> None:
    assert re.fullmatch(r"says[0-9a-f]{8}", first.state["says"]["id"])


def test_the_environment_is_the_engines_with_the_resources_on_top(first: Stage) -> None:
    assert first.stdout("environment") == "resource resource ambient"


def test_a_bare_command_runs_in_a_shell_in_the_programs_folder_with_no_stdin(first: Stage, bench: Bench) -> None:
    assert first.stdout("bare").split() == ["/bin/sh", str(bench.project), "0"]


def test_interpreter_stdin_and_dir_are_followed(first: Stage, bench: Bench) -> None:
    assert first.stdout("typed") == "typed in"
    assert first.stdout("elsewhere") == str(bench.project.parent)


def test_a_command_without_create_does_nothing(first: Stage) -> None:
    assert "only-delete" in first.state
    assert "ran-only-delete" not in first.ran


def test_a_secret_in_the_environment_is_stored_encrypted_and_not_printed(first: Stage) -> None:
    stored = first.state["secret"]

    assert is_secret(stored["inputs"]["environment"]) or is_secret(stored["inputs"]["environment"]["TOKEN"])
    assert is_secret(stored["outputs"]["environment"]) or is_secret(stored["outputs"]["environment"]["TOKEN"])
    assert stored["outputs"]["stdout"] == "7"
    assert "hunter2" not in first.run.stdout + str(first.state)


@pytest.mark.parametrize(
    ("logging", "logged"),
    [
        ("stdoutAndStderr", {"out-stdoutAndStderr", "err-stdoutAndStderr"}),
        ("stdout", {"out-stdout"}),
        ("stderr", {"err-stderr"}),
        ("none", set()),
    ],
)
def test_logging_decides_which_stream_is_shown_while_it_runs(first: Stage, logging: str, logged: set[str]) -> None:
    shown = re.findall(rf"command:local:Command logs-{logging} .*?((?:out|err)-\w+)$", first.run.stdout, re.MULTILINE)

    assert set(shown) == logged, first.run


def test_what_is_logged_is_not_repeated_in_the_diagnostics(first: Stage) -> None:
    assert "Diagnostics:" not in first.run.stdout or "out-" not in first.run.stdout.split("Diagnostics:")[1]


def test_a_changed_input_runs_create_again_with_the_previous_output(first: Stage, second: Stage) -> None:
    assert first.stdout("rerun") == "1  "
    assert second.stdout("rerun") == "2 1   e"


def test_update_runs_in_place_of_create_where_there_is_one(first: Stage, second: Stage) -> None:
    assert second.stdout("updated") == "updated after created"
    assert second.state["updated"]["id"] == first.state["updated"]["id"]


def test_previous_output_stays_out_of_the_environment_on_demand(second: Stage) -> None:
    assert second.stdout("quiet") == "<>"


def test_a_changed_trigger_creates_anew_then_deletes(first: Stage, second: Stage) -> None:
    assert second.ran["ran-triggered"] == ["create <>", "create <>", "delete"]
    assert second.state["triggered"]["id"] != first.state["triggered"]["id"]


def test_an_unchanged_command_and_an_ignored_change_run_nothing(second: Stage) -> None:
    assert second.ran["ran-says"] == ["create"]
    assert second.ran["ran-one-shot"] == ["create"]


def test_a_failed_create_stores_nothing(broken: Stage) -> None:
    assert broken.run.code != 0
    assert "fails" not in broken.state


def test_the_error_has_exit_status_command_and_both_streams(broken: Stage) -> None:
    said = broken.run.stdout + broken.run.stderr

    assert "exit status 3" in said
    assert r'"echo a word on stdout; echo \"a word on stderr\" >&2; exit 3"' in said
    assert "a word on stdout\n" in said
    assert "a word on stderr\n" in said


def test_a_failed_update_keeps_inputs_and_outputs_as_they_were(broken: Stage) -> None:
    kept = broken.state["fails-to-update"]

    assert kept["inputs"]["environment"] == {"N": "2"}
    assert kept["outputs"]["stdout"] == "was 2"


def test_delete_runs_what_is_stored_with_the_last_output(destroyed: Stage) -> None:
    assert destroyed.ran["ran-deleted"] == ["stored output error"]
    assert destroyed.ran["ran-only-delete"] == ["delete"]


def test_a_failed_delete_stays_in_state(destroyed: Stage) -> None:
    assert destroyed.run.code != 0
    assert "kept" in destroyed.state
    assert "deleted" not in destroyed.state
