"""The promises of the local Heroku, seen only through HTTP and SQL."""

import json
import os
import signal
import tempfile
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import psycopg
import pytest

from local_heroku.launcher import LocalHeroku, visit


def descriptions(heroku: LocalHeroku, app: str) -> list[str]:
    return [str(r["description"]) for r in heroku.get(f"/apps/{app}/releases")]


def order(url: str, reference: str) -> int:
    body = json.dumps({"reference": reference}).encode()
    with urlopen(Request(f"{url}orders", body, method="POST"), timeout=35) as answer:
        return int(json.loads(answer.read())["id"])


def rows(info: dict[str, Any]) -> dict[str, list[Any]]:
    return {row["name"]: row["values"] for row in info["info"]}


@pytest.fixture
def pair(heroku: LocalHeroku, shop: dict[str, Any]) -> tuple[str, str, str]:
    """App, leader and follower by name."""
    name = str(shop["name"])
    copy = heroku.follow(name, shop["addon"], "standard-2", f"{name}-copy")
    heroku.wait_until("the app to serve after its restart", lambda: visit(shop["web_url"])[0] == 200)
    return name, str(shop["addon"]), copy


def test_an_order_that_is_acknowledged_is_in_the_database(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    number = order(shop["web_url"], "mine")

    with psycopg.connect(shop["database_url"]) as connection:
        found = connection.execute("SELECT reference FROM orders WHERE id = %s", (number,)).fetchone()
    assert found == ("mine",)


def test_the_role_of_an_app_is_an_ordinary_one_that_owns_its_database(shop: dict[str, Any]) -> None:
    with psycopg.connect(shop["database_url"]) as connection:
        role = connection.execute(
            "SELECT rolsuper, rolreplication, pg_has_role(datdba, 'USAGE') FROM pg_roles, pg_database"
            " WHERE rolname = current_user AND datname = current_database()"
        ).fetchone()

    assert role == (False, False, True)


def test_every_attachment_of_an_add_on_is_a_config_var_with_the_same_url(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    heroku.post(
        "/addon-attachments", {"addon": {"name": shop["addon"]}, "app": {"name": shop["name"]}, "name": "SECOND"}
    )

    variables = heroku.get(f"/apps/{shop['name']}/config-vars")
    assert variables["SECOND_URL"] == variables["DATABASE_URL"] == shop["database_url"]
    assert variables["DATABASE_URL"].startswith("postgres://")


def test_replacing_database_makes_two_releases_detach_and_then_attach(
    heroku: LocalHeroku, pair: tuple[str, str, str]
) -> None:
    name, leader, copy = pair
    heroku.post("/addon-attachments", {"addon": leader, "app": name, "confirm": name})
    body = {"addon": copy, "app": name, "name": "DATABASE", "confirm": name}
    heroku.post("/addon-attachments", body)

    assert descriptions(heroku, name)[-2:] == [f"Detach DATABASE (@ref:{leader})", f"Attach DATABASE (@ref:{copy})"]


def test_a_name_that_is_taken_has_to_be_confirmed(heroku: LocalHeroku, pair: tuple[str, str, str]) -> None:
    name, _, copy = pair

    status, body = heroku.call("POST", "/addon-attachments", {"addon": copy, "app": name, "name": "DATABASE"})

    assert (status, body["id"]) == (422, "confirmation_required")


def test_the_last_attachment_on_the_paying_app_cannot_be_replaced(
    heroku: LocalHeroku, pair: tuple[str, str, str]
) -> None:
    name, _, copy = pair
    body = {"addon": copy, "app": name, "name": "DATABASE", "confirm": name}

    status, answer = heroku.call("POST", "/addon-attachments", body)

    assert status == 422
    assert "is the last billing attachment to" in answer["message"]


def test_a_new_add_on_makes_one_release_at_once_and_one_when_it_is_provisioned(
    heroku: LocalHeroku, pair: tuple[str, str, str]
) -> None:
    name, _, copy = pair

    made = [d for d in descriptions(heroku, name) if copy in d]
    assert made[0].startswith("Attach HEROKU_POSTGRESQL_")
    assert "completed provisioning, setting HEROKU_POSTGRESQL_" in made[1]


def test_a_follower_gets_what_the_leader_commits_and_takes_no_writes(
    heroku: LocalHeroku, shop: dict[str, Any], pair: tuple[str, str, str]
) -> None:
    number = order(shop["web_url"], "replicated")

    with psycopg.connect(heroku.database_url(pair[2]), autocommit=True) as copy:
        query = "SELECT count(*) FROM orders WHERE id = %s"
        heroku.wait_until("the order on the follower", lambda: copy.execute(query, (number,)).fetchone() == (1,))
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            copy.execute("DELETE FROM orders")


def test_a_follower_says_whom_it_follows_and_how_far_behind_it_is(
    heroku: LocalHeroku, pair: tuple[str, str, str]
) -> None:
    _, leader, copy = pair
    info = heroku.get(f"/client/v11/databases/{copy}")

    assert info["leader"]["name"] == leader
    assert rows(info)["Fork/Follow"] == ["Unavailable on followers"]
    assert rows(info)["Behind By"][0].endswith(" commits")
    assert len(rows(heroku.get(f"/client/v11/databases/{leader}"))["Followers"]) == 1


def test_a_follower_whose_replay_is_held_falls_behind(
    heroku: LocalHeroku, shop: dict[str, Any], pair: tuple[str, str, str]
) -> None:
    heroku.patch(f"/_control/databases/{pair[2]}", {"hold_replay": True})
    for _ in range(5):
        order(shop["web_url"], "behind")

    behind = rows(heroku.get(f"/client/v11/databases/{pair[2]}"))["Behind By"][0]
    assert int(behind.split()[0]) >= 5


def test_unfollow_takes_a_while_and_makes_a_database_that_takes_writes(
    heroku: LocalHeroku, pair: tuple[str, str, str]
) -> None:
    path = f"/client/v11/databases/{pair[2]}"
    heroku.patch("/_control/world", {"latency": {"fork_follow": 60}})
    heroku.put(f"{path}/unfollow")
    busy = heroku.get(f"{path}/wait_status")["waiting?"]
    heroku.wait_until("the unfollow", lambda: not heroku.get(f"{path}/wait_status")["waiting?"])

    info = heroku.get(path)
    assert busy
    assert info["following"] is None
    assert rows(info)["Fork/Follow"] == ["Temporarily Unavailable"]
    with psycopg.connect(heroku.database_url(pair[2])) as connection:
        assert connection.execute("INSERT INTO customers DEFAULT VALUES").rowcount == 1


@pytest.mark.parametrize(
    ("plan", "follow", "words"),
    [
        ("essential-1", "leader", "not supported"),
        ("standard-2", "copy", "is itself a follower"),
        ("standard-2", "nobody", "could not find the database nobody"),
    ],
)
def test_what_cannot_be_followed_is_refused_by_the_provider(
    heroku: LocalHeroku, pair: tuple[str, str, str], plan: str, follow: str, words: str
) -> None:
    name, leader, copy = pair
    body = {
        "plan": f"heroku-postgresql:{plan}",
        "config": {"follow": {"leader": leader, "copy": copy}.get(follow, follow)},
    }

    status, answer = heroku.call("POST", f"/apps/{name}/addons", body)

    assert (status, answer["id"]) == (422, "addon_error")
    assert words in answer["message"]


def test_maintenance_mode_is_a_503_page_and_dynos_go_on(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    before = visit(shop["web_url"])[0]
    heroku.patch(f"/apps/{shop['name']}", {"maintenance": True})
    status, page = visit(shop["web_url"])

    assert (before, status) == (200, 503)
    assert "Offline for Maintenance" in page
    assert len(heroku.get(f"/apps/{shop['name']}/dynos")) == 3


def test_a_request_is_held_while_a_web_dyno_starts(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    heroku.patch("/_control/world", {"latency": {"boot": 1.0}})
    heroku.patch(f"/apps/{shop['name']}/formation", {"updates": [{"type": "web", "quantity": 0}]})
    heroku.wait_until("no web dyno", lambda: "web." not in str(heroku.get(f"/apps/{shop['name']}/dynos")))
    without = visit(shop["web_url"])[0]
    heroku.patch(f"/apps/{shop['name']}/formation", {"updates": [{"type": "web", "quantity": 1}]})

    assert (without, visit(shop["web_url"])[0]) == (503, 200)


def test_a_dyno_that_is_up_says_how_long_it_took_to_boot(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    heroku.patch("/_control/world", {"latency": {"boot": 2.0}})
    heroku.patch(f"/apps/{shop['name']}/formation", {"updates": [{"type": "web", "quantity": 3}]})
    path = f"/apps/{shop['name']}/dynos"
    heroku.wait_until("web.3", lambda: [d["state"] for d in heroku.get(path) if d["name"] == "web.3"] == ["up"])
    (dyno,) = [d for d in heroku.get(path) if d["name"] == "web.3"]

    created, updated = (datetime.fromisoformat(dyno[key]) for key in ("created_at", "updated_at"))
    assert (updated - created).total_seconds() >= 1


@pytest.mark.parametrize(("quantity", "expected"), [(3, 3), ("1", 1), ("+2", 4), ("-1", 1)])
def test_quantities_may_be_numbers_texts_or_relative(
    heroku: LocalHeroku, shop: dict[str, Any], quantity: int | str, expected: int
) -> None:
    heroku.patch(f"/apps/{shop['name']}/formation", {"updates": [{"type": "web", "quantity": quantity}]})

    assert heroku.quantities(shop["name"])["web"] == expected


def test_a_dyno_that_ignores_sigterm_is_killed_after_the_grace(
    heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    heroku.patch("/_control/world", {"grace": 0.3})
    name = heroku.create_app(new_name(), worker=1, config={"IGNORE_SIGTERM": "1"})["name"]
    heroku.wait_until("the worker to ignore it", lambda: "worker" in str(heroku.get(f"/apps/{name}/dynos")))
    heroku.patch(f"/apps/{name}/formation/worker", {"quantity": 0})
    heroku.wait_until("the dyno to be gone", lambda: heroku.get(f"/apps/{name}/dynos") == [])

    assert heroku.quantities(name)["worker"] == 0


def test_a_changed_config_var_makes_a_release_that_restarts_dynos(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    before = {d["id"] for d in heroku.get(f"/apps/{shop['name']}/dynos")}
    heroku.patch(f"/apps/{shop['name']}/config-vars", {"COLOUR": "blue"})

    def restarted() -> bool:
        return not before & {d["id"] for d in heroku.get(f"/apps/{shop['name']}/dynos")}

    heroku.wait_until("other dynos", restarted)
    assert descriptions(heroku, shop["name"])[-1] == "Set COLOUR config vars"


def test_a_config_var_of_an_attachment_cannot_be_changed(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    status, _ = heroku.call("PATCH", f"/apps/{shop['name']}/config-vars", {"DATABASE_URL": "postgres://elsewhere/db"})

    assert status == 422


@pytest.mark.parametrize(("command", "status"), [("true", "succeeded"), ("false", "failed")])
def test_a_release_phase_decides_over_the_release(
    heroku: LocalHeroku, shop: dict[str, Any], command: str, status: str
) -> None:
    name = shop["name"]
    heroku.patch(f"/_control/apps/{name}", {"release": command})
    heroku.patch(f"/apps/{name}/config-vars", {"A": "1"})
    heroku.wait_until("the phase", lambda: heroku.get(f"/apps/{name}/releases")[-1]["status"] != "pending")

    newest = heroku.get(f"/apps/{name}/releases")[-1]
    assert (newest["status"], newest["current"]) == (status, status == "succeeded")


def test_a_one_off_dyno_is_listed_until_it_is_stopped(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    path = f"/apps/{shop['name']}/dynos"
    dyno = heroku.post(path, {"command": "sleep 60"})
    heroku.post(f"{path}/{dyno['name']}/actions/stop")
    heroku.wait_until("the one-off to be gone", lambda: dyno["name"] not in str(heroku.get(path)))

    assert dyno["type"] == "run"


def test_a_job_of_the_scheduler_outlasts_scaling_and_releases_and_is_listed_until_it_ends(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    name, path = shop["name"], f"/apps/{shop['name']}/dynos"
    heroku.patch(f"/_control/apps/{name}", {"scheduled": "sleep 60"})
    heroku.patch(
        f"/apps/{name}/formation", {"updates": [{"type": "web", "quantity": 0}, {"type": "worker", "quantity": 0}]}
    )
    heroku.patch(f"/apps/{name}/config-vars", {"COLOUR": "blue"})
    heroku.wait_until("the formation to be gone", lambda: len(heroku.get(path)) == 1)
    (job,) = heroku.get(path)
    heroku.post(f"{path}/{job['name']}/actions/stop")
    heroku.wait_until("the job to be gone", lambda: heroku.get(path) == [])

    assert job["type"] == "scheduler"
    assert job["name"].startswith("scheduler.")
    assert "scheduler" not in heroku.quantities(name)


def test_a_job_of_the_scheduler_that_ended_is_not_started_again(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    heroku.patch(f"/_control/apps/{shop['name']}", {"scheduled": "true"})

    path = f"/apps/{shop['name']}/dynos"
    heroku.wait_until("the job to be gone", lambda: "scheduler." not in str(heroku.get(path)))
    started = [e for e in heroku.events() if e["what"] == "dyno started" and e["app"] == shop["name"]]
    assert len([e for e in started if e["dyno"].startswith("scheduler.")]) == 1


@pytest.mark.parametrize("authorization", ["", "Bearer wrong", "Basic d3Jvbmc6d3Jvbmc="])
def test_a_wrong_token_is_unauthorized(heroku: LocalHeroku, authorization: str) -> None:
    status, body = heroku.call("GET", "/apps", headers={"Authorization": authorization})

    assert (status, body["id"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    ("path", "resource"),
    [("/apps/nope", "app"), ("/addons/nope", "add_on"), ("/addon-attachments/nope", "add_on attachment")],
)
def test_what_is_not_there_is_not_found_in_herokus_words(heroku: LocalHeroku, path: str, resource: str) -> None:
    status, body = heroku.call("GET", path)

    assert (status, body["id"], body["resource"]) == (404, "not_found", resource)


def test_a_route_that_is_not_known_is_said_so(heroku: LocalHeroku) -> None:
    status, body = heroku.call("GET", "/apps/shop/webhooks")

    assert (status, body["id"]) == (501, "not_implemented")
    assert any(e["what"] == "unknown route" for e in heroku.events())


def test_a_fault_hits_as_often_as_it_was_told_and_then_no_more(heroku: LocalHeroku) -> None:
    heroku.fault("status", "/account", status=503, times=2)

    assert [heroku.call("GET", "/account")[0] for _ in range(3)] == [503, 503, 200]


def test_a_reset_after_the_act_leaves_the_act_done(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    heroku.fault("reset_after", f"/apps/{shop['name']}", method="PATCH")
    with pytest.raises(OSError):  # noqa: PT011 - whichever way the connection broke
        heroku.call("PATCH", f"/apps/{shop['name']}", {"maintenance": True})

    assert heroku.get(f"/apps/{shop['name']}")["maintenance"]


def test_two_instances_do_not_disturb_each_other(heroku: LocalHeroku) -> None:
    with LocalHeroku() as other:
        name = other.create_app("only-here", web=1)["name"]

        assert heroku.call("GET", f"/apps/{name}")[0] == 404
        assert other.call("GET", "/apps", headers={"Authorization": f"Bearer {heroku.token}"})[0] == 401


@pytest.mark.parametrize("how", ["stopped", "killed"])
def test_nothing_runs_on_and_a_stopped_one_leaves_no_files(how: str) -> None:
    with LocalHeroku() as heroku:
        heroku.create_app("shop", web=1, worker=1, rows=10)
        children = psutil.Process(heroku.process.pid).children(recursive=True)
        started = [" ".join(child.cmdline()) for child in children]
        if how == "killed":
            os.kill(heroku.process.pid, signal.SIGKILL)
        else:
            heroku.stop()
        _, alive = psutil.wait_procs(children, timeout=60)

    for what in ("bin/postgres -D", "local_heroku.sample_app web", "local_heroku.sample_app worker"):
        assert any(what in words for words in started), started
    assert alive == []
    places = (Path(tempfile.gettempdir()), Path("/dev/shm"))  # noqa: S108 - where it may have put its data
    left = [found for place in places for found in place.glob(f"local-heroku-{heroku.process.pid}-*")]
    assert how == "killed" or left == []


def test_the_servers_do_not_run_as_root(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    with psycopg.connect(shop["database_url"]) as connection:
        server = psutil.Process(connection.info.backend_pid)

        assert server.uids().effective != 0
