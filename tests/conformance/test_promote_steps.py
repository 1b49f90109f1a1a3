"""`heroku pg:promote` step by step: whole request sequences, what it prints, and where it can stop half-way."""

from pathlib import Path

import psycopg
import pytest

from conformance.effects import descriptions, names_of, release_of, running_variables
from conformance.heroku_cli import Cli, Ran
from local_heroku.launcher import LocalHeroku

RESOLVE = "POST /actions/addon-attachments/resolve"
ATTACH = "POST /addon-attachments"
POOL, OF_POOLER = "DATABASE_CONNECTION_POOL", "connection-pooling:default"
FAST_CLOCK = {"NODE_OPTIONS": f"--require {Path(__file__).with_name('fast_clock.cjs')}"}
GOOD, NEVER = "true", "false"
WITH_DATABASE, WITHOUT_DATABASE = 'test -n "$DATABASE_URL"', 'test -z "$DATABASE_URL"'
"""Release commands; between the two releases of a promote an app has no DATABASE_URL."""


def steps(heroku: LocalHeroku, app: str, addon: str, *attached: str) -> list[str]:
    """What a promote asks for up to the formation, with these writes after the state of the database is known."""
    data = f"/client/v11/databases/{heroku.get(f'/addons/{addon}')['id']}"
    looks = [RESOLVE, f"GET /apps/{app}/addon-attachments"]
    return [*looks, f"GET {data}/wait_status", *attached, f"GET {data}", f"GET /apps/{app}/formation"]


def sent(ran: Ran) -> list[tuple[str, str | None, str | None]]:
    """Add-on, name and namespace of every attachment that was asked for."""
    bodies = [r["sent"] for r in ran.requests if f"{r['method']} {r['path']}" == ATTACH]
    return [(b["addon"]["name"], b.get("name"), b.get("namespace")) for b in bodies]


@pytest.fixture
def spare(heroku: LocalHeroku, name: str) -> str:
    """The database of the app, attached under a second name, so that a promote needs no backup attachment."""
    old = heroku.primary(name)
    heroku.post("/addon-attachments", {"addon": old, "app": name, "name": "SPARE"})
    return old


@pytest.fixture
def reports(heroku: LocalHeroku, name: str) -> str:
    """A credential of the app's database, attached as REPORTS; returns the name of that database."""
    old = heroku.primary(name)
    heroku.post(f"/postgres/v0/databases/{old}/credentials", {"name": "reports"})
    body = {"addon": old, "app": name, "name": "REPORTS", "namespace": "credential:reports"}
    heroku.post("/addon-attachments", body)
    return old


def pool_on(heroku: LocalHeroku, app: str) -> None:
    addon = heroku.primary(app)
    heroku.post(f"/client/v11/databases/{addon}/connection-pooling", {"app": app, "credential": "default"})


def test_a_promote_with_a_spare_attachment_is_six_requests_and_names_the_spare(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str
) -> None:
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == steps(heroku, name, free, ATTACH), ran
    assert sent(ran) == [(free, "DATABASE", None)], ran
    assert "Ensuring an alternate alias for existing DATABASE_URL... SPARE_URL" in ran.said, ran
    assert f"Promoting {free} to DATABASE_URL on {name}... done" in ran.said, ran
    assert names_of(heroku, name, spare) == {"SPARE"}


def test_a_promote_without_a_spare_attachment_makes_one_before_it_asks_for_the_state(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    old = heroku.primary(name)
    ran = cli.run("pg:promote", free, "-a", name)
    expected = steps(heroku, name, free, ATTACH)

    assert ran.code == 0, ran
    assert ran.asked == [*expected[:2], ATTACH, *expected[2:]], ran
    (backup,) = names_of(heroku, name, old)
    assert f"existing DATABASE_URL... {backup}_URL" in ran.said, ran
    assert descriptions(heroku, name)[-3] == f"Attach {backup} (@ref:{old})"


def test_a_pooler_does_not_count_as_a_spare_attachment(cli: Cli, heroku: LocalHeroku, name: str, free: str) -> None:
    old = heroku.primary(name)
    pool_on(heroku, name)
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert sent(ran) == [(old, None, None), (free, "DATABASE", None), (free, POOL, OF_POOLER)], ran
    assert {n.rpartition("_")[0] for n in names_of(heroku, name, old)} == {"HEROKU_POSTGRESQL"}


def test_the_pooler_follows_after_the_database(cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str) -> None:
    pool_on(heroku, name)
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == steps(heroku, name, free, ATTACH, ATTACH), ran
    assert "Reattaching pooler to new leader... done" in ran.said, ran
    assert POOL not in names_of(heroku, name, spare)
    assert POOL in names_of(heroku, name, free)


def test_a_credential_is_promoted_under_its_namespace(cli: Cli, heroku: LocalHeroku, name: str, reports: str) -> None:
    ran = cli.run("pg:promote", "REPORTS", "-a", name)

    assert ran.code == 0, ran
    assert "Promoting REPORTS to DATABASE_URL" in ran.said, ran
    assert sent(ran) == [(reports, None, None), (reports, "DATABASE", "credential:reports")], ran
    with psycopg.connect(heroku.get(f"/apps/{name}/config-vars")["DATABASE_URL"]) as connection:
        assert connection.execute("SELECT current_user").fetchone() == ("reports",)


def test_a_credential_that_is_promoted_already_is_refused_by_the_name_of_its_attachment(
    cli: Cli, heroku: LocalHeroku, name: str, reports: str
) -> None:
    cli.run("pg:promote", "REPORTS", "-a", name)
    ran = cli.run("pg:promote", "REPORTS", "-a", name)

    assert ran.code == 2, ran
    assert f"REPORTS is already promoted on {name}" in ran.said, ran
    assert ran.asked == [RESOLVE, f"GET /apps/{name}/addon-attachments"], ran


def test_the_spare_attachment_of_a_credential_is_of_that_credential(
    cli: Cli, heroku: LocalHeroku, name: str, reports: str, free: str
) -> None:
    cli.run("pg:promote", "REPORTS", "-a", name)
    heroku.delete(f"/addon-attachments/{heroku.get(f'/apps/{name}/addon-attachments/REPORTS')['id']}")
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 0, ran
    assert sent(ran) == [(reports, None, "credential:reports"), (free, "DATABASE", None)], ran
    assert heroku.primary(name) == free
    kept = [a["namespace"] for a in heroku.get(f"/apps/{name}/addon-attachments") if a["addon"]["name"] == reports]
    assert sorted(kept, key=str) == [None, "credential:reports"]


def test_an_error_of_the_database_does_not_keep_it_from_being_promoted(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str
) -> None:
    heroku.patch(f"/_control/databases/{free}", {"trouble": "unable to keep up"})
    ran = cli.run("pg:promote", free, "-a", name)
    states = [r["got"] for r in ran.requests if r["path"].endswith("/wait_status")]

    assert states == [{"message": "unable to keep up", "waiting?": False, "error?": True}], ran
    assert ran.code == 0, ran
    assert ran.asked == steps(heroku, name, free, ATTACH), ran
    assert "unable to keep up" not in ran.said, ran
    assert heroku.primary(name) == free


def test_a_follower_is_promoted_with_the_advice_to_unfollow_it(
    cli: Cli, heroku: LocalHeroku, name: str, follower: str, spare: str
) -> None:
    ran = cli.run("pg:promote", follower, "-a", name)

    assert ran.code == 0, ran
    assert ran.asked == steps(heroku, name, follower, ATTACH), ran
    assert "it is currently a follower database in read-only mode" in ran.said, ran
    assert f"Use heroku pg:unfollow {follower} to stop this follower" in ran.said, ran


def test_a_refused_attachment_of_the_database_leaves_the_spare_one_behind(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    old = heroku.primary(name)
    heroku.fault("status", "/addon-attachments", method="POST", after=1, status=503)
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 2, ran
    assert ran.writes == [ATTACH], ran
    assert "Something went wrong." in ran.said, ran
    assert heroku.primary(name) == old
    assert len(names_of(heroku, name, old)) == 2


def test_a_refused_attachment_of_the_pooler_leaves_it_on_the_old_database(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str
) -> None:
    pool_on(heroku, name)
    heroku.fault("status", "/addon-attachments", method="POST", after=1, status=503)
    ran = cli.run("pg:promote", free, "-a", name)

    assert ran.code == 2, ran
    assert ran.asked == steps(heroku, name, free, ATTACH)[:-2], ran
    assert heroku.primary(name) == free
    assert names_of(heroku, name, spare) == {"SPARE", POOL}


PHASES: list[tuple[str, str, tuple[str, str], str]] = [
    (GOOD, "pg:promote succeeded.", ("succeeded", "succeeded"), "new"),
    (
        WITH_DATABASE,
        "pg:promote succeeded. It is safe to ignore the failed Detach DATABASE (@ref:{old}) release.",
        ("failed", "succeeded"),
        "new",
    ),
    (
        WITHOUT_DATABASE,
        (
            "pg:promote failed because Attach DATABASE (@ref:{new}) release was unsuccessful."
            " Your application is currently running without an attached DATABASE_URL."
            " Check your release phase logs for failure causes."
        ),
        ("succeeded", "failed"),
        "none",
    ),
    (
        NEVER,
        (
            "pg:promote failed because Attach DATABASE (@ref:{new}) release was unsuccessful."
            " Your application is currently running with {old} attached as DATABASE_URL."
            " Check your release phase logs for failure causes."
        ),
        ("failed", "failed"),
        "old",
    ),
]


@pytest.mark.parametrize(
    ("command", "says", "statuses", "serves"), PHASES, ids=["good", "detach failed", "attach failed", "both failed"]
)
def test_whatever_becomes_of_the_two_releases_a_promote_ends_well_and_says_what_runs(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str, command: str, says: str, statuses: tuple[str, str],
    serves: str,
) -> None:  # fmt: skip
    heroku.patch(f"/_control/apps/{name}", {"release": command})
    ran = cli.run("pg:promote", free, "-a", name)
    detach, attach = (release_of(heroku, name, f"{kind} DATABASE (") for kind in ("Detach", "Attach"))
    urls = {"new": heroku.database_url(free), "old": heroku.database_url(spare), "none": None}

    assert ran.code == 0, ran
    assert says.format(old=spare, new=free) in ran.said, ran
    assert (detach["status"], attach["status"]) == statuses
    assert running_variables(heroku, name).get("DATABASE_URL") == urls[serves]
    assert heroku.primary(name) == free


def test_the_release_phase_is_looked_up_among_the_last_five_and_then_followed_by_id(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str
) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": GOOD})
    ran = cli.run("pg:promote", free, "-a", name)
    attach, detach = (release_of(heroku, name, f"{kind} DATABASE (")["id"] for kind in ("Attach", "Detach"))
    whole = steps(heroku, name, free, ATTACH)
    polls = ran.asked[len(whole) + 1 : -1]

    assert ran.asked[: len(whole) + 1] == [*whole, f"GET /apps/{name}/releases"], ran
    assert set(polls) == {f"GET /apps/{name}/releases/{attach}"}, ran
    assert ran.asked[-1] == f"GET /apps/{name}/releases/{detach}", ran
    (ranges,) = [r["headers"]["Range"] for r in ran.requests if r["path"] == f"/apps/{name}/releases"]
    assert ranges == "version ..; max=5, order=desc"


def test_a_release_phase_that_outlasts_the_wait_ends_well_and_is_still_pending(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str
) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": "sleep 100"})
    ran = cli.run("pg:promote", free, "-a", name, env=FAST_CLOCK)

    assert ran.code == 0, ran
    assert "timeout. Check your Attach DATABASE release for failures." in ran.said, ran
    assert release_of(heroku, name, "Attach DATABASE (")["status"] == "pending"
    assert running_variables(heroku, name)["DATABASE_URL"] == heroku.database_url(spare)


def test_a_promote_as_another_name_cannot_check_the_release_phase_that_it_set_off(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str
) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": GOOD})
    ran = cli.run("pg:promote", free, "-a", name, "--as", "REPORTING")

    assert ran.code == 2, ran
    assert "Unable to check release phase. Check your Attach DATABASE release for failures." in ran.said, ran
    assert ran.asked == [*steps(heroku, name, free, ATTACH), f"GET /apps/{name}/releases"], ran
    assert sent(ran) == [(free, "REPORTING", None)], ran
    assert heroku.primary(name) == spare
    assert "REPORTING" in names_of(heroku, name, free)


def test_a_spare_attachment_that_is_made_is_not_taken_for_the_release_of_the_database(
    cli: Cli, heroku: LocalHeroku, name: str, free: str
) -> None:
    heroku.patch(f"/_control/apps/{name}", {"release": GOOD})
    ran = cli.run("pg:promote", free, "-a", name)
    spare_first = descriptions(heroku, name)[-3:]

    assert ran.code == 0, ran
    assert [line.partition(" (")[0] for line in spare_first[1:]] == ["Detach DATABASE", "Attach DATABASE"]
    assert spare_first[0].startswith("Attach HEROKU_POSTGRESQL_")
    attach = release_of(heroku, name, "Attach DATABASE (")["id"]
    assert f"GET /apps/{name}/releases/{attach}" in ran.asked, ran


def test_with_a_pooler_it_is_the_release_of_the_pooler_that_is_watched(
    cli: Cli, heroku: LocalHeroku, name: str, free: str, spare: str
) -> None:
    pool_on(heroku, name)
    heroku.patch(f"/_control/apps/{name}", {"release": GOOD})
    ran = cli.run("pg:promote", free, "-a", name)
    pooler, database = (release_of(heroku, name, f"Attach {which} (")["id"] for which in (POOL, "DATABASE"))

    assert ran.code == 0, ran
    assert f"GET /apps/{name}/releases/{pooler}" in ran.asked, ran
    assert f"GET /apps/{name}/releases/{database}" not in ran.asked, ran
