"""What is refused before Heroku is asked, and what a create that fails leaves behind."""

from dataclasses import dataclass

import pytest

from toolchain import Finished
from toolchain.tests.bench import Bench, State
from toolchain.tests.conftest import NewBench
from toolchain.tests.recording_heroku import APP, RecordingHeroku

pytestmark = pytest.mark.toolchain

PROGRAM = f"""
import pulumiverse_heroku as heroku

for name in ("refused", "poll-fails", "deprovisioned", "values-fail"):
    heroku.addon.Addon(name, app_id="{APP}", name=name, plan="heroku-postgresql:standard-0")
"""
INVALID = f"""
import pulumiverse_heroku as heroku

heroku.addon.Addon("fine", app_id="{APP}", name="fine", plan="heroku-postgresql:standard-0")
heroku.addon.Addon("{{name}}", app_id="{{app}}", name="{{addon}}", plan="heroku-postgresql:standard-0")
"""


@dataclass(frozen=True)
class Failed:
    """What the engine printed and left in state."""

    run: Finished
    state: State
    heroku: RecordingHeroku


@pytest.fixture(scope="module")
def bench(new_bench: NewBench, heroku: RecordingHeroku) -> Bench:
    """Return a stack that has no credentials."""
    return new_bench({"HEROKU_API_URL": heroku.url})


@pytest.fixture(scope="module")
def failed(bench: Bench, heroku: RecordingHeroku) -> Failed:
    """Create four add-ons, each of which fails at another point; the last one after it was provisioned."""
    unwell = (500, {"id": "internal_server_error", "message": "No."})
    heroku.instead = {
        f"POST /apps/{APP}/addons refused": (422, {"id": "invalid_params", "message": "No such plan here."}),
        f"GET /apps/{APP}/addons/poll-fails": unwell,
        f"GET /apps/{APP}/addons/deprovisioned": (200, heroku.add("elsewhere", state="deprovisioned")),
        "GET /addons/values-fail": unwell,
    }
    bench.program(PROGRAM)
    return Failed(bench.up("--continue-on-error", check=False), bench.state(), heroku)


@pytest.mark.parametrize("name", ["refused", "poll-fails", "deprovisioned"])
def test_a_create_that_fails_before_provisioned_leaves_no_state(failed: Failed, name: str) -> None:
    assert failed.run.code != 0
    assert name not in failed.state


def test_a_refused_order_is_reported_with_herokus_message(failed: Failed) -> None:
    assert "No such plan here." in failed.run.stdout + failed.run.stderr


def test_one_failed_poll_ends_the_wait(failed: Failed) -> None:
    id_ = failed.heroku.named("poll-fails")["id"]

    assert len(failed.heroku.asked(f"GET /apps/{APP}/addons/{id_}")) == 1


def test_a_create_that_fails_after_provisioned_keeps_the_id(failed: Failed) -> None:
    assert failed.state["values-fail"]["id"] == failed.heroku.named("values-fail")["id"]


def test_without_credentials_no_authorization_is_sent(failed: Failed) -> None:
    assert all("Authorization" not in request.headers for request in failed.heroku.requests)


@pytest.mark.parametrize(
    ("name", "app", "addon"),
    [
        ("app-by-name", "shop", "fine-1"),
        ("app-in-braces", f"{{{APP}}}", "fine-1"),
        ("app-without-dashes", APP.replace("-", ""), "fine-1"),
        ("odd-name", APP, "1-starts-with-a-digit"),
        ("dotted-name", APP, "shop.db"),
        ("one-letter", APP, "a"),
        ("too-long", APP, "a" * 257),
    ],
)
def test_an_invalid_add_on_fails_the_preview_without_asking_heroku(
    bench: Bench, failed: Failed, name: str, app: str, addon: str
) -> None:
    before = len(failed.heroku.requests)
    bench.program(INVALID.format(name=name, app=app, addon=addon))

    preview = bench.stack.pulumi("preview")

    assert preview.code != 0
    assert name in preview.stdout + preview.stderr
    assert len(failed.heroku.requests) == before
