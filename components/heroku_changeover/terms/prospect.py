"""A move that is wanted, before anything of it is decided or done."""

from typing import NamedTuple

from heroku_changeover.terms.facts import Database, Facts


class Prospect(NamedTuple):
    """
    A move that is wanted, with all that a way has to know to say what speaks against it.

    `facts` are what one look at Heroku found. `primary` is the database that is DATABASE now, the one to be left;
    `plan` is the wanted plan, without the name of the service. `target` is the database that is to become DATABASE,
    None while it has yet to be made; `target_name` is its name, empty while it has none.
    """

    facts: Facts
    primary: Database
    plan: str
    target_name: str = ""
    target: Database | None = None
