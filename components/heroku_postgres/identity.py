"""
What speaks against touching the databases that are this component's own: a name has come to mean something else.

Databases are compared by UUID where the stack knows one: a name can be given to another add-on, and a line of config
be dropped.
"""

from heroku_changeover.terms.facts import Database
from heroku_changeover.terms.finding import Finding
from heroku_postgres.basis import Basis
from heroku_postgres.findings import identity as say


def of_another(b: Basis) -> Finding | None:
    """Another app in config, or another name of the component, would have the stack lose what it has."""
    for database in b.managed.values():
        if database.app != b.wish.app:
            return say.app_changed(b.wish, database)
    live = frozenset(d.id for d in b.facts.databases if d.app == b.wish.app)
    return next((say.name_changed(b.wish, name) for name, ids in b.known.others.items() if ids & live), None)


def not_its_own(b: Basis, primary: Database) -> Finding | None:
    """A changeover starts only from what this stack has left; else it would undo what somebody else did."""
    if _names_another(b):
        return say.adopt_changed(b.wish, primary)
    if primary.plan == b.wish.plan:
        return None
    if primary.id not in b.known.ids:
        return say.not_in_stack(b.wish, primary)
    if not b.known.primary_id or (primary.id == b.known.primary_id and primary.plan == b.known.plan):
        return None
    if primary.id != b.known.primary_id:
        return say.moved_by_hand(b.wish, primary, b.left_by_the_last_run)
    return say.plan_changed_by_hand(b.wish, primary) if b.wish.plan == b.known.plan else None


def _names_another(b: Basis) -> bool:
    """Whether `adopt` names a live database that a stack which has some already does not take in."""
    if not (b.known.generations and b.wish.adopt):
        return False
    other = b.facts.database(b.wish.adopt)
    return other is not None and other not in b.managed.values()
