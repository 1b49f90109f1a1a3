"""`heroku pg:…`: waiting, unfollowing and promoting, with every branch that promote has."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from conformance.effects import descriptions, names_of, unfollowed
from conformance.heroku_cli import Cli
from local_heroku.launcher import LocalHeroku

ATTACH = "POST /addon-attachments"


def test_unfollow_asks_for_four_things_and_really_promotes(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    ran = cli.run("pg:unfollow", follower, "-a", name, "--confirm", name)
    identity = heroku.get(f"/addons/{follower}")["id"]

    assert ran.code == 0, ran
    assert ran.asked == [
        "POST /actions/addon-attachments/resolve",
        f"GET /client/v11/databases/{identity}",
        f"GET /apps/{name}/config-vars",
        f"PUT /client/v11/databases/{identity}/unfollow",
    ], ran
    assert f"{follower} unfollowing... done" in ran.said, ran

    def writable() -> bool:
        with psycopg.connect(heroku.database_url(follower)) as connection:
            return connection.execute("SELECT pg_is_in_recovery()").fetchone() == (False,)

    heroku.wait_until("the server to be a primary", writable)


def test_unfollow_does_not_wait_for_its_end_and_wait_does(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    heroku.patch("/_control/world", {"latency": {"unfollow": 2, "unfollowed": 8}})
    cli.run("pg:unfollow", follower, "-a", name, "--confirm", name)
    busy = heroku.get(f"/client/v11/databases/{follower}/wait_status")
    waited = cli.run("pg:wait", follower, "-a", name, "--wait-interval", "1")

    assert busy["waiting?"]
    assert waited.code == 0, waited
    assert not heroku.get(f"/client/v11/databases/{follower}/wait_status")["waiting?"]
    assert len([line for line in waited.asked if line.endswith("/wait_status")]) > 1, waited


def test_afterwards_it_is_a_fork_that_cannot_be_followed_for_a_while(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    heroku.patch("/_control/world", {"latency": {"fork_follow": 60}})
    unfollowed(heroku, follower)
    ran = cli.run("pg:info", follower, "-a", name)

    assert "Forked From" in ran.said, ran
    assert "Temporarily Unavailable" in ran.said, ran
    assert "Behind By" not in ran.said, ran


def test_unfollow_on_a_leader_is_refused_by_the_cli(cli: Cli, name: str) -> None:
    ran = cli.run("pg:unfollow", "DATABASE", "-a", name, "--confirm", name)

    assert ran.code == 2, ran
    assert "is not a follower" in ran.said, ran
    assert ran.writes == [], ran


def test_unfollow_with_the_wrong_confirmation_is_aborted(cli: Cli, name: str, follower: str) -> None:
    ran = cli.run("pg:unfollow", follower, "-a", name, "--confirm", "another")

    assert ran.code == 1, ran
    assert "did not match" in ran.said, ran
    assert ran.writes == [], ran


def test_unfollow_without_a_terminal_ends_well_and_does_nothing(cli: Cli, name: str, follower: str) -> None:
    ran = cli.run("pg:unfollow", follower, "-a", name)

    assert ran.code == 0, ran
    assert ran.writes == [], ran


def test_unfollow_can_be_confirmed_by_typing_the_name(cli: Cli, heroku: LocalHeroku, name: str, follower: str) -> None:
    ran = cli.run("pg:unfollow", follower, "-a", name, stdin=f"{name}\n")

    assert ran.code == 0, ran
    assert [line.partition(" ")[0] for line in ran.writes] == ["PUT"], ran


def test_an_unfollow_whose_answer_is_lost_is_sent_again(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    heroku.patch("/_control/world", {"latency": {"unfollow": 2}})
    heroku.fault("reset_after", "/client/v11/.*/unfollow", method="PUT")
    ran = cli.run("pg:unfollow", follower, "-a", name, "--confirm", name)

    assert [line.partition(" ")[0] for line in ran.writes] == ["PUT", "PUT"], ran
    assert ran.code == 2, ran


def test_promote_makes_a_backup_attachment_first_and_then_moves_database(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    old = heroku.primary(name)
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert ran.writes == [ATTACH, ATTACH], ran
    backup, database = (r["sent"] for r in ran.requests if r["method"] == "POST" and r["path"] == "/addon-attachments")
    assert "name" not in backup, ran
    assert database["name"] == "DATABASE", ran
    assert heroku.primary(name) == free
    assert {n.rpartition("_")[0] for n in names_of(heroku, name, old)} == {"HEROKU_POSTGRESQL"}
    assert descriptions(heroku, name)[-2:] == [f"Detach DATABASE (@ref:{old})", f"Attach DATABASE (@ref:{free})"]


def test_promote_makes_no_backup_attachment_where_one_is(cli: Cli, heroku: LocalHeroku, name: str, free: str) -> None:
    heroku.post("/addon-attachments", {"addon": heroku.primary(name), "app": name, "name": "SPARE"})
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert ran.writes == [ATTACH], ran


def test_promote_moves_the_default_pooler_along(cli: Cli, heroku: LocalHeroku, name: str, free: str) -> None:
    pool = {"app": name, "credential": "default"}
    heroku.post(f"/client/v11/databases/{heroku.primary(name)}/connection-pooling", pool)
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert heroku.get(f"/apps/{name}/addon-attachments/DATABASE_CONNECTION_POOL")["addon"]["name"] == free


def test_promote_leaves_a_pooler_of_another_name_on_the_old_database(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    old = heroku.primary(name)
    pool = {"app": name, "credential": "default", "name": "OTHER_POOL"}
    heroku.post(f"/client/v11/databases/{old}/connection-pooling", pool)
    cli.run("pg:promote", free, "-a", name)

    assert heroku.get(f"/apps/{name}/addon-attachments/OTHER_POOL")["addon"]["name"] == old


def test_what_is_already_promoted_is_refused(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("pg:promote", "DATABASE", "-a", name)

    assert ran.code == 2, ran
    assert "is already promoted on" in ran.said, ran
    assert ran.writes == [], ran


def test_a_second_promote_of_the_same_database_is_refused(cli: Cli, name: str, free: str) -> None:
    first, second = (cli.run("pg:promote", free, "-a", name) for _ in range(2))

    assert (first.code, second.code) == (0, 2), f"{first}{second}"
    assert second.writes == [], second


def test_a_database_that_is_busy_is_refused_after_the_backup_attachment_was_made(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    heroku.patch(f"/_control/databases/{free}", {"waiting": "upgrading"})
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 2, ran
    assert "cannot be promoted while in state: upgrading" in ran.said, ran
    assert ran.writes == [ATTACH], ran
    assert heroku.primary(name) != free


def test_force_promotes_a_busy_database(cli: Cli, heroku: LocalHeroku, name: str, free: str) -> None:
    heroku.patch(f"/_control/databases/{free}", {"waiting": "upgrading"})
    ran = cli.run("pg:promote", free, "-a", name, "--force")

    assert ran.code == 0, ran
    assert heroku.primary(name) == free
    assert not [line for line in ran.asked if line.endswith("/wait_status")], ran


def test_a_database_that_still_follows_is_promoted_with_a_warning_and_cannot_be_written(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    ran = cli.run("pg:promote", follower, "-a", name)

    assert ran.code == 0, ran
    assert "follow" in ran.said, ran
    assert heroku.primary(name) == follower
    with psycopg.connect(heroku.database_url(follower)) as connection, pytest.raises(psycopg.Error):
        connection.execute("INSERT INTO customers (name) VALUES ('lost')")


def test_an_app_without_database_gets_one_without_a_detach(
    cli: Cli, heroku: LocalHeroku, name: str, new_name: Callable[[], str]
) -> None:
    bare = heroku.create_app(new_name(), web=0, with_database=False)["name"]
    addon = heroku.primary(name)
    heroku.post("/addon-attachments", {"addon": addon, "app": bare, "name": "SHARED"})
    ran = cli.run("pg:promote", "SHARED", "-a", bare)

    assert ran.code == 0, ran
    assert heroku.primary(bare) == addon
    assert descriptions(heroku, bare)[-1] == f"Attach DATABASE (@ref:{addon})"


def test_promote_as_another_name_leaves_database_alone(cli: Cli, heroku: LocalHeroku, name: str, free: str) -> None:
    old = heroku.primary(name)
    ran = cli.run("pg:promote", free, "-a", name, "--as", "REPORTING")

    assert ran.code == 0, ran
    assert heroku.primary(name) == old
    assert heroku.get(f"/apps/{name}/addon-attachments/REPORTING")["addon"]["name"] == free


def test_a_promote_acts_on_one_app_only(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, new_name: Callable[[], str]
) -> None:
    old = heroku.primary(name)
    other = heroku.create_app(new_name(), web=0, share=old)["name"]
    cli.run("pg:promote", free, "-a", name)

    assert heroku.primary(other) == old


RELEASE = "python -m local_heroku.sample_app release"


def test_promote_waits_for_a_good_release_phase(cli: Cli, heroku: LocalHeroku, name: str, free: str) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": RELEASE})
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert "pg:promote failed" not in ran.said, ran
    assert f"GET /apps/{name}/releases" in ran.asked, ran
    assert heroku.get(f"/apps/{name}/releases")[-1]["status"] == "succeeded"


def test_promote_waits_while_the_release_phase_is_pending(cli: Cli, heroku: LocalHeroku, name: str, free: str) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": "sleep 3"})
    ran = cli.run("pg:promote", free, "-a", name)
    polls = [r["got"]["status"] for r in ran.requests if r["path"].startswith(f"/apps/{name}/releases/")]

    assert ran.code == 0, ran
    assert polls[0] == "pending", polls
    assert "succeeded" in polls, polls


def test_promote_ends_well_although_the_release_phase_failed(
    cli: Cli, heroku: LocalHeroku, shop: dict[str, Any], name: str, free: str
) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": "false"})
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert "pg:promote failed because" in ran.said, ran
    assert heroku.get(f"/apps/{name}/releases")[-1]["status"] == "failed"


def test_dynos_of_a_failed_release_go_on_with_the_old_database(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    old_url = heroku.database_url(heroku.primary(name))
    heroku.patch(f"/_control/apps/{name}", {"release": "false"})
    cli.run("pg:promote", free, "-a", name)
    current = [r for r in heroku.get(f"/apps/{name}/releases") if r["current"]]

    assert heroku.get(f"/apps/{name}/releases/{current[0]['id']}/config-vars")["DATABASE_URL"] == old_url


def test_the_release_phase_of_the_detach_runs_without_database_url(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": RELEASE})
    cli.run("pg:promote", free, "-a", name)
    detach, attach = heroku.get(f"/apps/{name}/releases")[-2:]

    assert "DATABASE_URL" not in heroku.get(f"/apps/{name}/releases/{detach['id']}/config-vars")
    assert "DATABASE_URL" in heroku.get(f"/apps/{name}/releases/{attach['id']}/config-vars")


def test_an_app_without_database_and_with_a_release_phase_cannot_be_checked(
    cli: Cli, heroku: LocalHeroku, name: str, new_name: Callable[[], str]
) -> None:
    bare = heroku.create_app(new_name(), web=0, with_database=False)["name"]
    heroku.post("/addon-attachments", {"addon": heroku.primary(name), "app": bare, "name": "SHARED"})
    heroku.patch(f"/_control/apps/{bare}", {"release": RELEASE})
    ran = cli.run("pg:promote", "SHARED", "-a", bare)

    assert ran.code == 2, ran
    assert "Unable to check release phase" in ran.said, ran


def test_a_wait_for_a_database_that_is_being_made_goes_on_until_it_is_there(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    heroku.patch("/_control/world", {"latency": {"provision": 12}})
    heroku.post(f"/apps/{name}/addons", {"plan": "heroku-postgresql:standard-0", "name": f"{name}-slow"})
    ran = cli.run("pg:wait", f"{name}-slow", "-a", name, "--wait-interval", "1")
    polls = [r["status"] for r in ran.requests if r["path"].endswith("/wait_status")]

    assert ran.code == 0, ran
    assert polls[0] == 404, polls
    assert polls[-1] == 200, polls


def test_behind_by_counts_what_the_follower_has_not_replayed(
    cli: Cli, heroku: LocalHeroku, shop: dict[str, Any], name: str, follower: str
) -> None:
    cli.run("ps:scale", "web=0", "worker=0", "-a", name)
    heroku.patch(f"/_control/databases/{follower}", {"hold_replay": True})
    with psycopg.connect(shop["database_url"], autocommit=True) as leader:
        for number in range(5):
            leader.execute("INSERT INTO customers (name) VALUES (%s)", (str(number),))
    behind = cli.run("pg:info", follower, "-a", name)
    heroku.patch(f"/_control/databases/{follower}", {"hold_replay": False})
    info = f"/client/v11/databases/{follower}"
    heroku.wait_until("it to catch up", lambda: "0 commits" in str(heroku.get(info)["info"]))

    assert "Behind By" in behind.said, behind
    assert "0 commits" not in behind.said.partition("Behind By")[2][:20], behind


def test_a_pooler_is_attached_under_its_own_name_and_namespace(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("pg:connection-pooling:attach", "DATABASE", "-a", name)

    assert ran.code == 0, ran
    pool = heroku.get(f"/apps/{name}/addon-attachments/DATABASE_CONNECTION_POOL")
    assert pool["namespace"] == "connection-pooling:default"


def test_a_backup_schedule_is_kept_under_the_name_of_the_variable(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("pg:backups:schedule", "DATABASE", "-a", name, "--at", "04:00 UTC")
    schedules = heroku.get(f"/client/v11/databases/{heroku.primary(name)}/transfer-schedules")

    assert ran.code == 0, ran
    assert [(s["name"], s["hour"]) for s in schedules] == [("DATABASE_URL", 4)]


def test_a_backup_schedule_is_taken_away(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    path = f"/client/v11/databases/{heroku.primary(name)}/transfer-schedules"
    heroku.post(path, {"hour": 3, "timezone": "UTC", "schedule_name": "DATABASE_URL"})
    ran = cli.run("pg:backups:unschedule", "DATABASE", "-a", name)

    assert ran.code == 0, ran
    assert heroku.get(path) == []
