"""Arguments are checked at the door: one readable line for everything that is wrong."""

import asyncio
from typing import Any

import pulumi
import pytest

from heroku_changeover.terms.errors import BadInput
from heroku_postgres.arguments import wish_from

GOOD: dict[str, Any] = {"app": "shop", "plan": "standard-2"}

BAD: list[tuple[dict[Any, Any], str]] = [
    ({"app": None}, "app: is missing"),
    ({"plan": None}, "plan: is missing"),
    ({"app": ""}, "app: '' is not of the form shop"),
    ({"app": "Shop"}, "app: 'Shop' is not of the form shop"),
    ({"app": "a"}, "app: 'a' is not of the form"),
    ({"app": "shop; rm -rf"}, "app: 'shop; rm -rf' is not of the form"),
    ({"app": 7}, "app: is 7, not a text known at preview"),
    ({"app": pulumi.Output}, "app: is of type type, not a text known at preview"),
    ({"plan": ""}, "plan: '' is not of the form standard-2"),
    ({"plan": "Standard 2"}, "plan: 'Standard 2' is not of the form"),
    ({"plan": 2}, "plan: is 2, not a text known at preview"),
    ({"plan": "redis:premium-0"}, "plan: 'redis:premium-0' is not of the form"),
    ({"apps": "admin"}, "apps: is 'admin', not a list of names of apps"),
    ({"apps": ["Admin"]}, "apps: 'Admin' is not of the form shop-admin"),
    ({"apps": [3]}, "apps: is 3, not a text known at preview"),
    ({"apps": ["shop"]}, "apps: shop is listed twice"),
    ({"apps": ["admin", "admin"]}, "apps: admin is listed twice"),
    ({"adopt": "postgres://u:p@host/db"}, "adopt: is an address, which may hold a password and so is not shown here"),
    ({"hold": "yes"}, "hold: is 'yes', not true or false"),
    ({"hold": 1}, "hold: is 1, not true or false"),
    ({"window_budget": 0}, "window_budget (windowBudget): 0 is not between 1 and 3600 seconds"),
    ({"window_budget": 3601}, "window_budget (windowBudget): 3601 is not between 1 and 3600 seconds"),
    ({"window_budget": "300"}, "window_budget (windowBudget): is '300', not a whole number of seconds"),
    ({"window_budget": 1.5}, "window_budget (windowBudget): is 1.5, not a whole number of seconds"),
    ({"window_budget": True}, "window_budget (windowBudget): is True, not a whole number of seconds"),
    ({"window_budget": 10**400}, "window_budget (windowBudget): a number of more than 60 digits is not between 1 and"),
    ({"window_budget": -(10**400)}, "window_budget (windowBudget): a number of more than 60 digits is not between 1"),
    ({"window_budget": 10**5000}, "window_budget (windowBudget): a number of more than 60 digits is not between 1 and"),
    ({"window_budget": 1e300}, "window_budget (windowBudget): 1e+300 is not between 1 and 3600 seconds"),
    ({"window_budget": float("inf")}, "window_budget (windowBudget): is inf, not a whole number of seconds"),
    ({"window_budget": float("nan")}, "window_budget (windowBudget): is nan, not a whole number of seconds"),
    ({"window_budget": 4000.0}, "window_budget (windowBudget): 4000 is not between 1 and 3600 seconds"),
    ({"window_budget": []}, "window_budget (windowBudget): is of type list, not a whole number of seconds"),
    ({"app": "s" * 5000}, f"app: '{'s' * 59}… is not of the form shop"),
    ({"app": "a\nb"}, "app: 'a\\nb' is not of the form shop"),
    ({"app": "\ud800"}, "app: '\\ud800' is not of the form shop"),
    ({"app": "shop\x00"}, "app: 'shop\\x00' is not of the form shop"),
    ({"app": 10**5000}, "app: is a number of more than 60 digits, not a text known at preview"),
    ({"apps": [["admin"]]}, "apps: is of type list, not a text known at preview"),
    ({"apps": {"admin": 1}}, "apps: is of type dict, not a list of names of apps"),
    ({"hold": [True]}, "hold: is of type list, not true or false"),
    ({"verify": {"sql": 1}}, "verify: {'sql': 1} is not one of sql, api"),
    ({7: "seven"}, "7: there is no such argument"),
    ({"a\nb": 1}, "'a\\nb': there is no such argument"),
    ({"ready_limit": -1}, "ready_limit (readyLimit): -1 is not between 1 and 604800 seconds"),
    ({"one_off_dynos": "kill"}, "one_off_dynos (oneOffDynos): 'kill' is not one of wait, stop"),
    ({"verify": "no"}, "verify: 'no' is not one of sql, api"),
    ({"unlogged_rows": "keep"}, "unlogged_rows (unloggedRows): 'keep' is not one of refuse, discard"),
    ({"pla": "standard-2"}, "pla: there is no such argument"),
]


@pytest.mark.parametrize(("wrong", "line"), BAD)
def test_a_wrong_argument_is_named_in_one_line(wrong: dict[str, Any], line: str) -> None:
    with pytest.raises(BadInput) as refusal:
        wish_from("db", {**GOOD, **wrong})

    assert f"\n  {line}" in str(refusal.value)


@pytest.mark.parametrize("args", [None, 7, "app", [], ["app"], [("app", "shop")], object()])
def test_arguments_that_are_no_mapping_are_refused(args: Any) -> None:
    with pytest.raises(BadInput, match="no mapping"):
        wish_from("db", args)


@pytest.mark.parametrize("name", [None, 7, "", "Db", "d\nb", "\ud800", "d" * 5000 + "_"])
def test_a_name_that_is_none_is_refused(name: Any) -> None:
    with pytest.raises(BadInput, match="of a Database has small letters"):
        wish_from(name, GOOD)


def test_everything_that_is_wrong_is_listed_at_once() -> None:
    with pytest.raises(BadInput) as refusal:
        wish_from("db", {"plan": 2, "hold": "yes"})

    assert len(str(refusal.value).splitlines()) == 4


@pytest.mark.parametrize(
    "key", ["app", "plan", "apps", "adopt", "hold", "window_budget", "one_off_dynos", "verify", "unlogged_rows"]
)
def test_an_output_or_a_secret_is_refused_with_what_to_give_instead(key: str) -> None:
    async def later() -> str:
        return "shop"

    async def program() -> str:
        output: pulumi.Output[str] = pulumi.Output.from_input(later())
        with pytest.raises(BadInput) as refusal:
            wish_from("db", {**GOOD, key: [output] if key == "apps" else pulumi.Output.secret(output)})
        return str(refusal.value)

    said = asyncio.run(program())

    assert "is an output or a secret, which is known only while resources are made: give the plain value" in said


def test_the_error_about_an_address_does_not_show_it() -> None:
    with pytest.raises(BadInput) as refusal:
        wish_from("db", {**GOOD, "adopt": "postgres://user:sesame@host/db"})

    assert "sesame" not in str(refusal.value)


@pytest.mark.parametrize("name", ["Db", "1db", "", "d b"])
def test_a_name_that_heroku_would_not_take_is_refused(name: str) -> None:
    with pytest.raises(BadInput, match="the name"):
        wish_from(name, GOOD)


def test_both_spellings_of_a_plan_mean_the_same() -> None:
    assert wish_from("db", GOOD) == wish_from("db", {**GOOD, "plan": "heroku-postgresql:standard-2"})


def test_an_empty_adopt_is_none_as_in_a_config_with_an_empty_default() -> None:
    assert wish_from("db", {**GOOD, "adopt": ""}) == wish_from("db", GOOD)


def test_numbers_from_other_languages_arrive_as_floats() -> None:
    assert wish_from("db", {**GOOD, "window_budget": 120.0}).window_budget == 120


@pytest.mark.parametrize(
    ("addon", "number"),
    [
        ("shop-db-2", 2),
        ("shop-db-17", 17),
        ("postgresql-round-1", None),
        ("shop-db-0", None),
        ("shop-db-02", None),
        ("shop-other-2", None),
        ("xshop-db-2", None),
        ("shop-db-2x", None),
    ],
)
def test_a_generation_is_told_by_the_add_ons_name(addon: str, number: int | None) -> None:
    assert wish_from("db", {**GOOD, "adopt": "postgresql-round-1"}).number_of(addon) == number
