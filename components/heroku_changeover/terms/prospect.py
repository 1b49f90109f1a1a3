"""A move that is wanted, before anything of it is decided or done."""

from typing import NamedTuple

from heroku_changeover.terms.facts import Database, Facts


class Prospect(NamedTuple):
    """
    A move that is wanted, as far as a way of moving a database has to know it to say what speaks against it.

    `facts` are what one look at Heroku found. `primary` is the database that is DATABASE now, the one to be left;
    `plan` is the plan that is wanted, without the name of the service. `target_name` is what the database is called
    that is to become DATABASE, empty before that is known; `target` is that database itself, None while it has yet to
    be made.
    """

    facts: Facts
    primary: Database
    plan: str
    target_name: str = ""
    target: Database | None = None
