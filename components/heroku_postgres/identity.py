"""
Which databases are this component's own, and what speaks against touching them: by UUID where the stack knows one.

Every refusal here is about a name that has come to mean something else: of an app, an add-on, the component, or a line
of config. It gives one thing to do that works.
"""

import re

from heroku_changeover.terms.facts import Database, Facts
from heroku_postgres.findings import Finding, finding
from heroku_postgres.known import Known
from heroku_postgres.wish import Wish


def managed_databases(wish: Wish, facts: Facts, known: Known) -> dict[int, Database]:
    """
    The live databases of this component by their generation: those that the stack has, by their UUIDs; beside them what
    has a name that this component gives, as after a loss of the state; and the one that is to be adopted.
    """
    managed = {g.number: d for g in known.generations if (d := facts.database_with_id(g.id)) is not None}
    for database in facts.databases:
        number = wish.number_of(database.name) if database.app == wish.app else None
        if number is not None and number not in known.numbers and database not in managed.values():
            managed[number] = database
    adopted = facts.database(wish.adopt) if wish.adopt else None
    if adopted is not None and adopted not in managed.values() and _may_adopt(wish, facts, known, adopted):
        fresh = not known.generations and 1 not in managed
        managed[1 if fresh else next_number(wish, facts, known, managed)] = adopted
    return dict(sorted(managed.items()))


def _may_adopt(wish: Wish, facts: Facts, known: Known, database: Database) -> bool:
    """A stack that has a database already takes in another one only if that is DATABASE now."""
    return database.app == wish.app and (not known.generations or database is facts.primary)


def left_by_the_last_run(known: Known, managed: dict[int, Database]) -> Database | None:
    """What was DATABASE when a run ended well last; None before that, or where it is gone."""
    return next((d for d in managed.values() if d.id == known.primary_id), None)


def next_number(wish: Wish, facts: Facts, known: Known, managed: dict[int, Database]) -> int:
    """
    A number that no generation has had.

    The state may remember the steps of one that was destroyed by hand, and would not run them again for another add-on.
    """
    names = {*facts.past_addons, *(d.name for d in facts.databases)}
    past = [number for name in names if (number := wish.number_of(name)) is not None]
    return 1 + max([*managed, *known.numbers, *past], default=0)


def of_another(wish: Wish, facts: Facts, known: Known, managed: dict[int, Database]) -> Finding | None:
    """Another app in config, or another name of the component, would have the stack lose what it has."""
    for database in managed.values():
        if database.app != wish.app:
            return _app_changed(wish, database)
    live = frozenset(d.id for d in facts.databases if d.app == wish.app)
    return next((_name_changed(wish, name) for name, ids in known.others.items() if ids & live), None)


def _app_changed(wish: Wish, database: Database) -> Finding:
    return finding(
        "app-changed",
        f"this stack has {database.name}, which app {database.app} pays for, and `app` says {wish.app}",
        "an add-on never moves to another app, so the stack would lose it",
        f"set `app` back to {database.app}: `pulumi config set app {database.app}` where config has it; a database of "
        "another app belongs in a stack of its own",
    )


def _name_changed(wish: Wish, name: str) -> Finding:
    return finding(
        "component-renamed",
        f"this stack has the databases of app {wish.app} as Database {name!r}, and the program calls it {wish.name!r}",
        "an app's DATABASE is one Database's only, and under another name the stack would lose it",
        f"add to its options `aliases=[pulumi.Alias(name={name!r})]` (in other languages the same), which keeps it",
    )


def not_its_own(
    wish: Wish, facts: Facts, known: Known, managed: dict[int, Database], primary: Database
) -> Finding | None:
    """A changeover starts only from what this stack has left; else it would undo what somebody else did."""
    if known.generations and wish.adopt:
        other = facts.database(wish.adopt)
        if other is not None and other not in managed.values():
            return _adopt_changed(wish, primary)
    if primary.plan == wish.plan:
        return None
    if primary.id not in known.ids:
        return _not_in_stack(wish, primary)
    if not known.primary_id or (primary.id == known.primary_id and primary.plan == known.plan):
        return None
    if primary.id != known.primary_id:
        return _moved_by_hand(wish, primary, left_by_the_last_run(known, managed))
    return _plan_changed_by_hand(wish, primary) if wish.plan == known.plan else None


def _adopt_changed(wish: Wish, primary: Database) -> Finding:
    return finding(
        "adopt-changed",
        f"`adopt` says {wish.adopt}, which is not DATABASE of app {wish.app}; that is {primary.name}, and the stack "
        "has it",
        "a stack takes in another database only when that has become DATABASE",
        "take the line `adopt` out (`pulumi config rm adopt` where config has it): the stack knows what it has adopted",
    )


def _not_in_stack(wish: Wish, primary: Database) -> Finding:
    return finding(
        "not-in-stack",
        f"DATABASE of app {wish.app} is {primary.name} on {primary.plan}, which is not in this stack's state, and "
        f"`plan` says {wish.plan}",
        "a changeover starts only from a database that the stack has: another stack or a person may have made this one",
        _set_plan(primary, "takes it into the stack and changes nothing on Heroku; change the plan after that"),
    )


def _moved_by_hand(wish: Wish, primary: Database, last: Database | None) -> Finding:
    return finding(
        "database-changed",
        f"DATABASE of app {wish.app} is {primary.name} on {primary.plan}, and not {last.name if last else 'the one'} "
        f"any more that the last run left, and `plan` says {wish.plan}",
        "somebody attached it by hand, or a changeover broke after the move; moving on would hide that",
        _set_plan(
            primary, "accepts it, finishes what is left of a changeover, and moves nothing; change it after that"
        ),
    )


def _plan_changed_by_hand(wish: Wish, primary: Database) -> Finding:
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
