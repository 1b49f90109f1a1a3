"""`heroku data:maintenances:…` and `heroku pg:upgrade:…`: what Heroku itself does to a database."""

from typing import Any

import psycopg
import pytest

from conformance.heroku_cli import Cli
from local_heroku.launcher import LocalHeroku

DUE = {"status": "pending", "required_by": "2026-12-01", "scheduled_for": "2026-11-24T20:30:00Z"}


@pytest.mark.parametrize("time", ["23:30", "11:30PM"])
def test_a_maintenance_window_is_set_and_shown_by_pg_info(cli: Cli, name: str, shop: dict[str, Any], time: str) -> None:
    ran = cli.run("data:maintenances:window:update", shop["addon"], "sunday", time, "-a", name)
    shown = cli.run("data:maintenances:window", shop["addon"], "-a", name)
    told = cli.run("pg:info", "DATABASE", "-a", name)

    assert ran.code == 0, ran
    assert "Mondays 20:30 to Tuesdays 00:30 UTC" in ran.out, ran
    assert "Sundays 23:30 to Mondays 03:30 UTC" in shown.out, shown
    assert "Sundays 23:30 to Mondays 03:30 UTC" in told.out, told


def test_a_maintenance_that_is_due_runs_and_breaks_sessions(
    cli: Cli, heroku: LocalHeroku, name: str, shop: dict[str, Any]
) -> None:
    heroku.patch(f"/_control/databases/{shop['addon']}", {"maintenance": DUE})
    with psycopg.connect(shop["database_url"]) as session:
        ran = cli.run("data:maintenances:run", shop["addon"], "-a", name, "--confirm", name, "--wait")

        assert ran.code == 0, ran
        with pytest.raises(psycopg.OperationalError):
            session.execute("SELECT 1")
    info = cli.run("data:maintenances:info", shop["addon"], "-a", name)
    assert "completed" in info.out, info


def test_without_a_maintenance_there_is_none_to_run_and_no_history(cli: Cli, name: str, shop: dict[str, Any]) -> None:
    ran = cli.run("data:maintenances:run", shop["addon"], "-a", name, "--confirm", name)
    history = cli.run("data:maintenances:history", shop["addon"], "-a", name)

    assert ran.code == 2, ran
    assert "does not have any maintenance history" in history.said + history.out, history


def test_a_maintenance_is_put_off_by_weeks(cli: Cli, heroku: LocalHeroku, name: str, shop: dict[str, Any]) -> None:
    heroku.patch(f"/_control/databases/{shop['addon']}", {"maintenance": DUE})

    ran = cli.run("data:maintenances:schedule", shop["addon"], "-a", name, "--weeks", "2")

    assert ran.code == 0, ran
    said = " ".join((ran.said + ran.out).split())
    assert "changed from 2026-11-24T20:30:00Z to 2026-12-08T20:30:00Z" in said, ran


def test_an_upgrade_of_a_follower_cuts_it_off(cli: Cli, heroku: LocalHeroku, name: str, follower: str) -> None:
    ran = cli.run("pg:upgrade:run", follower, "-a", name, "--confirm", name)
    waited = cli.run("pg:upgrade:wait", follower, "-a", name, "--wait-interval", "1")

    assert ran.code == 0, ran
    assert "Started the upgrade." in ran.said, ran
    assert waited.code == 0, waited
    assert heroku.get(f"/client/v11/databases/{follower}")["following"] is None


def test_an_upgrade_of_a_leader_has_to_be_prepared(cli: Cli, name: str) -> None:
    words = ("DATABASE", "-a", name, "--confirm", name)
    early = cli.run("pg:upgrade:run", *words)
    prepared = cli.run("pg:upgrade:prepare", *words)
    twice = cli.run("pg:upgrade:prepare", *words)
    ran = cli.run("pg:upgrade:run", *words)

    assert [r.code for r in (early, prepared, twice, ran)] == [2, 0, 2, 0], (early, prepared, twice, ran)
    assert "You haven't scheduled a version upgrade" in early.said, early
    assert "upgrade already scheduled" in twice.said, twice


def test_an_upgrade_that_was_prepared_can_be_cancelled(cli: Cli, name: str) -> None:
    words = ("DATABASE", "-a", name, "--confirm", name)
    cli.run("pg:upgrade:prepare", *words)
    cancelled = cli.run("pg:upgrade:cancel", *words)
    ran = cli.run("pg:upgrade:run", *words)

    assert cancelled.code == 0, cancelled
    assert ran.code == 2, ran
