"""
Names that mean something else by now: of an app, an add-on, the component, or a line of config.

Each gives one thing to do that works.
"""

import re

from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.finding import Finding, finding
from heroku_postgres.known import Known
from heroku_postgres.wish import Wish


def app_changed(wish: Wish, database: Database) -> Finding:
    return finding(
        "app-changed",
        f"this stack has {database.name}, which app {database.app} pays for, and `app` says {wish.app}",
        "an add-on never moves to another app, so the stack would lose it",
        f"set `app` back to {database.app}: `pulumi config set app {database.app}` where config has it; a database of "
        "another app belongs in a stack of its own",
    )


def name_changed(wish: Wish, name: str) -> Finding:
    return finding(
        "component-renamed",
        f"this stack has the databases of app {wish.app} as Database {name!r}, and the program calls it {wish.name!r}",
        "an app's DATABASE is one Database's only, and under another name the stack would lose it",
        f"add to its options `aliases=[pulumi.Alias(name={name!r})]` (in other languages the same), which keeps it",
    )


def adopt_changed(wish: Wish, primary: Database) -> Finding:
    return finding(
        "adopt-changed",
        f"`adopt` says {wish.adopt}, which is not DATABASE of app {wish.app}; that is {primary.name}, and the stack "
        "has it",
        "a stack takes in another database only when that has become DATABASE",
        "take the line `adopt` out (`pulumi config rm adopt` where config has it): the stack knows what it has adopted",
    )


def not_in_stack(wish: Wish, primary: Database) -> Finding:
    return finding(
        "not-in-stack",
        f"DATABASE of app {wish.app} is {primary.name} on {primary.plan}, which is not in this stack's state, and "
        f"`plan` says {wish.plan}",
        "a changeover starts only from a database that the stack has: another stack or a person may have made this one",
        _set_plan(primary, "takes it into the stack and changes nothing on Heroku; change the plan after that"),
    )


def moved_by_hand(wish: Wish, primary: Database, last: Database | None) -> Finding:
    return finding(
        "database-changed",
        f"DATABASE of app {wish.app} is {primary.name} on {primary.plan}, and not {last.name if last else 'the one'} "
        f"any more that the last run left, and `plan` says {wish.plan}",
        "somebody attached it by hand, or a changeover broke after the move; moving on would hide that",
        _set_plan(
            primary, "accepts it, finishes what is left of a changeover, and moves nothing; change it after that"
        ),
    )


def plan_changed_by_hand(wish: Wish, primary: Database) -> Finding:
    return finding(
        "plan-changed",
        f"{primary.name} is on {primary.plan}, and `plan` says {wish.plan} as it did when the last run ended",
        "somebody changed the plan on Heroku, as with `heroku addons:upgrade`; this run would move it back",
        _set_plan(primary, "accepts that, and moves nothing; to go back, change it again after that"),
    )


def _set_plan(primary: Database, what: str) -> str:
    return f"`plan: {primary.plan}` (`pulumi config set plan {primary.plan}` where config has it) {what}"


def not_managed(wish: Wish, known: Known, primary: Database) -> Finding:
    return finding(
        "not-managed",
        f"DATABASE of app {wish.app} is {primary.name}, which this stack does not manage",
        "only a database that is in the stack can be changed over",
        _how_to_manage(wish, known, primary),
    )


def _how_to_manage(wish: Wish, known: Known, primary: Database) -> str:
    """What a Database of another name has made has that one's stack, as long as this one's state has nothing."""
    if primary.app != wish.app:
        return f"declare it with app {primary.app}, which pays for it"
    made = re.fullmatch(rf"{re.escape(wish.app)}-([a-z][a-z0-9-]*)-[1-9][0-9]*", primary.name)
    if made and not known.generations:
        return f"a Database called {made[1]!r} made it: give this one that name, by which it finds its generations"
    plan = "" if primary.plan == wish.plan else f", and `plan: {primary.plan}`, which it is on"
    return (
        f"adopt it: that is the argument `adopt`, or `pulumi config set adopt {primary.name}` where config has it{plan}"
    )
