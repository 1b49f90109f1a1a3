"""Whether a database takes the writes of the apps that are about to come up on it, and seeing to that it does."""

from collections.abc import Iterable, Iterator
from contextlib import suppress

from heroku_changeover.apps.addresses import Addresses
from heroku_changeover.reach import look
from heroku_changeover.reach.sql import Session
from heroku_changeover.reach.world import World
from heroku_changeover.terms.acts import Act, doing
from heroku_changeover.terms.errors import NeedsPerson, SqlRefused, SqlUnreachable
from heroku_changeover.terms.facts import App

TURN_LIMIT = 45
"""
Seconds for another run to end that has the database fenced: longer than the silence after which the sessions of one
that is gone are ended.
"""


def let_write(world: World, database: str, address: str, app: str) -> None:
    """
    Takes the setting away with which a changeover leaves an old database, if it is there, and sees that a write goes
    through, in a session that was begun after that, as those of the apps will be.

    Raises:
        Busy: another run is at work on it, which has made it read-only a moment ago.
        NeedsPerson: none does. The app stays down: on a database that refuses writes it would show its users errors and
            half of what they do, and a page that says maintenance is true.
        SqlUnreachable: nobody can tell.
    """
    with world.sql.session(database, address) as session:
        unsealing = session.unsealing()
        if _refuses(session):
            world.sql.await_turn(database, address, world.after(TURN_LIMIT))
            try:
                _unseal(world, session)
            except SqlRefused as error:
                raise _takes_none(database, str(error), unsealing, app) from error
    with world.sql.session(database, address) as session:
        if refusal := session.refuses_writes():
            raise _takes_none(database, refusal, unsealing, app)


def _refuses(session: Session) -> bool:
    """The app's own role may write in spite of the seal; others may not."""
    return session.is_sealed() or session.refuses_writes() is not None


def _unseal(world: World, session: Session) -> None:
    with doing(Act.UNSEAL):
        session.unseal()
    world.report(f"{session.database} takes writes again")


def _takes_none(database: str, why: str, unsealing: str, app: str) -> NeedsPerson:
    """`unsealing` was read before anything was taken back, so it names every setting that was there."""
    return NeedsPerson(
        f"{database} takes no writes ({why}), so no app is brought up on it; if it was made read-only, `heroku pg:psql "
        f"{database} --app {app} --command '{unsealing}'` lets it take them; then `heroku-changeover recover --app "
        f"{app}`"
    )


def await_turns(world: World, apps: Iterable[App]) -> None:
    """
    Returns when no run has a fence on what is DATABASE of these apps; where nobody can be asked, none is known.

    Raises:
        Busy: one has, and the apps are its to bring up.
    """
    for name, address, _ in _primaries(world, apps):
        with suppress(SqlUnreachable):
            world.sql.await_turn(name, address, world.after(TURN_LIMIT))


def _primaries(world: World, apps: Iterable[App]) -> Iterator[tuple[str, str, str]]:
    """Name, address, which holds a password, and an app."""
    for name, app in {app.primary.addon_name: app.name for app in apps if app.primary}.items():
        database = look.database_named(world.heroku, name)
        yield name, Addresses(world.heroku, [app]).of(database) if database else "", app


def primaries_without_writes(world: World, apps: Iterable[App]) -> Iterator[tuple[str, str, str]]:
    """
    The databases that are DATABASE of these apps and take no writes: name, address, which holds a password, and an app.
    Where SQL does not reach from here they are taken as they are, and that is said.
    """
    for name, address, app in _primaries(world, apps):
        try:
            with world.sql.session(name, address) as session:
                refuses = _refuses(session)
        except SqlUnreachable as error:
            world.report(f"whether {name} takes writes was not seen: {error}")
            continue
        if refuses:
            yield name, address, app
