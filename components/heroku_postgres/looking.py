"""The look at Heroku, which goes on while the program declares what does not depend on it."""

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from heroku_changeover.reach.look import look, name_of_app
from heroku_changeover.terms.errors import Refused
from heroku_changeover.terms.facts import Facts
from heroku_postgres.known import Known
from heroku_postgres.waiting import wait_for
from heroku_postgres.wish import Wish


@contextmanager
def look_at_heroku(wish: Wish, known: Known) -> Iterator[Callable[[], Facts]]:
    """
    Begins to look, and gives a function that waits for what is found, or raises what `_look` raises.

    While Heroku answers, the engine starts the plugins of what is registered.
    """
    with ThreadPoolExecutor(1) as pool:
        looking = pool.submit(_look, wish, known)
        yield lambda: wait_for(looking)


def _look(wish: Wish, known: Known) -> Facts:
    """
    Raises:
        Refused: the app is not there; if it was renamed, its name of today is said.
        HerokuError: Heroku could not be asked.
    """
    try:
        return look(wish.apps, likely=wish.likely_addons, plan=wish.plan, ids=known.ids)
    except Refused as error:
        for app_id in sorted({g.app_id for g in known.generations} - {""}):
            if (name := name_of_app(app_id)) and name != wish.app:
                raise Refused(
                    f"app {wish.app} is called {name} now: set `app` to that, `pulumi config set app {name}` where "
                    "config has it"
                ) from error
        raise
