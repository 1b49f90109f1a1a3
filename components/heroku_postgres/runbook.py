"""The changeover in plain sentences, for whoever reads a preview and knows Heroku but not this project."""

from heroku_changeover.terms.facts import Database
from heroku_postgres.declared import Declared
from heroku_postgres.wish import Wish


def runbook(wish: Wish, target: Declared, leader: Database) -> tuple[str, ...]:
    """The steps in order, then what stays; with `hold` only those up to the follower that has caught up."""
    steps = _prepared(wish, target, leader)
    after = _held(target) if wish.hold else _switched(wish, target, leader)
    return tuple(f"{number}. {line}" for number, line in enumerate([*steps, *after], 1))


def _prepared(wish: Wish, target: Declared, leader: Database) -> list[str]:
    there = f"{target.addon} is there already, on {wish.plan}."
    made = (
        f"{target.addon} is created on {wish.plan} as a follower of {leader.name} ({leader.plan}). Heroku restarts "
        f"{wish.app} when it is attached and again when it is ready, as for any new add-on."
    )
    wait = f"await-database: nothing happens to the apps until {target.addon} has caught up and stays close behind."
    return [f"database: {there if target.import_id else made}", wait]


def _held(target: Declared) -> list[str]:
    return [f"That is all, because hold is set: {target.addon} keeps following. `hold: false` does the rest."]


def _switched(wish: Wish, target: Declared, leader: Database) -> list[str]:
    apps, proof, budget = _apps(wish), _proof(wish, target, leader), wish.window_budget
    companions = "poolers, credentials and other names that a person chose"
    return [
        f"maintenance-on: maintenance mode for {apps}. From here users see the maintenance page.",
        f"scale-down: every process type of {apps} goes to 0; one-off dynos {_ONE_OFFS[wish.one_off_dynos]}.",
        f"promote: {proof}, then it is unfollowed and attached as DATABASE of {apps}, with {companions}.",
        f"restore: dynos and maintenance mode of {apps} exactly as they were found; backup schedules are carried over.",
        f"An error before the unfollow, or {budget} s without reaching it, puts every app back as it was.",
        f"{leader.name} stays, read-only and paid for, until this removes it, after a proof that nothing uses it:",
    ]


def _proof(wish: Wish, target: Declared, leader: Database) -> str:
    if wish.verify == "sql":
        locked = f"every table of {leader.name} is locked against writes"
        return f"{locked} and {target.addon} is proved to have every committed write"
    return f"{target.addon} is at 0 commits behind by Heroku's figure (no proof, because verify is api)"


_ONE_OFFS = {"wait": "may end by themselves", "stop": "are stopped"}


def _apps(wish: Wish) -> str:
    return " and ".join(wish.apps) if len(wish.apps) < 3 else ", ".join(wish.apps)
