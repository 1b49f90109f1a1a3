"""The keeper, `status` and `recover`: an app is brought back by whoever is left."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
import psycopg
import pytest

from heroku_changeover.terms.order import STEPS
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

from .lost_runs import break_behind_the_seal, by_hand, exported, keeper_of, lose_the_machine, run_until, started

pytestmark = pytest.mark.steps


@pytest.mark.parametrize("last", ["maintenance-on", "scale-down"])
def test_a_run_that_is_killed_in_the_window_leaves_the_app_as_it_was(
    operator: Operator, heroku: LocalHeroku, last: str
) -> None:
    with run_until(operator, last) as run:
        assert operator.app()["maintenance"]
        run.kill()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None)

    assert operator.is_as_found()


@pytest.mark.parametrize("program", ["heroku-changeover", "python3 -m heroku_changeover"])
def test_a_keeper_is_started_by_a_step_that_was_found_by_relative_paths_in_a_folder_of_the_users_own(
    operator: Operator, tmp_path: Path, program: str
) -> None:
    folder = tmp_path / "project" / "stacks"
    folder.mkdir(parents=True)
    (tmp_path / "project" / ".venv").symlink_to(sys.prefix, target_is_directory=True)
    if program == "heroku-changeover":  # `python3 -m` reads from the folder where it is typed
        (folder / "select.py").write_text("raise ImportError('a module of the user, named as one of the library')")

    for step in STEPS:
        words = shlex.join(operator.words(step)[2:])
        done = subprocess.run(
            ["/bin/sh", "-c", f'PATH="../.venv/bin:$PATH"; exec {program} {words}'],
            cwd=folder,
            env={**operator.environment, "HEROKU_CHANGEOVER_HOME": os.path.relpath(operator.home, folder)},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, f"{step}: {done.stderr}"
        operator.document = done.stdout.strip()
        if step == "maintenance-on":
            assert keeper_of(operator)

    assert operator.heroku.primary(operator.apps[0]) == operator.follower


@pytest.mark.timeout(180)
@pytest.mark.parametrize(("step", "path"), [("maintenance-on", ""), ("scale-down", "/formation")])
def test_a_write_that_is_carried_out_after_its_run_was_killed_does_not_leave_the_app_down(
    operator: Operator, heroku: LocalHeroku, step: str, path: str
) -> None:
    heroku.fault("delay", f"/apps/{operator.apps[0]}{path}", method="PATCH", seconds=4)
    seen = heroku.counted("events")
    with started(operator, step) as run:
        heroku.wait_until("the write to be sent", lambda: "fault" in {e["what"] for e in heroku.events(seen)})
        for process in psutil.Process(run.pid).children():
            process.kill()
        run.kill()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None, 90)

    went_down = [e for e in heroku.events(seen) if e["what"] in {"maintenance", "scaled"}]
    assert len(went_down) >= 2, "the write was never carried out, or never undone"
    assert operator.is_as_found()


def test_a_run_that_is_killed_after_the_promotion_is_finished_forward(operator: Operator, heroku: LocalHeroku) -> None:
    with run_until(operator, "promote") as run:
        run.kill()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None)

    name = operator.apps[0]
    assert heroku.primary(name) == operator.follower
    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]


def test_the_report_of_a_window_that_a_keeper_closed_tells_how_long_it_was_open(
    operator: Operator, heroku: LocalHeroku
) -> None:
    with run_until(operator, "promote") as run:
        run.kill()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None)
    closed = json.loads(next(operator.home.rglob("*.last.json")).read_text())["window"]["moments"]["serving"]
    assert operator.run("restore")[0] == 0

    assert json.loads(operator.document)["moments"]["serving"] == closed


def test_the_keeper_ends_when_the_window_is_closed(operator: Operator, heroku: LocalHeroku) -> None:
    with run_until(operator, "restore"):
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None)

    assert "the window was closed" in next(operator.home.rglob("*.log")).read_text()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_the_keeper_outlives_a_signal_that_asks_it_to_end(
    operator: Operator, heroku: LocalHeroku, number: signal.Signals
) -> None:
    """Whoever ends a run may ask all its processes to end, while the app is down."""
    with run_until(operator, "maintenance-on") as run:
        keeper = keeper_of(operator)
        assert keeper is not None
        keeper.send_signal(number)
        run.kill()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None)

    assert operator.is_as_found()


def test_the_keeper_is_in_a_session_of_its_own_and_holds_no_stream(operator: Operator) -> None:
    """A Ctrl-C reaches every process of a session, and the engine waits for whoever holds a stream of its command."""
    with run_until(operator, "maintenance-on") as run:
        keeper = keeper_of(operator)
        assert keeper is not None
        assert os.getsid(keeper.pid) == keeper.pid != os.getsid(run.pid)
        streams = [Path(f"/proc/{keeper.pid}/fd/{n}").readlink() for n in range(3)]

    assert streams == [Path("/dev/null")] * 3


def test_the_keeper_holds_no_secret_in_its_command_line(operator: Operator, heroku: LocalHeroku) -> None:
    with run_until(operator, "maintenance-on"):
        keeper = keeper_of(operator)
        assert keeper is not None
        words = keeper.cmdline()

    assert words[1:] == ["-P", "-m", "heroku_changeover", "keep", "--app", operator.apps[0]]


def test_the_keeper_goes_on_trying_while_heroku_is_down(operator: Operator, heroku: LocalHeroku) -> None:
    with run_until(operator, "scale-down") as run:
        heroku.fault("status", "/apps/.*", status=503, times=100_000)
        run.kill()
        heroku.wait_until("a try that failed", lambda: "not yet" in next(operator.home.rglob("*.log")).read_text(), 60)
        heroku.clear_faults()
        heroku.wait_until("the keeper to end", lambda: keeper_of(operator) is None, 60)

    assert operator.is_as_found()


def test_no_app_goes_into_maintenance_where_nothing_can_be_remembered(operator: Operator, tmp_path: Path) -> None:
    """Nobody could tell later how the app was found."""
    (tmp_path / "a-file").touch()
    operator.home = tmp_path / "a-file"

    code, said = operator.run("await-database")

    assert code == 30
    assert "HEROKU_CHANGEOVER_HOME" in said


def test_one_changeover_at_a_time_is_at_work_on_an_app(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("maintenance-on")
    heroku.post(f"/apps/{operator.apps[0]}/dynos", {"command": "sleep 60"})
    first = operator.start("scale-down")
    operator.read_until(first, "waiting for the one-off dynos")
    second = operator.start("scale-down")
    seen = second.stderr.readline() if second.stderr else ""
    first.kill()
    first.communicate()
    second.send_signal(signal.SIGTERM)
    second.communicate()

    assert "scale-down" in seen
    assert "is at work on it" in seen


def test_status_tells_where_a_changeover_is(operator: Operator) -> None:
    with run_until(operator, "scale-down"):
        code, shown, _ = by_hand(operator, "status", "--app", operator.apps[0])

    assert code == 0
    assert re.search(rf"{operator.apps[0]}\s.*{operator.leader}.*on", shown)
    assert "db-2 is open" in shown
    assert "a run of Pulumi, a keeper" in shown


def test_status_is_json_for_scripts(operator: Operator) -> None:
    with run_until(operator, "scale-down"):
        _, shown, _ = by_hand(operator, "status", "--app", operator.apps[0], "--json")

    told: dict[str, Any] = json.loads(shown)
    assert told["apps"][0]["maintenance"]
    assert told["apps"][0]["found"]["formation"] == {"web": 2, "worker": 1}
    assert {d["name"]: d["role"] for d in told["databases"]} == {
        operator.leader: "primary",
        operator.follower: "follower",
    }
    assert told["keeper"]
    assert told["window"]["engine"]


def test_status_of_an_app_that_nobody_works_on_says_so(operator: Operator) -> None:
    code, shown, _ = by_hand(operator, "status", "--app", operator.apps[0])

    assert code == 0
    assert "none is open on this machine" in shown


def test_status_of_an_app_that_is_down_without_a_record_says_how_to_bring_it_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    heroku.patch(f"/apps/{operator.apps[0]}", {"maintenance": True})
    _, shown, _ = by_hand(operator, "status", "--app", operator.apps[0])

    assert f"recover --app {operator.apps[0]}" in " ".join(shown.split())


def test_a_damaged_record_of_another_app_stops_neither_status_nor_recover(operator: Operator) -> None:
    lose_the_machine(operator, "scale-down")
    (next(operator.home.rglob("*.window.json")).parent / "another-app.window.json").write_text("{")

    status = by_hand(operator, "status", "--app", operator.apps[0])
    recover = by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

    assert (status[0], recover[0]) == (0, 0), recover[2]
    assert all("another-app.window.json" in said for said in (status[2], recover[2]))
    assert operator.is_as_found()


def test_recover_brings_an_app_back_when_nobody_is_left(operator: Operator) -> None:
    lose_the_machine(operator, "scale-down")

    code, _, said = by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

    assert code == 0, said
    assert "This will bring" in said
    assert operator.is_as_found()


def test_recover_finishes_forward_after_the_unfollow(operator: Operator, heroku: LocalHeroku) -> None:
    lose_the_machine(operator, "promote")

    code, _, said = by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

    assert code == 0, said
    assert heroku.primary(operator.apps[0]) == operator.follower
    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 1}


def test_recover_can_be_run_twice(operator: Operator) -> None:
    lose_the_machine(operator, "scale-down")
    by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

    code, _, said = by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

    assert code == 0
    assert "nothing to do" in said


def test_recover_asks_before_it_does_anything(operator: Operator) -> None:
    lose_the_machine(operator, "scale-down")

    code, _, said = by_hand(operator, "recover", "--app", operator.apps[0])

    assert code == 30
    assert "add --yes" in said
    assert operator.app()["maintenance"]


def test_recover_leaves_a_living_run_alone(operator: Operator) -> None:
    with run_until(operator, "scale-down"):
        code, _, said = by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

        assert code == 30
        assert "is alive" in said
        assert operator.app()["maintenance"]


def test_status_on_another_machine_shows_the_formation_against_the_stacks_state(
    operator: Operator, tmp_path: Path
) -> None:
    lose_the_machine(operator, "scale-down")
    operator.home = tmp_path / "another-machine"
    (tmp_path / "state.json").write_text(exported(operator))

    code, shown, said = by_hand(operator, "status", "--app", operator.apps[0], "--state", str(tmp_path / "state.json"))

    assert code == 0, said
    assert re.search(r"web 0, worker 0\s+web 2, worker 1", shown)
    assert "db-2 is open by the stack's state" in shown
    assert f"recover --app {operator.apps[0]} --state" in shown


def test_status_says_when_the_stacks_state_tells_of_no_open_window(operator: Operator) -> None:
    state = '{"deployment": {"resources": []}}'

    code, shown, said = by_hand(operator, "status", "--app", operator.apps[0], "--state", "-", stdin=state)

    assert code == 0, said
    assert "none is open on this machine, nor by the stack's state" in shown


def test_recover_from_a_stacks_state_can_be_run_twice(operator: Operator, tmp_path: Path) -> None:
    lose_the_machine(operator, "scale-down")
    operator.home = tmp_path / "another-machine"
    words = ("recover", "--app", operator.apps[0], "--state", "-", "--yes")
    by_hand(operator, *words, stdin=exported(operator))

    code, _, said = by_hand(operator, *words, stdin=exported(operator))

    assert code == 0, said
    assert "nothing to do" in said


def test_recover_brings_an_app_back_on_the_database_that_a_later_changeover_gave_it(
    operator: Operator, heroku: LocalHeroku
) -> None:
    lose_the_machine(operator, "scale-down")
    name = operator.apps[0]
    later = heroku.follow(name, operator.leader, "standard-2", f"{name}-db-3")
    heroku.put(f"/client/v11/databases/{later}/unfollow")
    path = f"/client/v11/databases/{later}/wait_status"
    heroku.wait_until("the unfollow", lambda: not heroku.get(path)["waiting?"])
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    heroku.post("/addon-attachments", {"addon": later, "app": name, "name": "DATABASE", "confirm": name})

    code, _, said = by_hand(operator, "recover", "--app", name, "--yes")

    assert code == 0, said
    assert "a later changeover" in said
    assert heroku.primary(name) == later
    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]


def test_recover_on_another_machine_reads_the_stacks_state(
    operator: Operator, tmp_path: Path, heroku: LocalHeroku
) -> None:
    lose_the_machine(operator, "scale-down")
    state = exported(operator)
    operator.home = tmp_path / "another-machine"

    code, _, said = by_hand(operator, "recover", "--app", operator.apps[0], "--state", "-", "--yes", stdin=state)

    assert code == 0, said
    assert operator.is_as_found()


def test_recover_without_any_record_asks_how_the_app_was(operator: Operator, tmp_path: Path) -> None:
    lose_the_machine(operator, "scale-down")
    operator.home = tmp_path / "another-machine"
    asked = by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

    told = by_hand(operator, "recover", "--app", operator.apps[0], "--yes", "--was", "web=2", "--was", "worker=1")

    assert asked[0] == 40
    assert "--was web=2" in asked[2]
    assert told[0] == 0, told[2]
    assert operator.is_as_found()


def test_recover_does_not_promote_a_database_that_may_lack_a_write(
    operator: Operator, heroku: LocalHeroku, guard: Callable[..., tuple[int, str]]
) -> None:
    break_behind_the_seal(operator)
    record = next(operator.home.rglob("*.window.json"))
    record.write_text(re.sub(r'"engine": \[.*?\]', '"engine": []', record.read_text(), flags=re.DOTALL))
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as late:
        late.execute("SET default_transaction_read_only = off")
        late.execute("SELECT pg_current_xact_id()")

    code, _, said = by_hand(operator, "recover", "--app", operator.apps[0], "--yes")

    assert code == 40
    assert "pulumi destroy --target 'urn:pulumi:*::*::**heroku-postgres:index:Generation::db-2'" in said
    assert operator.is_as_found()
    with psycopg.connect(heroku.database_url(operator.leader)) as session:
        session.execute("INSERT INTO orders (reference, source) VALUES ('after', 'after')")
