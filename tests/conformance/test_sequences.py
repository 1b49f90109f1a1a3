"""All that the commands of a changeover ask for, in order, and what they print when they end well."""

from conformance.heroku_cli import Cli
from local_heroku.launcher import LocalHeroku

PLAN = "heroku-postgresql:standard-2"


def test_scaling_is_two_requests_and_says_what_runs_now(cli: Cli, name: str) -> None:
    ran = cli.run("ps:scale", "web=0", "worker=2", "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == [f"GET /apps/{name}", f"PATCH /apps/{name}/formation"], ran
    assert "Scaling dynos... done, now running web at 0:Standard-1X, worker at 2:Standard-1X" in ran.said, ran


def test_a_destroy_is_two_requests_by_id_and_says_that_it_is_done(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    app, addon = heroku.get(f"/apps/{name}")["id"], heroku.get(f"/addons/{follower}")["id"]
    ran = cli.run("addons:destroy", follower, "-a", name, "--confirm", name)

    assert ran.code == 0, ran
    assert ran.asked == ["POST /actions/addons/resolve", f"DELETE /apps/{app}/addons/{addon}"], ran
    assert ran.sent(f"DELETE /apps/{app}/addons/{addon}") == {"force": False}, ran
    assert f"Destroying {follower} on {name}... done" in ran.said, ran


def test_an_attachment_is_three_requests_and_says_which_release_it_made(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    addon = heroku.primary(name)
    ran = cli.run("addons:attach", addon, "-a", name, "--as", "AUDIT")
    version = heroku.get(f"/apps/{name}/releases")[-1]["version"]

    assert ran.code == 0, ran
    assert ran.asked == [f"GET /addons/{addon}", "POST /addon-attachments", f"GET /apps/{name}/releases"], ran
    assert f"Attaching {addon} as AUDIT to {name}... done" in ran.said, ran
    assert f"Setting AUDIT config vars and restarting {name}... done, v{version}" in ran.said, ran


def test_a_follower_is_one_request_and_is_said_to_be_made_in_the_background(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    ran = cli.run("addons:create", PLAN, "-a", name, "--name", f"{name}-copy", "--", "--follow", "DATABASE")

    assert ran.code == 0, ran
    assert ran.asked == [f"POST /apps/{name}/addons"], ran
    assert f"Creating {PLAN} on {name}... contract" in ran.said, ran
    assert f"{name}-copy is being created in the background. The app will restart when complete..." in ran.said, ran
    assert f"Run heroku addons:info {name}-copy to check creation progress." in ran.said, ran


def test_maintenance_is_one_request_and_says_that_it_is_done(cli: Cli, name: str) -> None:
    ran = cli.run("maintenance:on", "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == [f"PATCH /apps/{name}"], ran
    assert f"Enabling maintenance mode for {name}... done" in ran.said, ran
