"""`heroku addons:…`: what is sent, what is refused, and what becomes of the databases."""

from typing import Any

import psycopg
import pytest

from conformance.heroku_cli import Cli
from local_heroku.launcher import LocalHeroku

PLAN = "heroku-postgresql:standard-2"


def provisioned(heroku: LocalHeroku, addon: str) -> bool:
    return bool(heroku.get(f"/addons/{addon}")["state"] == "provisioned")


def newest(heroku: LocalHeroku, app: str) -> dict[str, Any]:
    addons = sorted(heroku.get(f"/apps/{app}/addons"), key=lambda a: str(a["created_at"]))
    return dict(addons[-1])


@pytest.mark.parametrize(
    "syntax", [("--follow", "DATABASE"), ("--", "--follow", "DATABASE"), ("--", "--follow=DATABASE")]
)
def test_a_follower_is_made_in_the_background_by_either_syntax(
    cli: Cli, heroku: LocalHeroku, name: str, shop: dict[str, Any], syntax: tuple[str, ...]
) -> None:
    ran = cli.run("addons:create", PLAN, "-a", name, *syntax)

    assert ran.code == 0, ran
    assert ran.asked == [f"POST /apps/{name}/addons"], ran
    assert ran.sent(f"POST /apps/{name}/addons")["config"] == {"follow": "DATABASE"}, ran
    assert "is being created in the background" in ran.said, ran
    made = newest(heroku, name)["name"]
    heroku.wait_until("the follower to be provisioned", lambda: provisioned(heroku, made))
    with psycopg.connect(heroku.database_url(made)) as follower:
        assert follower.execute("SELECT pg_is_in_recovery()").fetchone() == (True,)


def test_with_wait_the_command_ends_when_the_add_on_is_there(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("addons:create", PLAN, "-a", name, "--wait", "--", "--follow", "DATABASE")

    assert ran.code == 0, ran
    assert newest(heroku, name)["state"] == "provisioned"
    assert [line.partition(" ")[0] for line in ran.asked[:2]] == ["POST", "GET"], ran


def test_a_new_database_gets_the_name_and_the_attachment_that_are_asked_for(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    words = ("addons:create", PLAN, "-a", name, "--name", f"{name}-mine", "--as", "AUDIT")
    ran = cli.run(*words)

    assert ran.code == 0, ran
    assert heroku.get(f"/apps/{name}/addon-attachments/AUDIT")["addon"]["name"] == f"{name}-mine"


REFUSED_CREATES: list[tuple[tuple[str, ...], str]] = [
    (("heroku-postgresql:standard-99",), "Couldn't find either the add-on service or the add-on plan"),
    (("nosuchservice:plan",), "Couldn't find either the add-on service or the add-on plan"),
    ((PLAN, "--", "--follow", "NOTHERE"), "received an error from the add-on provider"),
    (("heroku-postgresql:essential-0", "--", "--follow", "DATABASE"), "followers are not supported"),
    (("heroku-postgresql:mini", "--", "--follow", "DATABASE"), "followers are not supported"),
    (("heroku-postgresql:basic", "--", "--follow", "DATABASE"), "followers are not supported"),
    (("heroku-postgresql:advanced-beta", "--", "--follow", "DATABASE"), "followers are not supported"),
    (("heroku-postgresql:shield-0", "--", "--follow", "DATABASE"), "cannot follow"),
]


@pytest.mark.parametrize(("words", "says"), REFUSED_CREATES, ids=[" ".join(r[0]) for r in REFUSED_CREATES])
def test_a_database_that_cannot_be_made_is_refused_with_the_reason(
    cli: Cli, heroku: LocalHeroku, name: str, words: tuple[str, ...], says: str
) -> None:
    before = len(heroku.get(f"/apps/{name}/addons"))
    ran = cli.run("addons:create", words[0], "-a", name, *words[1:])

    assert ran.code == 2, ran
    assert says in ran.said, ran
    assert len(heroku.get(f"/apps/{name}/addons")) == before


def test_a_follower_of_a_follower_is_refused(cli: Cli, name: str, follower: str) -> None:
    ran = cli.run("addons:create", PLAN, "-a", name, "--", "--follow", follower)

    assert ran.code == 2, ran
    assert "is itself a follower" in ran.said, ran


def test_a_database_that_was_just_unfollowed_cannot_be_followed_yet(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    heroku.patch("/_control/world", {"latency": {"fork_follow": 60}})
    heroku.put(f"/client/v11/databases/{follower}/unfollow")
    status = f"/client/v11/databases/{follower}/wait_status"
    heroku.wait_until("the unfollow to end", lambda: not heroku.get(status)["waiting?"])
    ran = cli.run("addons:create", PLAN, "-a", name, "--", "--follow", follower)

    assert ran.code == 2, ran
    assert "Temporarily Unavailable" in ran.said, ran


@pytest.mark.parametrize(("leader", "target"), [("premium-9", "standard-2"), ("standard-3", "standard-0")])
def test_a_follower_too_many_sizes_below_its_leader_is_refused(
    cli: Cli, heroku: LocalHeroku, name: str, leader: str, target: str
) -> None:
    other = heroku.create_app(f"{name}-l", web=0, plan=leader)
    ran = cli.run("addons:create", f"heroku-postgresql:{target}", "-a", name, "--", "--follow", other["addon"])
    heroku.delete(f"/_control/apps/{name}-l")

    assert ran.code == 2, ran
    assert "plan sizes below" in ran.said, ran


def test_a_taken_attachment_name_needs_confirmation_and_gets_it_from_the_flag(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    heroku.post("/addon-attachments", {"addon": heroku.primary(name), "app": name, "name": "AUDIT"})
    ran = cli.run("addons:create", PLAN, "-a", name, "--as", "AUDIT", "--confirm", name)

    assert ran.code == 0, ran
    assert heroku.get(f"/apps/{name}/addon-attachments/AUDIT")["addon"]["name"] != heroku.primary(name)


def test_a_taken_attachment_name_is_asked_for_and_without_a_terminal_nothing_is_done(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    ran = cli.run("addons:create", PLAN, "-a", name, "--as", "DATABASE")

    assert ran.code == 0, ran
    assert ran.requests[0]["got"]["id"] == "confirmation_required", ran
    assert len(heroku.get(f"/apps/{name}/addons")) == 1


def test_a_create_whose_answer_is_lost_is_sent_again_and_buys_a_second_database(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    heroku.fault("reset_after", f"/apps/{name}/addons", method="POST")
    ran = cli.run("addons:create", PLAN, "-a", name)

    assert ran.code == 0, ran
    assert ran.asked.count(f"POST /apps/{name}/addons") == 2, ran
    assert len(heroku.get(f"/apps/{name}/addons")) == 3


def test_a_name_of_its_own_makes_the_second_try_a_refusal(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    heroku.fault("reset_after", f"/apps/{name}/addons", method="POST")
    ran = cli.run("addons:create", PLAN, "-a", name, "--name", f"{name}-only")

    assert ran.code == 2, ran
    assert "is already taken" in ran.said, ran
    assert len(heroku.get(f"/apps/{name}/addons")) == 2


def test_waiting_for_an_add_on_ends_when_it_is_provisioned(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    heroku.patch("/_control/world", {"latency": {"provision": 2}})
    heroku.post(f"/apps/{name}/addons", {"plan": PLAN, "name": f"{name}-slow"})
    ran = cli.run("addons:wait", f"{name}-slow", "-a", name, "--wait-interval", "1")

    assert ran.code == 0, ran
    assert provisioned(heroku, f"{name}-slow")


def test_the_variable_of_a_new_database_is_there_only_with_its_second_release(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    heroku.patch("/_control/world", {"latency": {"provision": 8}})
    cli.run("addons:create", PLAN, "-a", name, "--as", "AUDIT")
    early = cli.run("config:get", "AUDIT_URL", "-a", name)
    heroku.wait_until("it to be provisioned", lambda: provisioned(heroku, newest(heroku, name)["name"]))
    late = cli.run("config:get", "AUDIT_URL", "-a", name)
    releases = cli.run("releases", "-a", name)

    assert early.out.strip() == "", early
    assert late.out.startswith("postgres://"), late
    assert "completed provisioning, setting AUDIT_URL." in releases.said, releases


def test_another_app_can_be_attached_and_detached(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    heroku.create_app(f"{name}-o", web=0, with_database=False)
    addon = heroku.primary(name)
    attached = cli.run("addons:attach", addon, "-a", f"{name}-o", "--as", "SHARED")
    seen = heroku.get(f"/apps/{name}-o/config-vars").get("SHARED_URL")
    detached = cli.run("addons:detach", "SHARED", "-a", f"{name}-o")
    left = heroku.get(f"/apps/{name}-o/addon-attachments")
    heroku.delete(f"/_control/apps/{name}-o")

    assert (attached.code, detached.code) == (0, 0), f"{attached}{detached}"
    assert seen == heroku.database_url(addon)
    assert left == []
    assert attached.writes == ["POST /addon-attachments"], attached


def test_an_attachment_over_a_taken_name_makes_a_detach_and_an_attach(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    old = heroku.primary(name)
    heroku.post("/addon-attachments", {"addon": old, "app": name})
    ran = cli.run("addons:attach", follower, "-a", name, "--as", "DATABASE", "--confirm", name)
    last = [r["description"] for r in heroku.get(f"/apps/{name}/releases")][-2:]

    assert ran.code == 0, ran
    assert last == [f"Detach DATABASE (@ref:{old})", f"Attach DATABASE (@ref:{follower})"]


def test_an_attachment_over_a_taken_name_with_the_wrong_confirmation_is_aborted(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    old = heroku.primary(name)
    ran = cli.run("addons:attach", follower, "-a", name, "--as", "DATABASE", "--confirm", "another")

    assert ran.code != 0, ran
    assert heroku.primary(name) == old


def test_a_credential_is_attached_with_a_url_of_its_own(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    addon = heroku.primary(name)
    heroku.post(f"/postgres/v0/databases/{addon}/credentials", {"name": "reports"})
    ran = cli.run("addons:attach", addon, "-a", name, "--credential", "reports", "--as", "REPORTS")
    variables = heroku.get(f"/apps/{name}/config-vars")

    assert ran.code == 0, ran
    assert ran.sent("POST /addon-attachments")["namespace"] == "credential:reports", ran
    assert variables["REPORTS_URL"].startswith("postgres://reports:")
    with psycopg.connect(variables["REPORTS_URL"]) as connection:  # a new one may sign in, and no more
        assert connection.execute("SELECT current_user, to_regclass('orders')").fetchone() == ("reports", None)


def test_a_credential_that_does_not_exist_is_not_attached(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("addons:attach", heroku.primary(name), "-a", name, "--credential", "nobody")

    assert ran.code != 0, ran
    assert "Could not find credential nobody" in ran.said, ran
    assert ran.writes == [], ran


def test_the_last_billing_attachment_cannot_be_detached(cli: Cli, name: str) -> None:
    ran = cli.run("addons:detach", "DATABASE", "-a", name)

    assert ran.code == 2, ran
    assert "is the last billing attachment to" in ran.said, ran


def test_an_attachment_that_is_not_there_cannot_be_detached(cli: Cli, name: str) -> None:
    ran = cli.run("addons:detach", "NOTHERE", "-a", name)

    assert ran.code == 2, ran
    assert "Couldn't find that add on attachment." in ran.said, ran


def test_herokus_own_upgrade_keeps_the_add_on_its_name_and_every_row(
    cli: Cli, heroku: LocalHeroku, name: str, shop: dict[str, Any]
) -> None:
    addon = heroku.primary(name)
    ran = cli.run("addons:upgrade", addon, PLAN, "-a", name)
    status = f"/client/v11/databases/{addon}/wait_status"
    heroku.wait_until("the upgrade to end", lambda: not heroku.get(status)["waiting?"])

    assert ran.code == 0, ran
    assert [line.partition(" ")[0] for line in ran.writes] == ["PATCH"], ran
    assert heroku.get(f"/addons/{addon}")["plan"]["name"] == PLAN
    assert heroku.primary(name) == addon
    assert heroku.database_url(addon) != shop["database_url"]
    with psycopg.connect(heroku.database_url(addon)) as connection:
        assert connection.execute("SELECT count(*) FROM orders WHERE source = 'seed'").fetchone() == (10,)


def test_herokus_own_upgrade_takes_followers_along(cli: Cli, heroku: LocalHeroku, name: str, follower: str) -> None:
    addon = heroku.primary(name)
    cli.run("addons:upgrade", addon, "heroku-postgresql:standard-3", "-a", name)
    status = f"/client/v11/databases/{addon}/wait_status"
    heroku.wait_until("the upgrade to end", lambda: not heroku.get(status)["waiting?"])
    with psycopg.connect(heroku.database_url(addon), autocommit=True) as connection:
        connection.execute("INSERT INTO customers (name) VALUES ('after the upgrade')")

    def arrived() -> bool:
        with psycopg.connect(heroku.database_url(follower)) as connection:
            return connection.execute("SELECT count(*) FROM customers").fetchone() == (1,)

    heroku.wait_until("the row to reach the follower", arrived)


REFUSED_UPGRADES = [
    ("heroku-postgresql:standard-99", "Couldn't find either the add-on service or the add-on plan"),
    ("heroku-postgresql:essential-1", "Essential plans change only among themselves"),
]


@pytest.mark.parametrize(("plan", "says"), REFUSED_UPGRADES)
def test_an_upgrade_that_heroku_does_not_do_is_refused(
    cli: Cli, heroku: LocalHeroku, name: str, plan: str, says: str
) -> None:
    ran = cli.run("addons:upgrade", heroku.primary(name), plan, "-a", name)

    assert ran.code != 0, ran
    assert says in ran.said, ran


def test_an_add_on_is_destroyed_with_its_attachments_and_its_server(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str
) -> None:
    url = heroku.database_url(follower)
    ran = cli.run("addons:destroy", follower, "-a", name, "--confirm", name)

    assert ran.code == 0, ran
    assert heroku.call("GET", f"/addons/{follower}")[0] == 404
    assert "HEROKU_POSTGRESQL" not in str(heroku.get(f"/apps/{name}/config-vars"))
    assert refuses(url)


def refuses(url: str) -> bool:
    try:
        psycopg.connect(url, connect_timeout=5).close()
    except psycopg.OperationalError:
        return True
    return False


def test_a_destroy_with_the_wrong_confirmation_does_nothing(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("addons:destroy", heroku.primary(name), "-a", name, "--confirm", "another")

    assert ran.code == 1, ran
    assert f"Confirmation another did not match {name}. Aborted." in ran.said, ran
    assert ran.writes == [], ran


def test_a_destroy_without_a_terminal_ends_well_and_does_nothing(cli: Cli, heroku: LocalHeroku, name: str) -> None:
    ran = cli.run("addons:destroy", heroku.primary(name), "-a", name)

    assert ran.code == 0, ran
    assert ran.writes == [], ran
    assert heroku.get(f"/addons/{heroku.primary(name)}")["state"] == "provisioned"


def test_a_destroy_can_be_confirmed_by_typing_the_name(cli: Cli, heroku: LocalHeroku, name: str, follower: str) -> None:
    ran = cli.run("addons:destroy", follower, "-a", name, stdin=f"{name}\n")

    assert ran.code == 0, ran
    assert heroku.call("GET", f"/addons/{follower}")[0] == 404


def test_a_destroy_of_another_apps_add_on_is_refused_before_it_is_asked_for(
    cli: Cli, heroku: LocalHeroku, name: str
) -> None:
    heroku.create_app(f"{name}-o", web=0, with_database=False)
    addon = heroku.primary(name)
    ran = cli.run("addons:destroy", addon, "-a", f"{name}-o", "--confirm", f"{name}-o")
    heroku.delete(f"/_control/apps/{name}-o")

    assert ran.code == 1, ran
    assert f"is on {name} not {name}-o" in ran.said, ran
    assert ran.writes == [], ran


@pytest.mark.parametrize("force", [False, True])
def test_an_add_on_that_another_app_uses_is_destroyed_only_by_force(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str, *, force: bool
) -> None:
    heroku.create_app(f"{name}-o", web=0, with_database=False)
    heroku.post("/addon-attachments", {"addon": follower, "app": f"{name}-o", "name": "SHARED"})
    ran = cli.run("addons:destroy", follower, "-a", name, "--confirm", name, *(["--force"] if force else []))
    gone = heroku.call("GET", f"/addons/{follower}")[0] == 404
    heroku.delete(f"/_control/apps/{name}-o")

    assert (ran.code == 0) == force, ran
    assert gone == force
