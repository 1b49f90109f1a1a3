"""What the options of an explicit heroku Provider do, and how a live add-on is adopted."""

import base64
from dataclasses import dataclass

import pytest

from toolchain.tests.bench import Bench
from toolchain.tests.conftest import NewBench
from toolchain.tests.recording_heroku import APP, RecordingHeroku, Request

pytestmark = pytest.mark.toolchain

TWO_PROVIDERS = """
import pulumi
import pulumiverse_heroku as heroku

for name, plain in (("one", True), ("two", False)):
    provider = heroku.Provider(
        f"provider-{{name}}",
        url="{url}",
        api_key=pulumi.Output.secret(f"key-{{name}}"),
        email=f"{{name}}@example.org",
        headers='{{"X-From": "provider"}}',
        timeouts=heroku.ProviderTimeoutsArgs(addon_create_timeout=1440),
        delays=heroku.ProviderDelaysArgs(post_app_create_delay=0),
        customizations=[heroku.ProviderCustomizationArgs(set_addon_config_vars_in_state=plain)],
    )
    heroku.addon.Addon(
        name, app_id="{app}", name=name, plan="heroku-postgresql:standard-0",
        opts=pulumi.ResourceOptions(provider=provider),
    )
"""
IMPATIENT = """
import pulumiverse_heroku as heroku

heroku.Provider("impatient", timeouts=heroku.ProviderTimeoutsArgs(addon_create_timeout=9))
"""
ADOPT = """
import pulumi
import pulumiverse_heroku as heroku

for name, id_, plan in {adopted}:
    heroku.addon.Addon(
        name, app_id="{app}", name=name, plan=plan, config={{"follow": "somebody"}},
        opts=pulumi.ResourceOptions(import_=id_, ignore_changes=["config"], protect=True),
    )
"""
LOOK_UP = """
import pulumiverse_heroku as heroku

heroku.addon.Addon.get("known", "{id_}", app_id="{app}")
"""
GHOST = "11111111-2222-3333-4444-555555555555"
"""An id that no add-on has."""


@pytest.fixture(scope="module")
def bench(new_bench: NewBench) -> Bench:
    """Return a stack whose environment leads to nowhere, so that only the options of a provider reach Heroku."""
    return new_bench({"HEROKU_API_KEY": "ambient", "HEROKU_HEADERS": '{"X-From": "environment"}'})


@dataclass(frozen=True)
class Made:
    """The stack after its update, and what the update asked of Heroku."""

    bench: Bench
    asked: list[Request]


@pytest.fixture(scope="module")
def two_at_once(bench: Bench, heroku: RecordingHeroku) -> Made:
    """Create two add-ons, each through its own provider; both stay `provisioning` until both are ordered."""
    del heroku.requests[:]
    heroku.enough_orders = 2
    bench.program(TWO_PROVIDERS.format(url=heroku.url, app=APP))
    bench.up()
    return Made(bench, list(heroku.requests))


def test_each_provider_creates_on_its_own(two_at_once: Made) -> None:
    lines = [request.line for request in two_at_once.asked]
    orders = [index for index, line in enumerate(lines) if line.startswith("POST")]
    reads = [index for index, line in enumerate(lines) if line == "GET /addons/{id}"]

    assert len(orders) == 2
    assert max(orders) < min(reads)


def test_options_of_the_provider_win_over_the_environment(two_at_once: Made) -> None:
    sent = {(r.headers["Authorization"], r.headers["X-From"]) for r in two_at_once.asked}

    assert sent == {
        (f"Basic {base64.b64encode(f'{name}@example.org:key-{name}'.encode()).decode()}", "provider")
        for name in ("one", "two")
    }


def test_values_of_config_vars_stay_out_of_state_on_demand(two_at_once: Made, heroku: RecordingHeroku) -> None:
    shown = two_at_once.bench.stack.pulumi("stack", "export", "--show-secrets", check=True).stdout

    assert "db.example.org/one_url" in shown
    assert "db.example.org/two_url" not in shown


def test_a_secret_key_is_stored_encrypted(two_at_once: Made) -> None:
    assert "key-one" not in str(two_at_once.bench.state())


def test_a_create_timeout_under_ten_minutes_is_refused(new_bench: NewBench) -> None:
    bench = new_bench({})
    bench.program(IMPATIENT)

    preview = bench.stack.pulumi("preview")

    assert preview.code != 0
    assert "at least (10)" in preview.stdout + preview.stderr


def test_a_live_add_on_is_adopted_by_its_uuid_then_changed_to_what_the_program_says(
    new_bench: NewBench, heroku: RecordingHeroku
) -> None:
    same, other = heroku.add("adopted-same"), heroku.add("adopted-other")
    adopted = [
        ("adopted-same", same["id"], "heroku-postgresql:standard-0"),
        ("adopted-other", other["id"], "premium:2"),
    ]
    del heroku.requests[:]
    bench = new_bench({"HEROKU_API_URL": heroku.url})
    bench.program(ADOPT.format(adopted=adopted, app=APP))

    bench.up()

    patches = [(r.path, r.body) for r in heroku.requests if r.method == "PATCH"]
    assert patches == [(f"/apps/{APP}/addons/{other['id']}", {"plan": "premium:2"})]
    assert bench.state()["adopted-same"]["id"] == same["id"]
    assert not bench.state()["adopted-same"]["outputs"].get("config")
    assert bench.up("--expect-no-changes", check=False).code == 0


@pytest.mark.parametrize("act", [["preview"], ["up", "--yes", "--skip-preview"]])
def test_an_add_on_that_does_not_exist_is_not_adopted(
    new_bench: NewBench, heroku: RecordingHeroku, act: list[str]
) -> None:
    bench = new_bench({"HEROKU_API_URL": heroku.url})
    bench.program(ADOPT.format(adopted=[("ghost", GHOST, "premium:2")], app=APP))

    run = bench.stack.pulumi(*act, timeout=100)

    assert run.code != 0
    assert f"resource '{GHOST}' does not exist" in run.stdout + run.stderr, run
    assert "ghost" not in bench.state()


def test_an_add_on_that_does_not_exist_is_not_looked_up(new_bench: NewBench, heroku: RecordingHeroku) -> None:
    bench = new_bench({"HEROKU_API_URL": heroku.url})
    bench.program(LOOK_UP.format(id_=GHOST, app=APP))

    run = bench.up(check=False)

    assert run.code != 0
    assert f"resource '{GHOST}' does not exist" in run.stdout + run.stderr, run
    assert "known" not in bench.state()
