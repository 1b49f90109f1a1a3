"""
What the product leans on in the life of a heroku Addon, through the real engine.

One stack goes from a preview through create, change and refresh to destroy, against a Platform API that records.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from toolchain import Finished
from toolchain.tests.bench import Bench, State, is_secret
from toolchain.tests.conftest import NewBench
from toolchain.tests.recording_heroku import APP, APP_NAME, NOT_FOUND, RecordingHeroku, Request

pytestmark = pytest.mark.toolchain

CREATE = [
    "GET /apps/APP",
    "POST /apps/APP/addons",
    "GET /apps/APP/addons/{id}",
    "GET /apps/APP/addons/{id}",
    "GET /apps/APP/config-vars",
    "GET /addons/{id}",
    "GET /apps/APP/config-vars",
]
IMPORTS = """
import pulumi
import pulumiverse_heroku as heroku

app = "{APP}"
only = pulumi.ResourceOptions
"""
PROGRAM = (
    IMPORTS.replace("{APP}", APP)
    + """
heroku.addon.Addon(
    "leader", app_id=app, name="shop-db-1", plan="heroku-postgresql:standard-0", config={"follow": "old"},
)
heroku.addon.Addon("automatic", app_id=app, plan="heroku-postgresql", config={"follow": "old"})
heroku.addon.Addon(
    "ignoring", app_id=app, name="shop-db-3", plan="heroku-postgresql:standard-0", config={"follow": "old"},
    opts=only(ignore_changes=["config"]),
)
"""
)
CHANGED = PROGRAM.replace('"shop-db-1", plan="heroku-postgresql:standard-0"', '"shop-db-1", plan="premium:2"').replace(
    '"shop-db-3"', '"shop-db-renamed"'
)
ANOTHER_CONFIG = PROGRAM.replace('{"follow": "old"}', '{"follow": "new"}')
ANOTHER_APP = PROGRAM.replace(APP, "fedcba98-7654-3210-fedc-ba9876543210")

Planned = dict[str, list[dict[str, Any]]]
"""The steps of a preview by logical name, in order."""


@dataclass(frozen=True)
class Stage:
    """What one run of the engine printed, what it asked of Heroku, and what it left in state."""

    run: Finished
    asked: list[Request]
    state: State

    def lines(self) -> list[str]:
        """Return the requests in order, in the words of CREATE."""
        return [request.line.replace(APP, "APP") for request in self.asked]


@pytest.fixture(scope="module")
def bench(new_bench: NewBench, heroku: RecordingHeroku) -> Bench:
    """Return a stack that reaches the recording Heroku through variables of the environment only."""
    bench = new_bench(
        {
            "HEROKU_API_URL": heroku.url,
            "HEROKU_API_KEY": "the-key",
            "HEROKU_EMAIL": "ann@example.org",
            "HEROKU_HEADERS": '{"X-From": "environment"}',
        }
    )
    bench.program(PROGRAM)
    return bench


def stage(bench: Bench, heroku: RecordingHeroku, *arguments: str) -> Stage:
    """Run the engine and collect what came of it."""
    del heroku.requests[:]
    run = bench.stack.pulumi(*arguments, timeout=100)
    return Stage(run, list(heroku.requests), bench.state())


@pytest.fixture(scope="module")
def previewed(bench: Bench, heroku: RecordingHeroku) -> Stage:
    """Preview the creation."""
    return stage(bench, heroku, "preview")


@pytest.fixture(scope="module")
def created(bench: Bench, heroku: RecordingHeroku, previewed: Stage) -> Stage:
    """Create three add-ons, each of which is provisioning for one poll."""
    heroku.pending_polls = 1
    return stage(bench, heroku, "up", "--yes", "--skip-preview")


def planned(bench: Bench, heroku: RecordingHeroku, program: str) -> Planned:
    """Preview a program."""
    bench.program(program)
    shown = stage(bench, heroku, "preview", "--json", "--show-replacement-steps", "--show-sames").run
    steps: Planned = {}
    for step in json.loads(shown.stdout)["steps"]:
        steps.setdefault(step["urn"].rpartition("::")[2], []).append(step)
    return steps


@pytest.fixture(scope="module")
def another_config(bench: Bench, heroku: RecordingHeroku, created: Stage) -> Planned:
    """Preview another config for all."""
    return planned(bench, heroku, ANOTHER_CONFIG)


@pytest.fixture(scope="module")
def another_app(bench: Bench, heroku: RecordingHeroku, created: Stage) -> Planned:
    """Preview another app for all."""
    return planned(bench, heroku, ANOTHER_APP)


@pytest.fixture(scope="module")
def changed(bench: Bench, heroku: RecordingHeroku, another_config: object, another_app: object) -> Stage:
    """Change the plan of one add-on and the name of another."""
    bench.program(CHANGED)
    return stage(bench, heroku, "up", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def refused(bench: Bench, heroku: RecordingHeroku, changed: Stage) -> Stage:
    """Refresh while one add-on is refused with 404 but not as `not_found`."""
    id_ = changed.state["leader"]["id"]
    heroku.instead[f"GET /addons/{id_}"] = (404, {"id": "other", "message": "Somewhere else."})
    return stage(bench, heroku, "refresh", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def refreshed(bench: Bench, heroku: RecordingHeroku, refused: Stage) -> Stage:
    """Refresh while one add-on is gone and the plan of another is not as stored."""
    heroku.instead.clear()
    heroku.instead[f"GET /addons/{refused.state['leader']['id']}"] = NOT_FOUND
    heroku.addons[refused.state["ignoring"]["id"]]["plan"]["name"] = "heroku-postgresql:premium-9"
    return stage(bench, heroku, "refresh", "--yes", "--skip-preview")


@pytest.fixture(scope="module")
def destroyed(bench: Bench, heroku: RecordingHeroku, refreshed: Stage) -> Stage:
    """Destroy while Heroku no longer has one of the add-ons."""
    heroku.instead[f"DELETE /apps/{APP}/addons/{refreshed.state['ignoring']['id']}"] = NOT_FOUND
    return stage(bench, heroku, "destroy", "--yes", "--skip-preview", "--continue-on-error")


def test_a_preview_asks_heroku_for_nothing(previewed: Stage) -> None:
    assert previewed.run.code == 0, previewed.run
    assert previewed.asked == []


def test_add_ons_are_created_one_after_the_other_call_by_call(created: Stage) -> None:
    assert created.run.code == 0, created.run
    assert created.lines() == 3 * CREATE


def test_the_order_carries_plan_config_name_and_the_apps_name_as_confirmation(created: Stage) -> None:
    bodies = {request.body["name"]: request.body for request in created.asked if request.method == "POST"}

    assert bodies["shop-db-1"] == {
        "plan": "heroku-postgresql:standard-0",
        "config": {"follow": "old"},
        "confirm": APP_NAME,
        "name": "shop-db-1",
    }


def test_an_add_on_without_a_name_is_named_after_its_resource(created: Stage) -> None:
    assert re.fullmatch(r"automatic-[0-9a-f]{7}", created.state["automatic"]["outputs"]["name"])


def test_requests_carry_what_the_environment_says(created: Stage) -> None:
    headers = created.asked[0].headers

    assert headers["Accept"] == "application/vnd.heroku+json; version=3"
    assert headers["Authorization"] == "Basic YW5uQGV4YW1wbGUub3JnOnRoZS1rZXk="  # ann@example.org:the-key
    assert headers["X-From"] == "environment"


def test_the_state_has_what_heroku_says(created: Stage, heroku: RecordingHeroku) -> None:
    stored = created.state["leader"]

    assert stored["id"] in heroku.addons
    assert stored["outputs"]["appId"] == APP
    assert stored["outputs"]["plan"] == "heroku-postgresql:standard-0"
    assert stored["outputs"]["providerId"] == "resource123"
    assert stored["outputs"]["configVars"] == ["SHOP_DB_1_URL"]


def test_a_plan_given_as_a_service_is_read_back_as_one(created: Stage) -> None:
    assert created.state["automatic"]["outputs"]["plan"] == "heroku-postgresql"


def test_values_of_config_vars_are_stored_encrypted(created: Stage) -> None:
    assert is_secret(created.state["leader"]["outputs"]["configVarValues"])
    assert "very-secret" not in str(created.state) + created.run.stdout


def test_credentials_of_the_environment_are_not_stored(created: Stage) -> None:
    assert "the-key" not in str(created.state)


@pytest.mark.parametrize("change", ["another_config", "another_app"])
def test_a_replacement_deletes_an_explicitly_named_add_on_before_it_makes_the_new_one(
    request: pytest.FixtureRequest, change: str
) -> None:
    ops = [step["op"] for step in request.getfixturevalue(change)["leader"]]

    assert ops == ["delete-replaced", "replace", "create-replacement"]


@pytest.mark.parametrize("change", ["another_config", "another_app"])
def test_a_replacement_makes_the_new_add_on_first_where_the_name_is_automatic(
    request: pytest.FixtureRequest, change: str
) -> None:
    ops = [step["op"] for step in request.getfixturevalue(change)["automatic"]]

    assert ops == ["create-replacement", "replace", "delete-replaced"]


def test_another_config_replaces_for_that_reason(another_config: Planned) -> None:
    reasons = [step["replaceReasons"] for step in another_config["leader"] if step["op"] == "create-replacement"]

    assert reasons == [["config"]]


def test_another_app_replaces_for_that_reason(another_app: Planned) -> None:
    reasons = [step["replaceReasons"] for step in another_app["leader"] if step["op"] == "create-replacement"]

    assert reasons == [["appId"]]


def test_another_config_is_nothing_where_it_is_ignored(another_config: Planned) -> None:
    assert [step["op"] for step in another_config["ignoring"]] == ["same"]


def test_another_plan_is_one_patch_of_the_same_add_on(created: Stage, changed: Stage) -> None:
    id_ = created.state["leader"]["id"]
    (patch,) = (r for r in changed.asked if r.method == "PATCH" and r.path.endswith(id_))

    assert patch.path == f"/apps/{APP}/addons/{id_}"
    assert patch.body == {"plan": "premium:2"}
    assert changed.state["leader"]["id"] == id_
    assert changed.state["leader"]["outputs"]["plan"] == "premium:2"


def test_another_name_is_patched_with_an_empty_plan(changed: Stage) -> None:
    id_ = changed.state["ignoring"]["id"]
    (patch,) = (r for r in changed.asked if r.method == "PATCH" and r.path.endswith(id_))

    assert patch.body == {"name": "shop-db-renamed", "plan": ""}
    assert changed.state["ignoring"]["outputs"]["name"] == "shop-db-renamed"


def test_an_automatic_name_stays(created: Stage, changed: Stage) -> None:
    assert changed.state["automatic"]["outputs"]["name"] == created.state["automatic"]["outputs"]["name"]


def test_a_refresh_that_is_refused_keeps_the_state(changed: Stage, refused: Stage) -> None:
    assert refused.run.code != 0
    assert refused.state["leader"]["id"] == changed.state["leader"]["id"]
    assert refused.state["leader"]["outputs"]["plan"] == "premium:2"


def test_a_refresh_reads_an_add_on_twice(refreshed: Stage) -> None:
    id_ = refreshed.state["ignoring"]["id"]

    assert [r.path for r in refreshed.asked].count(f"/addons/{id_}") == 2


def test_a_refresh_drops_what_is_not_found(refreshed: Stage) -> None:
    assert refreshed.run.code == 0, refreshed.run
    assert "leader" not in refreshed.state


def test_a_refresh_takes_the_plan_from_heroku_and_keeps_config(refreshed: Stage) -> None:
    outputs = refreshed.state["ignoring"]["outputs"]

    assert outputs["plan"] == "heroku-postgresql:premium-9"
    assert outputs["config"] == {"follow": "old"}


def test_destroy_deletes_without_a_body(refreshed: Stage, destroyed: Stage) -> None:
    id_ = refreshed.state["automatic"]["id"]
    (delete,) = (r for r in destroyed.asked if r.method == "DELETE" and r.path.endswith(id_))

    assert (delete.path, delete.body) == (f"/apps/{APP}/addons/{id_}", None)
    assert "automatic" not in destroyed.state


def test_destroy_fails_on_an_add_on_that_is_gone(destroyed: Stage) -> None:
    assert destroyed.run.code != 0
    assert "ignoring" in destroyed.state
