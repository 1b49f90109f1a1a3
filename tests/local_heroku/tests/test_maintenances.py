"""Heroku's maintenance of a database and the change of PostgreSQL's version, seen through the Data API."""

from typing import Any

import pytest

from local_heroku.launcher import LocalHeroku


@pytest.mark.parametrize(
    ("day", "time", "window"),
    [
        ("monday", "20:30", "Mondays 20:30 to Tuesdays 00:30 UTC"),
        ("Sunday", "11:30pm", "Sundays 23:30 to Mondays 03:30 UTC"),
        ("friday", "12:00AM", "Fridays 00:00 to Fridays 04:00 UTC"),
        ("friday", "12:00 PM", "Fridays 12:00 to Fridays 16:00 UTC"),
    ],
)
def test_a_window_of_four_hours_starts_at_the_time_that_was_given(
    heroku: LocalHeroku, shop: dict[str, Any], day: str, time: str, window: str
) -> None:
    path = f"/data/maintenances/v1/{shop['addon_id']}/window"
    answer = heroku.post(path, {"day_of_week": day, "time_of_day": time})

    assert answer["window"] == heroku.get(path)["window"] == window
    assert answer["previous_window"] == "Mondays 20:30 to Tuesdays 00:30 UTC"


@pytest.mark.parametrize(("day", "time"), [("someday", "20:30"), ("monday", "24:00"), ("monday", "noon")])
def test_what_is_no_window_is_refused_and_changes_nothing(
    heroku: LocalHeroku, shop: dict[str, Any], day: str, time: str
) -> None:
    path = f"/data/maintenances/v1/{shop['addon_id']}/window"
    before = heroku.get(path)

    assert heroku.call("POST", path, {"day_of_week": day, "time_of_day": time})[0] == 422
    assert heroku.get(path) == before


def test_while_a_maintenance_runs_the_database_is_waiting(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    path = f"/data/maintenances/v1/{shop['addon_id']}"
    status = f"/client/v11/databases/{shop['addon_id']}/wait_status"
    heroku.patch("/_control/world", {"latency": {"maintenance": 0.5}})
    heroku.patch(f"/_control/databases/{shop['addon']}", {"maintenance": {"status": "ready"}})
    heroku.post(f"{path}/run")
    heroku.wait_until("the database to be waiting", lambda: heroku.get(status)["waiting?"])
    running = heroku.get(path)["status"]
    heroku.wait_until("the maintenance to be done", lambda: heroku.get(path)["status"] == "completed")

    assert running == "running"
    assert not heroku.get(status)["waiting?"]


def test_the_maintenances_of_an_app_are_those_of_its_databases(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    path = f"/data/maintenances/v1/apps/{shop['id']}"
    without = heroku.get(path)
    heroku.patch(f"/_control/databases/{shop['addon']}", {"maintenance": {"status": "pending"}})
    (due,) = heroku.get(path)["maintenances"]

    assert without == {"maintenances": []}
    assert (due["status"], due["addon"]["name"], due["app"]["name"]) == ("pending", shop["addon"], shop["name"])


@pytest.mark.parametrize("act", ["prepare", "dry_run", "cancel"])
def test_only_a_leader_has_its_upgrade_prepared(heroku: LocalHeroku, shop: dict[str, Any], act: str) -> None:
    copy = heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-copy")

    status, answer = heroku.call("POST", f"/client/v11/databases/{copy}/upgrade/{act}")

    assert (status, answer["id"]) == (400, "bad_request")
    assert heroku.get(f"/client/v11/databases/{copy}")["following"]
