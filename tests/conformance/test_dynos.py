"""Maintenance mode, the formation, dynos and config vars, as the CLI changes them."""

from typing import Any

import pytest

from conformance.heroku_cli import Cli
from local_heroku.launcher import LocalHeroku, visit


def up(heroku: LocalHeroku, app: str) -> set[str]:
    return {d["name"] for d in heroku.get(f"/apps/{app}/dynos") if d["state"] == "up"}


def test_maintenance_mode_answers_visitors_and_leaves_dynos_running(
    cli: Cli, heroku: LocalHeroku, shop: dict[str, Any], name: str
) -> None:
    ran = cli.run("maintenance:on", "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == [f"PATCH /apps/{name}"], ran
    assert ran.sent(f"PATCH /apps/{name}") == {"maintenance": True}, ran
    heroku.wait_until("the router to know", lambda: visit(shop["web_url"])[0] == 503)
    assert up(heroku, name) == {"web.1", "worker.1"}
    assert "on" in cli.run("maintenance", "-a", name).out


def test_maintenance_mode_goes_off_and_makes_no_release(
    cli: Cli, heroku: LocalHeroku, shop: dict[str, Any], name: str
) -> None:
    cli.run("maintenance:on", "-a", name)
    before = len(heroku.get(f"/apps/{name}/releases"))
    ran = cli.run("maintenance:off", "-a", name)

    assert ran.code == 0, ran
    heroku.wait_until("the app to serve", lambda: visit(shop["web_url"])[0] == 200)
    assert len(heroku.get(f"/apps/{name}/releases")) == before


def test_maintenance_mode_on_twice_is_no_error(cli: Cli, name: str) -> None:
    assert [cli.run("maintenance:on", "-a", name).code for _ in range(2)] == [0, 0]


def test_a_fir_app_has_no_maintenance_mode(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    heroku.patch(f"/_control/apps/{name}", {"generation": "fir"})
    ran = cli.run("maintenance:on", "-a", name)

    assert ran.code == 2, ran
    assert "not available for Fir" in ran.said, ran


SCALES: list[tuple[tuple[str, ...], dict[str, int], list[dict[str, Any]]]] = [
    (("web=0",), {"web": 0, "worker": 1}, [{"type": "web", "quantity": "0"}]),
    (
        ("web=2", "worker=0"),
        {"web": 2, "worker": 0},
        [{"type": "web", "quantity": "2"}, {"type": "worker", "quantity": "0"}],
    ),
    (("web+1",), {"web": 2, "worker": 1}, [{"type": "web", "quantity": "+1"}]),
    (("worker-1",), {"web": 1, "worker": 0}, [{"type": "worker", "quantity": "-1"}]),
    (("web=1:Standard-2X",), {"web": 1, "worker": 1}, [{"type": "web", "quantity": "1", "size": "Standard-2X"}]),
]


@pytest.mark.parametrize(("words", "quantities", "updates"), SCALES, ids=[" ".join(r[0]) for r in SCALES])
def test_scaling_is_one_batch_of_strings_and_moves_dynos(
    cli: Cli,
    heroku: LocalHeroku,
    name: str,
    words: tuple[str, ...],
    quantities: dict[str, int],
    updates: list[dict[str, Any]],
) -> None:
    ran = cli.run("ps:scale", *words, "-a", name)

    assert ran.code == 0, ran
    assert ran.sent(f"PATCH /apps/{name}/formation") == {"updates": updates}, ran
    assert heroku.quantities(name) == quantities
    wanted = {f"{kind}.{n}" for kind, count in quantities.items() for n in range(1, count + 1)}
    heroku.wait_until("dynos to be as asked", lambda: up(heroku, name) == wanted)


def test_scaling_makes_no_release(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    before = len(heroku.get(f"/apps/{name}/releases"))
    cli.run("ps:scale", "web=0", "-a", name)

    assert len(heroku.get(f"/apps/{name}/releases")) == before


@pytest.mark.parametrize("words", [("web",), ("web=",), ("=1",)])
def test_a_malformed_scale_is_taken_for_a_look_and_ends_well(
    cli: Cli, heroku: LocalHeroku, name: str, words: tuple[str, ...]
) -> None:
    ran = cli.run("ps:scale", *words, "-a", name)

    assert ran.code == 0, ran
    assert ran.writes == [], ran
    assert heroku.quantities(name) == {"web": 1, "worker": 1}


def test_an_unknown_process_type_is_refused_by_the_api(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("ps:scale", "clock=1", "-a", name)

    assert ran.code == 2, ran
    assert "Couldn't find that process type." in ran.said, ran


def test_a_one_off_dyno_is_stopped_for_good(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    run = heroku.post(f"/apps/{name}/dynos", {"command": "sleep 300"})["name"]
    ran = cli.run("ps:stop", "-d", run, "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == [f"POST /apps/{name}/dynos/{run}/actions/stop"], ran
    heroku.wait_until("it to be gone", lambda: run not in str(heroku.get(f"/apps/{name}/dynos")))


def test_all_dynos_of_a_type_are_stopped_and_come_back(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    (before,) = [d["id"] for d in heroku.get(f"/apps/{name}/dynos") if d["type"] == "worker"]
    ran = cli.run("ps:stop", "-p", "worker", "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == [f"POST /apps/{name}/formations/worker/actions/stop"], ran
    heroku.wait_until(
        "another worker to be up",
        lambda: before not in str(heroku.get(f"/apps/{name}/dynos")) and "worker.1" in up(heroku, name),
    )


RESTARTS = [
    ((), "DELETE /apps/{app}/dynos"),
    (("-d", "web.1"), "DELETE /apps/{app}/dynos/web.1"),
    (("-p", "web"), "DELETE /apps/{app}/formations/web"),
]


@pytest.mark.parametrize(("words", "request_"), RESTARTS)
def test_restarted_dynos_are_new_processes(
    cli: Cli, heroku: LocalHeroku, shop: dict[str, Any], name: str, words: tuple[str, ...], request_: str
) -> None:
    (before,) = [d["id"] for d in heroku.get(f"/apps/{name}/dynos") if d["type"] == "web"]
    ran = cli.run("ps:restart", *words, "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == [request_.format(app=name)], ran
    heroku.wait_until(
        "a new web dyno to serve",
        lambda: before not in str(heroku.get(f"/apps/{name}/dynos")) and visit(shop["web_url"])[0] == 200,
    )


def test_a_config_var_is_set_with_a_release_that_restarts_dynos(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    before = {d["id"] for d in heroku.get(f"/apps/{name}/dynos")}
    ran = cli.run("config:set", "COLOUR=blue", "-a", name)

    assert ran.code == 0, ran
    assert heroku.get(f"/apps/{name}/config-vars")["COLOUR"] == "blue"
    heroku.wait_until(
        "all dynos to be new", lambda: before.isdisjoint(d["id"] for d in heroku.get(f"/apps/{name}/dynos"))
    )


def test_a_config_var_is_unset(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    heroku.patch(f"/apps/{name}/config-vars", {"COLOUR": "blue"})
    ran = cli.run("config:unset", "COLOUR", "-a", name)

    assert ran.code == 0, ran
    assert "COLOUR" not in heroku.get(f"/apps/{name}/config-vars")


def test_the_variable_of_an_attachment_cannot_be_edited(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    url = heroku.get(f"/apps/{name}/config-vars")["DATABASE_URL"]
    ran = cli.run("config:set", "DATABASE_URL=postgres://elsewhere", "-a", name)

    assert ran.code == 2, ran
    assert "Cannot change DATABASE_URL" in ran.said, ran
    assert heroku.get(f"/apps/{name}/config-vars")["DATABASE_URL"] == url


def test_an_app_is_destroyed_with_its_databases(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    addon = heroku.primary(name)
    ran = cli.run("apps:destroy", "-a", name, "--confirm", name)

    assert ran.code == 0, ran
    assert heroku.call("GET", f"/apps/{name}")[0] == 404
    assert heroku.call("GET", f"/addons/{addon}")[0] == 404


def test_an_app_is_created(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("apps:create", f"{name}-new", "--no-remote")
    there = heroku.call("GET", f"/apps/{name}-new")[0]
    heroku.delete(f"/_control/apps/{name}-new")

    assert ran.code == 0, ran
    assert there == 200
