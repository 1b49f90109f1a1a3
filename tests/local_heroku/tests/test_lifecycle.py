"""Add-ons that are refused, that cannot be provisioned, and that take their time to go."""

from collections.abc import Callable
from typing import Any

import psycopg
import pytest

from local_heroku.launcher import LocalHeroku


def order(heroku: LocalHeroku, shop: dict[str, Any]) -> str:
    """A follower that is ordered, and whatever becomes of it."""
    name = f"{shop['name']}-copy"
    body = {"plan": "heroku-postgresql:standard-2", "name": name, "config": {"follow": shop["addon"]}}
    assert heroku.post(f"/apps/{shop['name']}/addons", body)["state"] == "provisioning"
    heroku.wait_until("the order to be done", lambda: heroku.get(f"/addons/{name}")["state"] != "provisioning")
    return name


def test_an_add_on_that_cannot_be_provisioned_is_deprovisioned_and_sets_no_config_var(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    heroku.patch(f"/_control/apps/{shop['name']}", {"orders_to_fail": 1})
    name = order(heroku, shop)

    assert heroku.get(f"/addons/{name}")["state"] == "deprovisioned"
    assert list(heroku.get(f"/apps/{shop['name']}/config-vars")) == ["DATABASE_URL"]
    assert heroku.call("GET", f"/client/v11/databases/{name}")[0] == 404


def test_only_as_many_orders_fail_as_were_told(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    heroku.patch(f"/_control/apps/{shop['name']}", {"orders_to_fail": 1})
    heroku.delete(f"/apps/{shop['name']}/addons/{order(heroku, shop)}")

    assert heroku.get(f"/addons/{order(heroku, shop)}")["state"] == "provisioned"


def test_an_add_on_that_takes_its_time_to_go_is_deprovisioning_until_it_is_not_found(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    name = order(heroku, shop)
    heroku.patch("/_control/world", {"latency": {"deprovision": 0.5}})
    status, told = heroku.call("DELETE", f"/apps/{shop['name']}/addons/{name}")
    heroku.wait_until("it to be gone", lambda: heroku.call("GET", f"/addons/{name}")[0] == 404)

    assert (status, told["state"]) == (202, "deprovisioning")


@pytest.mark.parametrize(
    ("leader", "plan", "words"),
    [
        ("essential-0", "standard-0", "not supported between essential-0 and standard-0"),
        ("mini", "standard-0", "not supported between mini and standard-0"),
        ("standard-0", "basic", "not supported between standard-0 and basic"),
        ("standard-0", "advanced-beta", "not supported between standard-0 and advanced-beta"),
        ("private-0", "standard-0", "a standard database cannot follow a private one"),
        ("premium-0", "shield-0", "a shield database cannot follow a premium one"),
        ("shield-0", "private-0", "a private database cannot follow a shield one"),
        ("standard-3", "standard-0", "standard-0 is 2 plan sizes below standard-3"),
        ("standard-9", "standard-4", "standard-4 is 5 plan sizes below standard-9"),
    ],
)
def test_a_follower_on_a_plan_that_does_not_go_with_its_leaders_is_refused_and_not_made(
    heroku: LocalHeroku, new_name: Callable[[], str], leader: str, plan: str, words: str
) -> None:
    app = heroku.create_app(new_name(), plan=leader)
    body = {"plan": f"heroku-postgresql:{plan}", "config": {"follow": app["addon"]}}

    status, answer = heroku.call("POST", f"/apps/{app['name']}/addons", body)

    assert (status, answer["id"]) == (422, "addon_error")
    assert words in answer["message"]
    assert [a["name"] for a in heroku.get(f"/apps/{app['name']}/addons")] == [app["addon"]]


@pytest.mark.parametrize(
    ("leader", "plan"), [("standard-0", "premium-0"), ("premium-2", "standard-0"), ("standard-0", "private-0")]
)
def test_a_follower_of_another_tier_is_made_where_the_runtimes_go_together(
    heroku: LocalHeroku, new_name: Callable[[], str], leader: str, plan: str
) -> None:
    app = heroku.create_app(new_name(), plan=leader)

    name = heroku.follow(app["name"], app["addon"], plan, f"{app['name']}-copy")

    assert heroku.get(f"/addons/{name}")["plan"]["name"] == f"heroku-postgresql:{plan}"


def test_an_add_on_is_deleted_by_the_ids_of_its_app_and_its_own_and_not_found_then(
    heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    app, addon = heroku.get(f"/apps/{shop['name']}")["id"], heroku.get(f"/addons/{shop['addon']}")["id"]

    status, told = heroku.call("DELETE", f"/apps/{app}/addons/{addon}")

    assert (status, told["id"], told["state"]) == (200, addon, "deprovisioned")
    for path in (f"/addons/{addon}", f"/apps/{app}/addons/{addon}"):
        status, told = heroku.call("GET", path)
        assert (status, told["id"]) == (404, "not_found")


def test_only_databases_that_are_copies_of_one_another_have_the_same_system_identifier(
    heroku: LocalHeroku, shop: dict[str, Any], new_name: Callable[[], str]
) -> None:
    other = heroku.create_app(new_name())["addon"]
    copy = heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-db-2")

    own, foreign, copied = (_system_identifier(heroku, name) for name in (shop["addon"], other, copy))

    assert own == copied
    assert own != foreign


def _system_identifier(heroku: LocalHeroku, addon: str) -> Any:
    with psycopg.connect(heroku.database_url(addon)) as session:
        return session.execute("SELECT system_identifier FROM pg_control_system()").fetchone()
