"""Add-ons that cannot be provisioned, and those that take their time to go."""

from typing import Any

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
