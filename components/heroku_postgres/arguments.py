"""What the user asks for, checked at the door: plain values, one readable line for everything that is wrong."""

import re
from collections.abc import Callable, Mapping
from typing import Any, NotRequired, TypedDict

import pulumi
from pulumi.output import Unknown

from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.facts import plan_without_service
from heroku_changeover.terms.order import ONE_OFF_POLICIES, UNLOGGED_POLICIES, VERIFY_MODES
from heroku_postgres.wish import Wish

APP = re.compile(r"[a-z][a-z0-9-]{1,28}[a-z0-9]")
"""Heroku's own form of an app's name (Platform API schema)."""

ADDON = re.compile(r"[a-zA-Z][A-Za-z0-9_-]*")
NAME = re.compile(r"[a-z][a-z0-9-]*")
PLAN = re.compile(r"[a-z]+(-[a-z0-9]+)*")
SHOWN = 60
"""Characters of a value that a message repeats."""

LONGEST_BUDGET, LONGEST_LIMIT = 3600, 7 * 86_400


class DatabaseArgs(TypedDict):
    """What a database is to be."""

    app: str
    """The app whose DATABASE it is, and that pays for it; its name, not its id."""

    plan: str
    """The plan it is to be on, such as `standard-2`; changing it is what starts a changeover."""

    apps: NotRequired[list[str]]
    """Further apps that have the same database attached as DATABASE; all of them move together."""

    adopt: NotRequired[str]
    """
    The name of the add-on that is DATABASE today, such as `postgresql-round-12345`; without it, an app that has none
    gets a fresh one.
    """

    hold: NotRequired[bool]
    """
    True prepares a wanted changeover (the follower is made and catches up) and stops before anything that users notice.
    """

    window_budget: NotRequired[int]
    """Seconds from maintenance mode to unfollow, after which everything is put back; 300 by default, 3600 at most."""

    ready_limit: NotRequired[int]
    """
    Seconds that the follower may take to catch up before the run gives up, with nothing changed; 86400 (a day) by
    default.
    """

    one_off_dynos: NotRequired[str]
    """
    What happens to one-off dynos in the window: `wait` (the default) lets them end within the budget, `stop` stops
    them.
    """

    verify: NotRequired[str]
    """
    How it is made sure that nothing is lost: `sql` (the default) fences and proves. `api`, where SQL cannot reach,
    trusts Heroku's figure once it has been 0 for 20 s; that is no proof, and the old database goes on taking writes.
    """

    unlogged_rows: NotRequired[str]
    """
    What happens to rows of UNLOGGED tables, of which no follower has any: `refuse` (the default) refuses a changeover
    while there are such rows, `discard` leaves them behind, as suits a cache. With `verify: api` nobody can look, and
    they are left behind.
    """


def wish_from(name: str, args: Mapping[str, Any]) -> Wish:
    """
    The wish that a program's arguments spell.

    Raises:
        BadInput: lists everything that is wrong, a line each.
    """
    if not isinstance(args, Mapping):
        raise BadInput(f"the database {_shown(name)} cannot be declared: its arguments are {_kind(args)}, no mapping")
    problems = [f"{key}: there is no such argument" for key in sorted(map(_key, set(args) - set(CHECKS)))]
    if not isinstance(name, str) or not NAME.fullmatch(name):
        problems.append(f"the name {_shown(name)} of a Database has small letters, digits and dashes, a letter first")
    given = {key: value for key, value in args.items() if value is not None and (key, value) != ("adopt", "")}
    problems += [f"{key}: is missing" for key in ("app", "plan") if key not in given]
    problems += [
        f"{_both(key)}: {problem}"
        for key, check in CHECKS.items()
        if key in given and (problem := _unusable(given[key]) or check(given[key]))
    ]
    if not problems:
        apps = (given["app"], *given.get("apps", ()))
        problems += [f"apps: {app} is listed twice" for app in sorted({a for a in apps if apps.count(a) > 1})]
    if problems:
        raise BadInput(
            f"the database {_shown(name)} cannot be declared:\n" + "\n".join(f"  {line}" for line in problems)
        )
    return _wish(name, given)


def _both(key: str) -> str:
    """An argument as a Python program spells it, and as config and other languages do, where that differs."""
    return f"{key} ({config_key(key)})" if config_key(key) != key else key


def config_key(argument: str) -> str:
    """An argument as config and other languages spell it: `window_budget` is `windowBudget` there."""
    first, *others = argument.split("_")
    return first + "".join(word.capitalize() for word in others)


def _unusable(value: Any) -> str | None:
    """What is wrong with a value that is no plain one, whatever argument it is for."""
    values = value if isinstance(value, list | tuple) else [value]
    if any(isinstance(v, pulumi.Output | Unknown) for v in values):
        return (
            "is an output or a secret, which is known only while resources are made: give the plain value, for example "
            "one from config (in Python `pulumi.Config().require(…)`), as a preview has to decide by it what is made"
        )
    if any(isinstance(v, str) and "://" in v for v in values):
        return "is an address, which may hold a password and so is not shown here: give the name"
    return None


def _wish(name: str, given: Mapping[str, Any]) -> Wish:
    """Whole numbers arrive as floats from other languages."""
    plain: dict[str, Any] = {key: int(value) if isinstance(value, float) else value for key, value in given.items()}
    apps = (plain.pop("app"), *plain.pop("apps", ()))
    return Wish(name, apps, plan_without_service(plain.pop("plan")), **plain)


def _like(form: re.Pattern[str], example: str) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if not isinstance(value, str):
            return f"is {_kind(value)}, not a text known at preview"
        return None if form.fullmatch(value) else f"{_shown(value)} is not of the form {example}"

    return check


def _plan(value: Any) -> str | None:
    if isinstance(value, str):
        value = plan_without_service(value)
    return _like(PLAN, "standard-2")(value)


def _seconds(longest: int) -> Callable[[Any], str | None]:
    def check(value: Any) -> str | None:
        if isinstance(value, bool) or not isinstance(value, int | float) or value != value // 1:
            return f"is {_kind(value)}, not a whole number of seconds"
        return None if 1 <= value <= longest else f"{_shown(value)} is not between 1 and {longest} seconds"

    return check


def _one_of(words: tuple[str, ...]) -> Callable[[Any], str | None]:
    return lambda value: None if value in words else f"{_shown(value)} is not one of {', '.join(words)}"


def _truth(value: Any) -> str | None:
    return None if isinstance(value, bool) else f"is {_kind(value)}, not true or false"


def _apps(value: Any) -> str | None:
    if not isinstance(value, list | tuple):
        return f"is {_kind(value)}, not a list of names of apps"
    return next((problem for app in value if (problem := _like(APP, "shop-admin")(app))), None)


def _kind(value: Any) -> str:
    return _shown(value) if isinstance(value, str | int | float | bool) else f"of type {type(value).__name__}"


def _shown(value: Any) -> str:
    """A value for a message: on one line, and not all of one that is very long."""
    if isinstance(value, int) and abs(value) >= 10**SHOWN:  # of more digits than Python may be willing to write
        return f"a number of more than {SHOWN} digits"
    if isinstance(value, float) and value.is_integer() and abs(value) < 10**SHOWN:
        return str(int(value))
    told = repr(value)
    return told if len(told) <= SHOWN else f"{told[:SHOWN]}…"


def _key(key: Any) -> str:
    return key if isinstance(key, str) and key.isidentifier() and len(key) <= SHOWN else _shown(key)


CHECKS: Mapping[str, Callable[[Any], str | None]] = {
    "app": _like(APP, "shop"),
    "plan": _plan,
    "apps": _apps,
    "adopt": _like(ADDON, "postgresql-round-12345"),
    "hold": _truth,
    "window_budget": _seconds(LONGEST_BUDGET),
    "ready_limit": _seconds(LONGEST_LIMIT),
    "one_off_dynos": _one_of(ONE_OFF_POLICIES),
    "verify": _one_of(VERIFY_MODES),
    "unlogged_rows": _one_of(UNLOGGED_POLICIES),
}
"""Every argument with its check; a check returns what is wrong, or None."""
