"""A program in another language asks the plugin for a database, and its user reads what a user of Python reads."""

import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import grpc
import pytest
from pulumi.runtime.rpc import UNKNOWN, _special_secret_sig, _special_sig_key

from kit.hosted_plugin import Plugin, hosted
from local_heroku.launcher import LocalHeroku

SECRET = {_special_sig_key: _special_secret_sig, "value": "standard-2"}
BROKEN = """
from heroku_postgres import looking, plugin
looking.look = lambda *_, **__: 1 // 0
plugin.main()
"""


@pytest.fixture(scope="module")
def plugin(heroku_of_the_session: LocalHeroku) -> Iterator[Plugin]:
    with hosted(heroku_of_the_session.environment) as plugin:
        yield plugin


def adopted(shop: dict[str, Any]) -> dict[str, Any]:
    """What a program gives that takes over what is there."""
    return {"app": shop["name"], "plan": "standard-0", "adopt": shop["addon"]}


@pytest.mark.parametrize("preview", [True, False])
def test_a_database_is_declared_and_its_outputs_arrive(plugin: Plugin, shop: dict[str, Any], preview: bool) -> None:
    outputs = plugin.construct({**adopted(shop), "windowBudget": 120}, preview=preview)

    assert outputs == {
        "primary": shop["addon"],
        "primaryId": "db-1-database-id",
        "plan": "standard-0",
        "retired": [],
        "teardown": [],
        "summary": f"{shop['addon']} is the primary on standard-0",
        "report": "",
        "lastChangeover": "",
    }
    assert {"db", "db-1", "db-1-database"} <= set(plugin.engine.names)


def test_several_databases_are_declared_at_the_same_time(
    plugin: Plugin, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    apps = {name: heroku.create_app(name) for name in (new_name() for _ in range(4))}

    with ThreadPoolExecutor(len(apps)) as pool:
        found = list(pool.map(lambda name: plugin.construct(adopted(apps[name]), f"at-{name}"), apps))

    assert [outputs["primary"] for outputs in found] == [app["addon"] for app in apps.values()]


def test_a_second_database_of_the_same_app_is_refused(plugin: Plugin, shop: dict[str, Any]) -> None:
    plugin.construct(adopted(shop))

    with pytest.raises(grpc.RpcError, match="are both about DATABASE of app"):
        plugin.construct(adopted(shop), "another")


@pytest.mark.parametrize("preview", [True, False])
def test_what_heroku_does_not_have_is_refused_in_one_sentence(plugin: Plugin, preview: bool) -> None:
    said = plugin.refusal({"app": "no-such-app", "plan": "standard-2"}, preview)

    assert said == "app no-such-app: there is no such app, or this token does not open it"


def test_findings_are_listed_without_the_way_through_the_code(plugin: Plugin, shop: dict[str, Any]) -> None:
    said = plugin.refusal({**adopted(shop), "plan": "standard-99"}).splitlines()

    assert said[0] == f"the database 'db' of app {shop['name']}: nothing was started, because"
    assert said[1:]
    assert all(line.startswith("  [") for line in said[1:])


def test_everything_that_is_wrong_with_the_arguments_is_told_at_once(plugin: Plugin) -> None:
    said = plugin.refusal(
        {"app": 7, "windowBudget": "three", "readyLimit": 1.5, "hold": "yes", "windowBuget": 300, "apps": {}}
    )

    assert said.splitlines() == [
        "the database 'db' cannot be declared:",
        "  windowBuget: there is no such argument",
        "  plan: is missing",
        "  app: is 7, not a text known at preview",
        "  apps: is of type dict, not a list of names of apps",
        "  hold: is 'yes', not true or false",
        "  window_budget (windowBudget): is 'three', not a whole number of seconds",
        "  ready_limit (readyLimit): is 1.5, not a whole number of seconds",
    ]


@pytest.mark.parametrize("preview", [True, False])
@pytest.mark.parametrize(
    ("inputs", "argument"),
    [
        ({"plan": UNKNOWN}, "plan"),
        ({"plan": SECRET}, "plan"),
        ({"apps": [UNKNOWN]}, "apps"),
        ({"windowBudget": UNKNOWN}, "window_budget (windowBudget)"),
    ],
    ids=["unknown", "secret", "unknown in a list", "unknown number"],
)
def test_what_is_known_only_later_is_refused_with_what_to_give_instead(
    plugin: Plugin, inputs: dict[str, Any], argument: str, preview: bool
) -> None:
    said = plugin.refusal({"app": "shop", "plan": "standard-2", **inputs}, preview)

    heading, line = said.splitlines()
    assert heading == "the database 'db' cannot be declared:"
    assert line.startswith(f"  {argument}: is an output or a secret, which is known only while resources are made: ")
    assert "give the plain value" in line


def test_a_refusal_leaves_the_plugin_silent_and_at_work(plugin: Plugin, shop: dict[str, Any]) -> None:
    plugin.refusal({**adopted(shop), "plan": "standard-99"})

    assert plugin.construct(adopted(shop))["primary"] == shop["addon"]
    assert plugin.printed() == ""


def test_an_error_of_our_own_shows_the_way_through_the_code() -> None:
    with hosted({}, (sys.executable, "-c", BROKEN)) as plugin:
        said = plugin.refusal({"app": "shop", "plan": "standard-2"})

    assert "division or modulo by zero" in said
    assert 'database.py", line ' in said
