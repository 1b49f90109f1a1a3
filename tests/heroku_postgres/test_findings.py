"""Each finding, from the fact that causes it; and silence where there is nothing to find."""

import re

import pytest

from heroku_changeover.terms.facts import App, Database, Dyno, Facts, ProcessType
from heroku_changeover.terms.finding import Finding
from heroku_changeover.ways.follow.findings import GB
from heroku_postgres.wish import Wish
from kit.heroku_world import OTHER_APP, app, attachment, database, decide, facts, follower, wish

LEADER = database("postgresql-round-12345", plan="standard-0")
SHOP = app(primary=LEADER)


def found(wanted: Wish, seen: Facts) -> dict[str, Finding]:
    return {f.id: f for f in decide(wanted, seen).findings}


def about_leader(**changes: object) -> Facts:
    changed: Database = LEADER._replace(**changes)  # type: ignore[arg-type] # tests spell any field
    return facts(SHOP, changed)


def about_app(**changes: object) -> Facts:
    changed: App = SHOP._replace(**changes)  # type: ignore[arg-type] # tests spell any field
    return facts(changed, LEADER)


def with_attachment(name: str, namespace: str | None = None) -> Facts:
    return about_leader(attachments=(attachment(LEADER.name), attachment(LEADER.name, name, namespace=namespace)))


ONE_OFF = (Dyno("run.1", "run", "up"),)
RELEASE = (*SHOP.formation, ProcessType("release", 0, "Standard-1X"))
LISTED = wish(apps=("shop", OTHER_APP))

ERRORS = [
    ("plan-unknown", wish(plan="standard-77"), facts(SHOP, LEADER), "standard-0"),
    ("plan-not-followable", wish(plan="essential-1"), facts(SHOP, LEADER), "the wanted plan essential-1"),
    ("plan-not-followable", wish(), about_leader(plan="mini"), "the leader's plan mini"),
    ("leader-is-follower", wish(), about_leader(is_follower=True, following="x"), LEADER.name),
    ("fork-follow-unavailable", wish(), about_leader(fork_follow="Temporarily Unavailable"), "Temporarily Unavailable"),
    ("target-too-small", wish(plan="standard-2"), about_leader(data_bytes=300 * GB), "300 GB"),
    ("target-too-far-below", wish(plan="standard-2"), about_leader(plan="standard-8"), "6 plan sizes below"),
    ("target-too-far-below", wish(plan="standard-0"), about_leader(plan="premium-3"), "2 plan sizes below"),
    ("plan-of-another-runtime", wish(plan="standard-2"), about_leader(plan="private-0"), "private plan"),
    ("plan-of-another-runtime", wish(plan="standard-2"), about_leader(plan="shield-0"), "Shield"),
    ("heroku-maintenance-running", wish(), about_leader(maintenance="running"), "running"),
    ("fir-generation", wish(), about_app(generation="fir"), "Fir"),
    (
        "apps-not-listed",
        wish(),
        about_leader(attachments=(attachment(LEADER.name), attachment(LEADER.name, "DATABASE", OTHER_APP))),
        f"`apps: [{OTHER_APP}]`",
    ),
    ("app-on-another-database", LISTED, facts(SHOP, LEADER, more=(app(OTHER_APP),)), OTHER_APP),
    (
        "app-unreadable",
        LISTED,
        facts(SHOP, LEADER)._replace(unreadable=((OTHER_APP, "this token lacks rights on it"),)),
        "lacks rights",
    ),
]

WARNINGS = [
    ("heroku-maintenance-due", wish(), about_leader(maintenance="required by 2026-12-01"), "2026-12-01"),
    ("heroku-maintenance-due", wish(), about_leader(maintenance="pending"), "pending"),
    ("one-off-dynos", wish(), about_app(dynos=ONE_OFF), "run.1"),
    ("one-off-dynos", wish(one_off_dynos="stop"), about_app(dynos=ONE_OFF), "are stopped"),
    ("release-phase", wish(), about_app(formation=RELEASE), "runs twice"),
    ("preboot", wish(), about_app(features=frozenset({"preboot"})), "preboot"),
    ("private-space", wish(), about_app(space="vault"), "vault"),
    ("autoscaling", wish(), about_app(services=frozenset({"judoscale"})), "judoscale"),
    ("autoscaling", wish(), about_app(formation=(ProcessType("web", 1, "Performance-M"),)), "Heroku by itself"),
    ("scheduler", wish(), about_app(services=frozenset({"scheduler"})), "Scheduler"),
    ("attachments-move", wish(), with_attachment("READONLY"), "READONLY"),
    ("attachments-stay", wish(), with_attachment("HEROKU_POSTGRESQL_PINK"), "HEROKU_POSTGRESQL_PINK"),
    ("pooler", wish(), with_attachment("DATABASE_CONNECTION_POOL", "connection-pooling:default"), "CONNECTION_POOL"),
    ("credentials", wish(), with_attachment("ANALYTICS", "credential:analytics"), "ANALYTICS"),
    ("copied-config-vars", wish(), about_app(copied_config_vars=("OTHER_DB",)), "OTHER_DB"),
    ("backup-schedules", wish(), about_leader(schedules=("DATABASE_URL",)), "DATABASE_URL"),
    ("other-followers", wish(), about_leader(followers=("postgres://elsewhere/db",)), "other followers"),
]


@pytest.mark.parametrize(("id_", "wanted", "seen", "words"), ERRORS)
def test_what_would_make_a_changeover_fail_is_an_error(id_: str, wanted: Wish, seen: Facts, words: str) -> None:
    finding = found(wanted, seen)[id_]

    assert finding.is_error
    assert words in str(finding)


@pytest.mark.parametrize(("id_", "wanted", "seen", "words"), WARNINGS)
def test_what_a_reviewer_should_know_is_a_warning(id_: str, wanted: Wish, seen: Facts, words: str) -> None:
    finding = found(wanted, seen)[id_]

    assert not finding.is_error
    assert words in str(finding)


@pytest.mark.parametrize(("id_", "wanted", "seen", "words"), [*ERRORS, *WARNINGS])
def test_every_finding_reads_as_what_was_found_why_it_matters_and_what_to_do(
    id_: str, wanted: Wish, seen: Facts, words: str
) -> None:
    """Its parts are put together to two sentences: none is empty, begins with a blank or brings its own full stop."""
    told = str(found(wanted, seen)[id_])

    assert re.fullmatch(rf"\[{id_}\] \S.*[^\s:.]: \S.*[^\s:.]\. [^\sa-z].*[^\s.]\.", told), told
    assert "  " not in told


def test_a_plain_changeover_has_no_findings() -> None:
    assert found(wish(), facts(SHOP, LEADER)) == {}


def test_findings_about_a_changeover_are_silent_while_none_is_wanted() -> None:
    assert found(wish(plan="standard-0"), about_app(dynos=ONE_OFF, features=frozenset({"preboot"}))) == {}


@pytest.mark.parametrize(("leader", "wanted"), [("standard-6", "standard-2"), ("standard-2", "standard-0")])
def test_a_plan_as_far_below_as_heroku_allows_is_no_finding(leader: str, wanted: str) -> None:
    assert "target-too-far-below" not in found(wish(plan=wanted), about_leader(plan=leader))


def test_fork_follow_does_not_matter_once_the_follower_is_there() -> None:
    there = follower("shop-db-2", LEADER)
    seen = facts(SHOP, LEADER._replace(fork_follow="Temporarily Unavailable"), there)

    assert "fork-follow-unavailable" not in found(wish(), seen)


def test_the_target_itself_is_no_other_follower() -> None:
    seen = facts(SHOP, LEADER._replace(followers=("postgres://host/db",)), follower("shop-db-2", LEADER))

    assert "other-followers" not in found(wish(), seen)


@pytest.mark.parametrize("words", ["", "not required", "Not required (no updates)", "completed"])
def test_maintenance_that_is_not_due_is_no_finding(words: str) -> None:
    assert found(wish(), about_leader(maintenance=words)) == {}


def test_a_database_that_is_not_adopted_does_not_hide_what_else_is_wrong() -> None:
    seen = facts(SHOP, LEADER)._replace(unreadable=((OTHER_APP, "this token lacks rights on it"),))

    assert set(found(wish(plan="standard-77", adopt=None, apps=("shop", OTHER_APP)), seen)) == {
        "not-managed",
        "plan-unknown",
        "app-unreadable",
    }


def test_a_fresh_database_is_not_made_for_an_app_that_has_one() -> None:
    other = app(OTHER_APP, primary=LEADER)
    seen = facts(app(primary=None), more=(other,))

    assert set(found(wish(plan="standard-0", adopt=None, apps=("shop", OTHER_APP)), seen)) == {"app-has-a-database"}


def test_all_errors_are_found_at_once() -> None:
    seen = facts(SHOP._replace(generation="fir"), LEADER._replace(maintenance="running"))

    assert {"plan-unknown", "fir-generation", "heroku-maintenance-running"} <= set(
        found(wish(plan="standard-77"), seen)
    )
