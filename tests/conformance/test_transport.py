"""What goes along with requests and answers: ids, limits, pages; and which add-on a name means."""

import json
from typing import Any
from uuid import UUID

import pytest

from conformance.heroku_cli import Cli, Ran
from local_heroku.launcher import LocalHeroku

SEVERAL = "multiple matching add-ons found: heroku-postgresql, first, second"


def answered(ran: Ran, header: str) -> list[str]:
    return [str(r["answered"][header]) for r in ran.requests]


def sent_ids(row: dict[str, Any]) -> list[str]:
    """The CLI writes the name of the header small, and a list of all ids that it has seen."""
    return str({name.lower(): value for name, value in row["headers"].items()}["request-id"]).split(",")


def test_every_answer_has_a_request_id_of_its_own(cli: Cli, name: str) -> None:
    refused, done = cli.run("addons:attach", "nothere", "-a", name), cli.run("ps:scale", "web=1", "-a", name)
    ids = [*answered(refused, "Request-Id"), *answered(done, "Request-Id")]

    assert [str(UUID(one)) for one in ids] == ids, f"{refused}{done}"
    assert len(set(ids)) == len(ids) == 3, f"{refused}{done}"


def test_a_request_brings_its_own_id_and_those_of_the_answers_before_it(cli: Cli, name: str) -> None:
    ran = cli.run("ps:scale", "web=1", "-a", name)
    (first, second), (answer, last) = (sent_ids(row) for row in ran.requests), answered(ran, "Request-Id")

    assert len(first) == 1, ran
    assert set(second) > {*first, answer}, ran
    assert last not in second, ran


def test_every_answer_says_how_many_requests_are_left(cli: Cli, name: str) -> None:
    left = [int(number) for number in answered(cli.run("ps:scale", "web=1", "-a", name), "RateLimit-Remaining")]

    assert len(left) == 2
    assert all(0 < number < 4500 for number in left), left


def test_none_are_left_where_the_limit_is_reached(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    heroku.patch("/_control/world", {"rate_limit": -100})
    ran = cli.run("maintenance", "-a", name)
    heroku.patch("/_control/world", {"rate_limit": None})

    assert ran.code == 2, ran
    assert answered(ran, "RateLimit-Remaining") == ["0"], ran


def pages(*, size: int) -> dict[str, str]:
    return {"HEROKU_HEADERS": json.dumps({"Range": f"name ..; max={size}"})}


def test_only_an_answer_that_has_more_behind_it_names_the_next_range(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    heroku.post("/addon-attachments", {"addon": heroku.primary(name), "app": name, "name": "SPARE"})
    rows = cli.run("pg:wait", "-a", name, env=pages(size=2)).requests[0]
    first = cli.run("releases", "-a", name, "-n", "1").requests[0]

    assert (rows["status"], "Next-Range" in rows["answered"]) == (200, False), rows
    assert rows["answered"]["Content-Range"] == "name DATABASE..SPARE", rows
    assert first["headers"]["Range"] == "version ..; max=1, order=desc", first
    version = first["got"][0]["version"]
    assert first["status"] == 206, first
    assert first["answered"]["Next-Range"] == f"version ]{version}..; max=1, order=desc", first


def test_a_range_that_cannot_be_read_is_refused(cli: Cli, name: str) -> None:
    ran = cli.run("ps:scale", "-a", name, env={"HEROKU_HEADERS": json.dumps({"Range": "everything"})})

    assert ran.code == 2, ran
    assert "Error ID: requested_range_not_satisfiable" in ran.said, ran


@pytest.mark.parametrize("accept", ["application/json", "application/vnd.heroku+json; version=2"])
def test_an_api_version_that_is_not_served_is_refused(cli: Cli, name: str, accept: str) -> None:
    ran = cli.run("maintenance", "-a", name, env={"HEROKU_HEADERS": json.dumps({"Accept": accept})})

    assert ran.code == 2, ran
    assert "Error ID: not_acceptable" in ran.said, ran


def test_an_upgrade_by_service_takes_the_only_database_of_the_app(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    addon = heroku.primary(name)
    ran = cli.run("addons:upgrade", "heroku-postgresql:standard-2", "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == ["POST /actions/addons/resolve", f"PATCH /apps/{name}/addons/{addon}"], ran
    assert (
        f"Changing {addon} on {name} from heroku-postgresql:standard-0 to heroku-postgresql:standard-2... done"
        in ran.said
    ), ran


@pytest.mark.parametrize("words", [("heroku-postgresql:standard-3",), ("heroku-postgresql", "standard-3")])
def test_an_upgrade_by_service_with_two_databases_names_both_and_changes_none(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str, words: tuple[str, ...]
) -> None:
    ran = cli.run("addons:upgrade", *words, "-a", name)

    assert ran.code == 1, ran
    assert "Ambiguous identifier; multiple matching add-ons found:" in ran.said, ran
    assert heroku.primary(name) in ran.said, ran
    assert follower in ran.said, ran
    assert ran.asked == ["POST /actions/addons/resolve"], ran


def test_an_upgrade_that_the_api_finds_ambiguous_shows_how_to_name_one(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    heroku.fault("status", "/actions/addons/resolve", status=422, error_id="multiple_matches", message=SEVERAL)
    ran = cli.run("addons:upgrade", "heroku-postgresql:standard-3", "-a", name)

    assert ran.code == 1, ran
    assert "It is not clear which add-on's plan you are trying to change." in ran.said, ran
    assert "Run this: heroku addons:upgrade second heroku-postgresql" in ran.said, ran
    assert ran.writes == [], ran


@pytest.fixture
def other(heroku: LocalHeroku, new_name: Any) -> str:
    """An app without a database of its own."""
    return str(heroku.create_app(new_name(), web=0, with_database=False)["name"])


def test_a_name_with_an_app_before_it_means_that_apps_database(
    cli: Cli, heroku: LocalHeroku, name: str, other: str
) -> None:
    ran = cli.run("pg:info", f"{name}::DATABASE", "-a", other)

    assert ran.code == 0, ran
    sent = ran.sent("POST /actions/addon-attachments/resolve")
    assert sent == {"addon_attachment": "DATABASE", "app": name}, ran
    assert f"Billing App: {name}" in ran.said, ran
    assert heroku.primary(name) in ran.said, ran


def test_a_follower_of_another_apps_database_is_made_by_its_name(
    cli: Cli, heroku: LocalHeroku, name: str, other: str
) -> None:
    words = ("addons:create", "heroku-postgresql:standard-2", "-a", other, "--name", f"{other}-copy")
    ran = cli.run(*words, "--", "--follow", f"{name}::DATABASE")
    info = f"/client/v11/databases/{other}-copy"
    heroku.wait_until("it to be there", lambda: heroku.call("GET", info)[0] == 200)

    assert ran.code == 0, ran
    assert ran.sent(f"POST /apps/{other}/addons")["config"] == {"follow": f"{name}::DATABASE"}, ran
    assert heroku.get(info)["leader"]["name"] == heroku.primary(name)


def test_another_apps_database_is_promoted_by_its_name(cli: Cli, heroku: LocalHeroku, name: str, other: str) -> None:
    ran = cli.run("pg:promote", f"{name}::DATABASE", "-a", other)

    assert ran.code == 0, ran
    assert heroku.primary(other) == heroku.primary(name)


def test_a_name_with_an_app_that_is_not_there_is_said(cli: Cli, name: str) -> None:
    ran = cli.run("pg:promote", "nothere::DATABASE", "-a", name)

    assert ran.code == 2, ran
    assert "Couldn't find that app." in ran.said, ran
    assert ran.writes == [], ran
