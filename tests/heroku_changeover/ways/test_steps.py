"""The five steps as processes, against real servers, real dynos and real requests."""

import json
import re
import signal
from collections.abc import Callable

import psycopg
import pytest

from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.order import STEPS
from kit.operator import Operator
from kit.rogue import rogue_on
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps


def test_the_five_steps_move_the_app_and_leave_it_as_it_was(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("restore")

    name = operator.apps[0]
    assert heroku.primary(name) == operator.follower
    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]
    assert heroku.get(f"/client/v11/databases/{operator.follower}")["following"] is None


def test_a_step_prints_one_line_of_json_and_speaks_on_stderr(operator: Operator) -> None:
    process = operator.start("await-database")
    stdout, stderr = process.communicate(timeout=100)

    assert process.returncode == 0, stderr
    assert len(stdout.splitlines()) == 1
    assert json.loads(stdout)["generation"] == "db-2"


def test_no_password_and_no_token_is_printed(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("restore")

    printed = operator.document + "".join(operator.said)
    urls = [heroku.database_url(name) for name in (operator.leader, operator.follower)]
    secrets = [heroku.token, *(url.split(":")[2].split("@")[0] for url in urls)]
    assert not [secret for secret in secrets if secret in printed]


def test_the_report_tells_what_every_step_took(operator: Operator) -> None:
    operator.run_until("restore")

    assert list(operator.facts["seconds"]) == sorted(STEPS)


def test_steps_that_are_done_can_be_run_again_and_change_nothing(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("restore")
    seen = heroku.counted("requests")

    codes = [operator.run(step)[0] for step in STEPS]

    assert codes == [0] * len(STEPS)
    assert not [r for r in heroku.requests(seen) if r["method"] != "GET"]


def test_the_old_database_is_read_only_afterwards_and_the_new_one_is_not(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("restore")

    with (
        psycopg.connect(heroku.database_url(operator.leader)) as old,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        old.execute("DELETE FROM customers")
    with psycopg.connect(heroku.database_url(operator.follower)) as new:
        assert new.execute("DELETE FROM customers").rowcount == 0


@pytest.mark.timeout(300)
@pytest.mark.parametrize("run", range(10))
def test_a_rogue_writer_on_the_old_url_loses_no_acknowledged_write(
    operator: Operator, heroku: LocalHeroku, run: int
) -> None:
    with rogue_on(heroku.database_url(operator.leader)) as rogue:
        operator.run_until("restore")

    assert len(rogue.acknowledged) > 100
    assert rogue.missing_on(heroku.database_url(operator.follower)) == set()
    assert "ReadOnlySqlTransaction" in rogue.refusals


def test_an_open_transaction_that_holds_a_table_is_ended(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    with psycopg.connect(heroku.database_url(operator.leader)) as holder:
        holder.execute("INSERT INTO orders (reference, source) VALUES ('held', 'holder')")
        code, said = operator.run("promote")

        assert code == 0, said
        with pytest.raises(psycopg.OperationalError):
            holder.execute("SELECT 1")


def test_the_tripwire_is_quiet_when_nobody_wrote(operator: Operator) -> None:
    """An alarm that rings for nothing is soon passed over."""
    operator.run_until("promote")

    assert operator.facts["tripwire_before"] == operator.facts["tripwire_after"]


def test_a_partitioned_table_is_locked_with_every_partition(operator: Operator) -> None:
    operator.run_until("promote")

    assert operator.facts["tables_locked"] == 5
    assert operator.facts["tables_not_locked"] == []


def test_dynos_boot_with_the_new_database_before_restore_begins(operator: Operator, heroku: LocalHeroku) -> None:
    """They need not wait for the next process to start: that would be a part of the outage."""
    operator.run_until("promote")

    assert operator.app()["maintenance"]
    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 1}
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_scaling_by_a_colleague_before_the_window_is_kept(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("await-database")
    name = operator.apps[0]
    heroku.patch(f"/apps/{name}/formation/web", {"quantity": 3, "size": "Standard-2X"})
    for step in STEPS[1:]:
        assert operator.run(step)[0] == 0

    assert heroku.quantities(name) == {"web": 3, "worker": 1}
    assert heroku.get(f"/apps/{name}/formation/web")["size"] == "Standard-2X"


def test_maintenance_mode_that_was_on_before_stays_on(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("await-database")
    name = operator.apps[0]
    document = json.loads(operator.document)
    document["apps"][name]["maintenance"] = True
    operator.document = json.dumps(document)
    heroku.patch(f"/apps/{name}", {"maintenance": True})
    for step in STEPS[1:]:
        assert operator.run(step)[0] == 0

    assert operator.app()["maintenance"]


def test_an_app_that_is_not_as_the_preview_saw_it_is_refused(operator: Operator, heroku: LocalHeroku) -> None:
    heroku.patch(f"/apps/{operator.apps[0]}", {"maintenance": True})

    code, said = operator.run("await-database")

    assert code == 30
    assert "not how the preview saw it" in said


def test_a_follower_that_does_not_catch_up_leaves_everything_as_it_was(operator: Operator, heroku: LocalHeroku) -> None:
    heroku.patch(f"/_control/databases/{operator.follower}", {"hold_replay": True})
    operator.extra = ("--ready-limit", "1")
    with rogue_on(heroku.database_url(operator.leader)) as rogue:
        heroku.wait_until("the leader to be far ahead", lambda: len(rogue.acknowledged) > 500)
        code, said = operator.run("await-database")
    heroku.patch(f"/_control/databases/{operator.follower}", {"hold_replay": False})

    assert code == 10
    assert "commits behind" in said
    assert operator.is_as_found()


def test_replay_that_stops_inside_the_window_puts_everything_back(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    heroku.patch(f"/_control/databases/{operator.follower}", {"hold_replay": True})
    code, said = operator.run_out_of_time("promote", Act.AWAIT_REPLAY)
    heroku.patch(f"/_control/databases/{operator.follower}", {"hold_replay": False})

    assert code == 10
    assert "bytes are missing" in said
    assert operator.is_as_found()
    assert heroku.get(f"/client/v11/databases/{operator.follower}")["following"]


def test_promote_waits_for_a_dyno_that_ignores_sigterm(
    heroku: LocalHeroku, new_name: Callable[[], str], operator: Operator
) -> None:
    heroku.patch("/_control/world", {"grace": 10})
    name = operator.apps[0]
    heroku.patch(f"/apps/{name}/config-vars", {"IGNORE_SIGTERM": "1"})
    heroku.wait_until("dynos that ignore it", lambda: _up(heroku, name) == 3)
    operator.run_until("scale-down")
    assert set(heroku.quantities(name).values()) == {0}

    code, said = operator.run("promote")

    assert code == 0
    assert f"waiting for the dynos of {name} to end:" in said


def _up(heroku: LocalHeroku, name: str) -> int:
    return sum(d["state"] == "up" for d in heroku.get(f"/apps/{name}/dynos") if d["state"] != "stopping")


def run_now(heroku: LocalHeroku, app: str, kind: str) -> None:
    """A one-off dyno that does not end by itself, of somebody's or of the Scheduler's."""
    if kind == "run":
        heroku.post(f"/apps/{app}/dynos", {"command": "sleep 60"})
    else:
        heroku.patch(f"/_control/apps/{app}", {"scheduled": "sleep 60"})


@pytest.mark.parametrize("kind", ["run", "scheduler"])
@pytest.mark.parametrize(("policy", "code"), [("wait", 10), ("stop", 0)])
def test_one_off_dynos_and_jobs_of_the_scheduler_are_waited_for_or_stopped_by_policy(
    operator: Operator, heroku: LocalHeroku, policy: str, code: int, kind: str
) -> None:
    operator.extra = ("--one-off-dynos", policy)
    operator.run_until("maintenance-on")
    run_now(heroku, operator.apps[0], kind)

    if policy == "wait":
        got, said = operator.run_out_of_time("scale-down", Act.AWAIT_ONE_OFFS, "waiting for the one-off dynos")
    else:
        got, said = operator.run("scale-down")

    assert got == code, said
    assert f"{kind}." in said
    assert operator.is_as_found() == (policy == "wait")
    left = [d["type"] for d in heroku.get(f"/apps/{operator.apps[0]}/dynos") if d["type"] == kind]
    assert left == ([kind] if policy == "wait" else [])


def test_a_follower_that_is_being_removed_is_refused_at_once(operator: Operator, heroku: LocalHeroku) -> None:
    heroku.patch("/_control/world", {"latency": {"deprovision": 60}})
    heroku.delete(f"/apps/{operator.apps[0]}/addons/{operator.follower}")

    code, said = operator.run("await-database")

    assert code == 30, said
    assert f"{operator.follower} is deprovisioning" in said
    assert operator.is_as_found()


def test_a_step_that_is_told_to_end_puts_everything_back(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("maintenance-on")
    heroku.post(f"/apps/{operator.apps[0]}/dynos", {"command": "sleep 60"})
    process = operator.start("scale-down")
    operator.read_until(process, "waiting for the one-off dynos")
    process.send_signal(signal.SIGTERM)
    code, said = operator.finish(process)

    assert code == 10
    assert "asked to end" in said
    assert operator.is_as_found()


def test_a_step_that_is_told_to_end_while_the_unfollow_is_under_way_does_not_put_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    heroku.patch("/_control/world", {"latency": {"unfollow": 1, "unfollowed": 1}})
    operator.run_until("scale-down")
    process = operator.start("promote")
    heroku.wait_until("the unfollow", lambda: any(e["what"] == "unfollow asked" for e in heroku.events()[-3:]))
    process.send_signal(signal.SIGTERM)
    code, said = operator.finish(process)

    assert code == 20, said
    assert operator.app()["maintenance"]
    assert [operator.run(step)[0] for step in STEPS[3:]] == [0, 0]
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_promote_re_enters_the_window_when_it_finds_the_app_serving(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    name = operator.apps[0]
    heroku.patch(
        f"/apps/{name}/formation", {"updates": [{"type": "web", "quantity": 2}, {"type": "worker", "quantity": 1}]}
    )
    heroku.patch(f"/apps/{name}", {"maintenance": False})
    for step in STEPS[3:]:
        code, said = operator.run(step)
        assert code == 0, said

    assert heroku.primary(name) == operator.follower
    assert "maintenance mode is on" in operator.said[-2]
    assert heroku.quantities(name) == {"web": 2, "worker": 1}


def test_an_unfollow_whose_answer_was_lost_is_resolved_by_looking(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    heroku.fault("reset_after", f"/client/v11/databases/{operator.follower}/unfollow", method="PUT")

    code, said = operator.run("promote")

    assert code == 0, said
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_an_unfollow_that_is_refused_puts_everything_back(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    path = f"/client/v11/databases/{operator.follower}/unfollow"
    heroku.fault("status", path, method="PUT", status=422, error_id="invalid_params")

    code, said = operator.run("promote")

    assert code == 10, said
    assert operator.is_as_found()


def test_a_failure_after_the_unfollow_goes_on_forward_the_next_time(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    operator.break_the_move(error_id="oops")
    code, said = operator.run("promote")

    assert code == 20, said
    assert "run `pulumi up` again" in said
    assert operator.run("promote")[0] == 0
    assert operator.run("restore")[0] == 0
    assert heroku.primary(operator.apps[0]) == operator.follower


def test_a_cut_off_database_is_not_promoted_once_the_leader_took_a_write(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    operator.break_the_move()
    assert operator.run("promote")[0] == 20
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as late:
        late.execute("SET default_transaction_read_only = off")
        late.execute("INSERT INTO orders (reference, source) VALUES ('late', 'late')")

    code, said = operator.run("promote")

    assert code == 40
    assert "may be a write" in said
    assert "To start over" in said
    assert operator.is_as_found()


def test_an_app_is_not_taken_down_for_a_database_that_cannot_be_promoted(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    operator.break_the_move()
    assert operator.run("promote")[0] == 20
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as late:
        late.execute("SET default_transaction_read_only = off")
        late.execute("SELECT pg_current_xact_id()")
    assert operator.run("promote")[0] == 40
    before = _maintenances(heroku, operator.apps[0])

    code, said = operator.run("promote")

    assert code == 40
    assert "stays the primary" in said
    assert _maintenances(heroku, operator.apps[0]) == before


def _maintenances(heroku: LocalHeroku, app: str) -> int:
    return sum(e["what"] == "maintenance" and e["app"] == app for e in heroku.events())


def test_a_late_writer_is_refused_by_the_old_database_while_promote_is_unfinished(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    operator.break_the_move()
    assert operator.run("promote")[0] == 20
    with (
        psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as late,
        pytest.raises(psycopg.errors.ReadOnlySqlTransaction),
    ):
        late.execute("INSERT INTO orders (reference, source) VALUES ('late', 'late')")

    assert operator.run("promote")[0] == 0


def test_a_failed_release_is_never_reported_as_success(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("scale-down")
    name = operator.apps[0]
    heroku.patch(f"/_control/apps/{name}", {"release": "false"})

    code, said = operator.run("promote")

    assert code == 20
    assert "failed" in said
    assert "heroku releases:output" in said


def test_a_release_phase_is_waited_for(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    operator.run_until("scale-down")
    heroku.patch(f"/_control/apps/{name}", {"release": "sleep 0.4"})
    code, said = operator.run("promote")

    assert code == 0, said
    assert "its release phase is running" in said
    statuses = [r["status"] for r in heroku.get(f"/apps/{name}/releases")]
    assert set(statuses) == {"succeeded"}


def test_names_a_person_chose_move_along_and_colours_stay(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    for chosen, namespace in (("READONLY", None), ("DATABASE_CONNECTION_POOL", "connection-pooling:default")):
        body = {"addon": operator.leader, "app": name, "name": chosen, "namespace": namespace}
        heroku.post("/addon-attachments", body)
    operator.run_until("restore")

    attached = {a["name"]: a["addon"]["name"] for a in heroku.get(f"/apps/{name}/addon-attachments")}
    assert attached["READONLY"] == attached["DATABASE_CONNECTION_POOL"] == operator.follower
    assert [n for n, addon in attached.items() if addon == operator.leader and n.startswith("HEROKU_POSTGRESQL_")]


def test_two_apps_on_one_database_move_together(
    heroku: LocalHeroku, operator: Operator, new_name: Callable[[], str]
) -> None:
    admin = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    operator.apps = (operator.apps[0], admin)
    operator.run_until("restore")

    assert {heroku.primary(name) for name in operator.apps} == {operator.follower}
    assert heroku.quantities(admin) == {"web": 1, "worker": 0}
    assert not heroku.get(f"/apps/{admin}")["maintenance"]


def test_the_advice_makes_apps_one_again_of_which_a_person_gave_one_another_database(
    heroku: LocalHeroku, operator: Operator, new_name: Callable[[], str]
) -> None:
    admin = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    other = heroku.create_app(new_name(), web=0)["addon"]
    operator.apps = (operator.apps[0], admin)
    operator.run_until("scale-down")
    heroku.post("/addon-attachments", {"addon": other, "app": admin, "name": "DATABASE", "confirm": admin})

    code, said = operator.run("promote")
    assert code == 30, said
    assert f"DATABASE of {admin} is {other}" in said
    advice = re.findall(r"`heroku addons:attach (\S+) (?:--as (\S+) )?--app ([\w-]+)", said)
    assert advice == [(other, "", admin), (operator.leader, "DATABASE", admin)]
    for addon, name, app in advice:
        heroku.post("/addon-attachments", {"addon": addon, "app": app, "name": name or None, "confirm": app})
    for step in STEPS[3:]:
        code, said = operator.run(step)
        assert code == 0, said
    assert {heroku.primary(name) for name in operator.apps} == {operator.follower}


def test_an_app_without_a_release_phase_boots_although_the_release_of_another_failed(
    heroku: LocalHeroku, operator: Operator, new_name: Callable[[], str]
) -> None:
    admin = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    operator.apps = (operator.apps[0], admin)
    operator.run_until("scale-down")
    heroku.patch(f"/_control/apps/{admin}", {"release": "false"})

    code, said = operator.run("promote")

    assert code == 20, said
    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 1}
    assert heroku.quantities(admin)["web"] == 0


def test_backup_schedules_are_carried_over(operator: Operator, heroku: LocalHeroku) -> None:
    schedule = {"hour": 2, "timezone": "UTC", "schedule_name": "DATABASE_URL"}
    heroku.post(f"/client/v11/databases/{operator.leader}/transfer-schedules", schedule)
    operator.run_until("restore")

    (carried,) = heroku.get(f"/client/v11/databases/{operator.follower}/transfer-schedules")
    assert (carried["name"], carried["hour"], carried["timezone"]) == ("DATABASE_URL", 2, "UTC")


def test_where_sql_is_not_used_the_report_says_that_there_is_no_proof(operator: Operator) -> None:
    operator.extra = ("--verify", "api")
    operator.run_until("restore")

    assert operator.facts["no_proof"].startswith("none")


def test_a_document_of_another_changeover_is_refused_before_anything_is_changed(operator: Operator) -> None:
    operator.document = json.dumps({"version": 3, "generation": "db-9", "apps": {}, "moments": {}, "report": {}})

    code, said = operator.run("maintenance-on")

    assert code == 30
    assert "is of db-9" in said
    assert operator.is_as_found()


def test_a_wrong_token_is_said_so(operator: Operator, heroku: LocalHeroku, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heroku, "token", "wrong")

    code, said = operator.run("await-database")

    assert code == 10
    assert "401 unauthorized" in said


def test_a_step_starts_without_what_takes_long_to_load(operator: Operator) -> None:
    """What a step imports is part of the outage; classes made by `dataclasses` take that, and `inspect` with it."""
    import subprocess
    import sys

    program = "import sys, heroku_changeover.ways.steps, heroku_changeover.ways.listed; print(sorted(sys.modules))"
    slow = ("psycopg", "pulumi", "httpx", "aiohttp", "dataclasses", "psutil", "subprocess")
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    assert not [name for name in slow if f"'{name}'" in loaded]


def test_a_leader_that_takes_no_writes_is_refused_before_anything_changes(
    operator: Operator, heroku: LocalHeroku
) -> None:
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as session:
        session.execute(f"ALTER DATABASE {session.info.dbname} SET default_transaction_read_only = on")

    code, said = operator.run("await-database")

    assert code == 30
    assert operator.is_as_found()
    advice = re.search(r"`heroku pg:psql (\S+) --app (\S+) --command '([^']+)'` lets it take writes", said)
    assert advice is not None
    assert (advice[1], advice[2]) == (operator.leader, operator.apps[0])
    with psycopg.connect(heroku.database_url(advice[1]), autocommit=True) as session:
        session.execute(advice[3])
    assert operator.run("await-database")[0] == 0


def test_a_follower_that_was_destroyed_in_the_window_is_told_and_the_app_is_put_back(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    heroku.delete(f"/apps/{operator.apps[0]}/addons/{operator.follower}")
    code, said = operator.run("promote")

    assert (code, "pulumi up --refresh" in said) == (30, True)
    assert operator.is_as_found()


def test_a_step_that_cannot_ask_heroku_does_not_say_that_service_is_as_before(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("scale-down")
    heroku.fault("status", ".*", status=401, times=1000)
    code, said = operator.run("promote")

    assert (code, "could not be put back" in said) == (40, True)


def test_a_restore_that_cannot_ask_heroku_is_incomplete(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("promote")
    heroku.fault("status", ".*", status=401, times=1000)

    assert operator.run("restore")[0] == 20


def test_a_worker_that_a_colleague_stopped_before_the_window_is_not_started_again(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("await-database")
    heroku.patch(f"/apps/{operator.apps[0]}/formation/worker", {"quantity": 0})
    for step in STEPS[1:]:
        assert operator.run(step)[0] == 0

    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 0}


def test_a_backup_schedule_is_carried_over_although_heroku_fails_once(operator: Operator, heroku: LocalHeroku) -> None:
    schedule = {"hour": 3, "timezone": "UTC", "schedule_name": "DATABASE_URL"}
    heroku.post(f"/client/v11/databases/{operator.leader}/transfer-schedules", schedule)
    operator.run_until("promote")
    heroku.fault("status", ".*/transfer-schedules", method="POST", status=503)
    assert operator.run("restore")[0] == 0

    carried = heroku.get(f"/client/v11/databases/{operator.follower}/transfer-schedules")
    assert [row["name"] for row in carried] == ["DATABASE_URL"]


def test_an_attachment_of_a_credential_moves_and_still_logs_in_as_that_role(
    operator: Operator, heroku: LocalHeroku
) -> None:
    name = operator.apps[0]
    heroku.post(f"/postgres/v0/databases/{operator.leader}/credentials", {"name": "reports"})
    body = {"addon": operator.leader, "app": name, "name": "REPORTS", "namespace": "credential:reports"}
    heroku.post("/addon-attachments", body)
    operator.run_until("restore")

    assert heroku.get(f"/apps/{name}/addon-attachments/REPORTS")["addon"]["name"] == operator.follower
    with psycopg.connect(heroku.get(f"/apps/{name}/config-vars")["REPORTS_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("reports",)


def test_a_token_that_may_not_write_is_a_clear_error_before_anything_is_changed(
    operator: Operator, heroku: LocalHeroku
) -> None:
    message = "The scope of this OAuth authorization does not allow access to this resource"
    refusal = {"status": 403, "error_id": "forbidden", "message": message}
    heroku.fault("status", ".*", method="POST|PATCH|PUT|DELETE", times=1000, **refusal)

    operator.run("await-database")
    code, said = operator.run("maintenance-on")
    heroku.clear_faults()

    assert code == 10
    assert f"403 forbidden to PATCH /apps/{operator.apps[0]}: {message}" in said
    assert "every app is as it was found" in said
    assert "Traceback" not in said
    assert operator.is_as_found()
