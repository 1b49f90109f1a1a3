"""The changeover in plain sentences, for whoever reads a preview and knows Heroku but not this project."""

from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.order import STEPS
from heroku_changeover.ways.listed import proof_named
from heroku_changeover.ways.way import Way
from heroku_postgres.declared import Declared
from heroku_postgres.wish import Wish


def runbook(wish: Wish, way: Way, target: Declared, leader: Database) -> tuple[str, ...]:
    """The steps in order, then what stays; with `hold` only those up to a target that is ready."""
    steps = _prepared(wish, way, target, leader)
    after = _held(way, target) if wish.hold else _switched(wish, way, target, leader)
    return tuple(f"{number}. {line}" for number, line in enumerate([*steps, *after], 1))


def _prepared(wish: Wish, way: Way, target: Declared, leader: Database) -> list[str]:
    there = f"{target.addon} is there already, on {wish.plan}."
    made = (
        f"{target.addon} is created on {wish.plan} {way.words.is_born} {leader.name} ({leader.plan}). Heroku restarts "
        f"{wish.app} when it is attached and again when it is ready, as for any new add-on."
    )
    wait = f"{STEPS[0]}: nothing happens to the apps until {target.addon} {way.words.is_ready}."
    return [f"database: {there if target.import_id else made}", wait]


def _held(way: Way, target: Declared) -> list[str]:
    return [f"That is all, because hold is set: {target.addon} {way.words.is_held}. `hold: false` does the rest."]


def _switched(wish: Wish, way: Way, target: Declared, leader: Database) -> list[str]:
    apps, proof = _apps(wish), proof_named(wish.verify).sentence(leader.name, target.addon, way.words)
    companions = "poolers, credentials and other names that a person chose"
    left = _UNLOGGED[wish.unlogged_rows]
    found = f"as {STEPS[0]} found them, whoever has taken one down since"
    no_return = f"{way.words.no_return}, or {wish.window_budget or way.budget} s without reaching it"
    return [
        f"maintenance-on: maintenance mode for {apps}. From here users see the maintenance page.",
        f"scale-down: every process type of {apps} goes to 0; one-off dynos {_ONE_OFFS[wish.one_off_dynos]}.",
        f"promote: {proof}, then {way.words.cut} and attached as DATABASE of {apps}, with {companions}{left}.",
        f"restore: dynos and maintenance mode of {apps} exactly {found}; backup schedules are carried over.",
        f"An error before {no_return}, puts every app back as it was.",
        f"{leader.name} stays, {_kept(wish)} and paid for, until this removes it, after a proof that nothing uses it:",
    ]


def _kept(wish: Wish) -> str:
    return "read-only" if proof_named(wish.verify).seals else "taking writes still (verify is api)"


_UNLOGGED = {"refuse": "", "discard": "; rows of UNLOGGED tables are left behind"}
_ONE_OFFS = {"wait": "may end by themselves", "stop": "are stopped"}


def _apps(wish: Wish) -> str:
    return " and ".join(wish.apps) if len(wish.apps) < 3 else ", ".join(wish.apps)
