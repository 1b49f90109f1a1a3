"""Commands that only look: what they ask for, what they print, and how they end."""

from typing import Any

import pytest

from conformance.heroku_cli import Cli
from local_heroku.launcher import LocalHeroku

SHELF = "shelf"
COPY = "shelf-copy"


@pytest.fixture
def shelf(heroku: LocalHeroku) -> dict[str, Any]:
    """An app with a leader, a follower, a pooler, a credential and a schedule, for all that only look."""
    if heroku.call("GET", f"/apps/{SHELF}")[0] == 200:
        return {"addon": heroku.primary(SHELF), "id": heroku.get(f"/apps/{SHELF}")["id"]}
    app: dict[str, Any] = heroku.create_app(SHELF, web=1, worker=1, rows=10, addon="shelf-db")
    heroku.follow(SHELF, app["addon"], "standard-2", COPY)
    data = f"/client/v11/databases/{app['addon']}"
    heroku.post(f"{data}/connection-pooling", {"app": SHELF, "credential": "default"})
    heroku.post(f"/postgres/v0/databases/{app['addon']}/credentials", {"name": "analytics"})
    heroku.post(f"{data}/transfer-schedules", {"hour": "3", "timezone": "UTC", "schedule_name": "DATABASE_URL"})
    heroku.create_app("bare", web=0, with_database=False)
    return app


A = ("-a", SHELF)
DB, DATA = "shelf-db", "/client/v11/databases"
RESOLVE = "POST /actions/addon-attachments/resolve"
LOOKS: list[tuple[tuple[str, ...], list[str], list[str]]] = [
    (
        ("addons", *A),
        [f"GET /apps/{SHELF}/addons", "GET /addon-attachments"],
        ["heroku-postgresql", DB, COPY, "as DATABASE"],
    ),
    (
        ("addons", *A, "--json"),
        [f"GET /apps/{SHELF}/addons"],
        ['"heroku-postgresql:standard-0"', '"state": "provisioned"'],
    ),
    (("addons", "--all"), ["GET /addons"], [DB, COPY]),
    (
        ("addons:info", DB),
        ["POST /actions/addons/resolve"],
        ["Plan", "heroku-postgresql:standard-0", "Owning app", SHELF],
    ),
    (("addons:info", "DATABASE", *A), ["POST /actions/addons/resolve"], [DB]),
    (("addons:wait", DB, *A), ["POST /actions/addons/resolve"], []),
    (
        ("addons:plans", "heroku-postgresql"),
        ["GET /addon-services/heroku-postgresql/plans"],
        ["standard-0", "premium-0"],
    ),
    (("apps:info", *A), [f"GET /apps/{SHELF}"], [SHELF, "Dynos", "web: 1"]),
    (("apps:info", *A, "--json"), [f"GET /apps/{SHELF}"], ['"maintenance": false']),
    (("auth:whoami",), ["GET /account"], ["owner@example.test"]),
    (
        ("config", *A),
        [f"GET /apps/{SHELF}/config-vars"],
        ["DATABASE_URL", "postgres://", "DATABASE_CONNECTION_POOL_URL"],
    ),
    (("config", *A, "--json"), [f"GET /apps/{SHELF}/config-vars"], ['"DATABASE_URL"']),
    (("config:get", "DATABASE_URL", *A), [f"GET /apps/{SHELF}/config-vars"], ["postgres://"]),
    (("maintenance", *A), [f"GET /apps/{SHELF}"], ["off"]),
    (
        ("ps", *A),
        [f"GET /apps/{SHELF}/dynos", f"GET /apps/{SHELF}"],
        ["web (Standard-1X)", "web.1: up", "worker.1: up"],
    ),
    (("ps", "worker", *A), [f"GET /apps/{SHELF}/dynos"], ["worker.1: up"]),
    (("ps", *A, "--json"), [f"GET /apps/{SHELF}/dynos"], ['"name": "web.1"']),
    (
        ("ps:scale", *A),
        [f"GET /apps/{SHELF}/formation", f"GET /apps/{SHELF}"],
        ["web=1:Standard-1X", "worker=1:Standard-1X"],
    ),
    (
        ("releases", *A),
        [f"GET /apps/{SHELF}/releases"],
        ["Initial release", "Attach HEROKU_POSTGRESQL_", "completed provisioning"],
    ),
    (("releases", *A, "-n", "1"), [f"GET /apps/{SHELF}/releases"], ["Attach DATABASE_CONNECTION_POOL"]),
    (("releases", *A, "--json"), [f"GET /apps/{SHELF}/releases"], ['"status": "succeeded"']),
    (("releases:info", "v1", *A), [f"GET /apps/{SHELF}/releases/1"], ["Initial release"]),
    (
        ("pg:info", *A),
        [f"GET /apps/{SHELF}/config-vars", f"GET /apps/{SHELF}/addon-attachments"],
        ["DATABASE_URL", "Standard 0", "Fork/Follow", "Available", "Standard 2", "Followers", "HEROKU_POSTGRESQL_"],
    ),
    (
        ("pg:info", "DATABASE", *A),
        [RESOLVE],
        ["Data Size", "PG Version", "Connections", "/120", "Created", "Region", "Continuous Protection", "Add-on", DB],
    ),
    (
        ("pg:info", COPY, *A),
        [RESOLVE],
        ["Following", "DATABASE", "Behind By", "0 commits", "Unavailable on followers", "On (on leader)"],
    ),
    (("pg:info", f"{SHELF}::DATABASE", *A), [RESOLVE], [DB]),
    (("pg:info", "DATABASE_URL", *A), [RESOLVE], [DB]),
    (("pg:wait", *A), [f"GET /apps/{SHELF}/addon-attachments"], []),
    (("pg:wait", "DATABASE", *A), [RESOLVE], []),
    (("pg:credentials", "DATABASE", *A), [RESOLVE], ["default", "analytics", "active"]),
    (("pg:credentials:url", "DATABASE", *A), [RESOLVE], ["Connection info string", "postgres://"]),
    (("pg:backups:schedules", *A), [f"GET /apps/{SHELF}/addons"], ["DATABASE_URL", "daily at 3:00 UTC"]),
]


@pytest.mark.parametrize(("words", "asked", "says"), LOOKS, ids=[" ".join(row[0]) for row in LOOKS])
def test_a_look_asks_and_prints_and_ends_well(
    cli: Cli, shelf: dict[str, Any], words: tuple[str, ...], asked: list[str], says: list[str]
) -> None:
    ran = cli.run(*words)

    assert ran.code == 0, ran
    assert set(asked) <= set(ran.asked), ran
    assert [word for word in says if word not in ran.said] == [], ran
    assert ran.writes == [], ran


ROWS = [
    "Plan",
    "Status",
    "Data Size",
    "Tables",
    "PG Version",
    "Connections",
    "Connection Pooling",
    "Credentials",
    "Fork/Follow",
    "Rollback",
    "Created",
    "Region",
    "Data Encryption",
    "Continuous Protection",
]


@pytest.mark.parametrize(
    ("database", "rows"),
    [
        ("DATABASE", [*ROWS, "Followers", "Maintenance", "Maintenance window", "Add-on"]),
        (COPY, [*ROWS, "Following", "Behind By", "Maintenance", "Maintenance window", "Add-on"]),
    ],
)
def test_the_rows_of_a_database_come_in_the_order_and_wording_of_heroku(
    cli: Cli, shelf: dict[str, Any], database: str, rows: list[str]
) -> None:
    ran = cli.run("pg:info", database, *A)

    assert [line.partition(":")[0] for line in ran.out.splitlines() if ":" in line and "===" not in line] == rows, ran


NO_SUCH: list[tuple[tuple[str, ...], int, str]] = [
    (("pg:info", "-a", "nothere"), 2, "Couldn't find that app."),
    (("apps:info", "-a", "nothere"), 2, "Error ID: not_found"),
    (("ps", "-a", "nothere"), 2, "Couldn't find that app."),
    (("maintenance:on", "-a", "nothere"), 2, "Couldn't find that app."),
    (("addons:info", "nothere"), 2, "Couldn't find that add on."),
    (("addons:wait", "nothere", *A), 2, "Couldn't find that add on."),
    (("addons:destroy", "nothere", *A, "--confirm", SHELF), 2, "Couldn't find that add on."),
    (("pg:info", "NOTHERE", *A), 1, "Unknown database: NOTHERE. Valid options are:"),
    (("pg:wait", "NOTHERE", *A), 1, "Unknown database: NOTHERE"),
    (("pg:promote", "NOTHERE", *A), 1, "Unknown database: NOTHERE"),
    (("pg:promote", "DATABASE", "-a", "bare"), 1, "bare has no databases"),
    (("pg:wait", "HEROKU_POSTGRESQL", "-a", "bare"), 1, "bare has no databases"),
    (("releases:info", "v999", *A), 2, "Couldn't find that release."),
    (("pg:info", "_URL", *A), 1, "Ambiguous identifier"),
    (("pg:promote", "DATABASE"), 2, "Missing required flag app"),
    (("pg:promote", "DATABASE", *A, "--confirm", SHELF), 2, "Nonexistent flag: --confirm"),
]


@pytest.mark.parametrize(("words", "code", "says"), NO_SUCH, ids=[" ".join(row[0]) for row in NO_SUCH])
def test_what_does_not_exist_is_said_with_the_exit_code_of_its_kind(
    cli: Cli, shelf: dict[str, Any], words: tuple[str, ...], code: int, says: str
) -> None:
    ran = cli.run(*words)

    assert ran.code == code, ran
    assert says in ran.said, ran
    assert [line for line in ran.writes if not line.startswith("PATCH /apps/nothere")] == [], ran


def test_a_wrong_token_is_refused_without_another_try(cli: Cli, shelf: dict[str, Any]) -> None:
    ran = cli.run("maintenance", *A, env={"HEROKU_API_KEY": "wrong"})

    assert ran.code == 1, ran
    assert "HEROKU_API_KEY is invalid" in ran.said, ran
    assert [r["status"] for r in ran.requests] == [401], ran


def test_without_any_token_the_literal_undefined_is_refused(cli: Cli, shelf: dict[str, Any]) -> None:
    ran = cli.run("maintenance", *A, env={"HEROKU_API_KEY": ""})

    assert ran.code != 0, ran
    assert {r["status"] for r in ran.requests} <= {401}, ran


def test_a_rate_limit_ends_a_command_at_once(cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]) -> None:
    heroku.patch("/_control/world", {"rate_limit": -100})
    ran = cli.run("maintenance", *A)

    assert ran.code == 2, ran
    assert "Error ID: rate_limit" in ran.said, ran
    assert [r["status"] for r in ran.requests] == [429], ran


@pytest.mark.parametrize(("message", "code"), [("Something went wrong.", 2), ("", 1)])
def test_a_server_error_ends_with_2_when_it_has_a_message_and_with_1_when_it_has_none(
    cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any], message: str, code: int
) -> None:
    heroku.fault("status", f"/apps/{SHELF}", status=503, message=message)

    assert cli.run("maintenance", *A).code == code


def test_a_broken_connection_is_tried_again(cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]) -> None:
    heroku.fault("reset_before", f"/apps/{SHELF}")
    ran = cli.run("maintenance", *A)

    assert ran.code == 0, ran
    assert "off" in ran.said, ran


def test_a_demand_for_a_second_factor_needs_a_terminal(cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]) -> None:
    heroku.fault("status", f"/apps/{SHELF}", status=403, error_id="two_factor", times=5)
    ran = cli.run("maintenance", *A)

    assert ran.code == 1, ran
    assert "requires an interactive terminal" in ran.said, ran


def test_a_warning_of_the_platform_is_shown(cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]) -> None:
    heroku.patch("/_control/world", {"warning": "The end is near."})
    ran = cli.run("maintenance", *A)

    assert ran.code == 0, ran
    assert "The end is near." in ran.said, ran


def test_a_database_in_trouble_fails_the_wait(cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]) -> None:
    heroku.patch(f"/_control/databases/{COPY}", {"trouble": "unable to keep up"})
    ran = cli.run("pg:wait", COPY, *A)
    heroku.patch(f"/_control/databases/{COPY}", {"trouble": ""})

    assert ran.code == 1, ran
    assert "unable to keep up" in ran.said, ran


def test_an_add_on_that_the_data_api_does_not_know_yet_is_left_out_of_the_list(
    cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]
) -> None:
    heroku.patch(f"/_control/databases/{COPY}", {"known": False})
    ran = cli.run("pg:info", *A)
    heroku.patch(f"/_control/databases/{COPY}", {"known": True})

    assert ran.code == 0, ran
    assert "is not yet provisioned" in ran.said, ran


def test_a_refusal_of_the_data_api_with_a_message_fails_the_wait_at_once(
    cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]
) -> None:
    heroku.fault("status", f"{DATA}/.*/wait_status", status=404, error_id="not_found", message="No such database.")
    ran = cli.run("pg:wait", "DATABASE", *A)

    assert ran.code == 2, ran
    assert "No such database." in ran.said, ran


def test_a_list_of_two_pages_is_put_together(cli: Cli, heroku: LocalHeroku, shelf: dict[str, Any]) -> None:
    existing = len(heroku.get("/addon-attachments"))
    for number in range(201 - existing):
        heroku.post("/addon-attachments", {"addon": DB, "app": "bare", "name": f"MANY_{number}"})
    ran = cli.run("addons", "-a", "bare")
    for attachment in heroku.get("/apps/bare/addon-attachments"):
        heroku.delete(f"/addon-attachments/{attachment['id']}")

    assert ran.code == 0, ran.err
    assert [r["status"] for r in ran.requests if r["path"] == "/addon-attachments"] == [206, 200], ran.asked


def test_the_token_goes_as_bearer_and_to_credentials_as_basic(cli: Cli, shelf: dict[str, Any]) -> None:
    schemes = {r["path"].rpartition("/")[2]: r["scheme"] for r in cli.run("pg:credentials", "DATABASE", *A).requests}

    assert schemes["credentials"] == "Basic", schemes
    assert schemes["resolve"] == "Bearer", schemes
