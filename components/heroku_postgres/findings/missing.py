"""What is found where the app has no DATABASE, or not the database that config names."""

from collections.abc import Iterable

from heroku_changeover.terms.facts import App, Database
from heroku_changeover.terms.finding import Finding, finding, warning
from heroku_postgres.wish import Wish


def detached(wish: Wish, managed: Iterable[Database], last: Database) -> Finding:
    return finding(
        "primary-detached",
        f"app {wish.app} has no DATABASE, although {', '.join(d.name for d in managed)} is there",
        "it cannot be told which database the app's data is in",
        f"attach the right one, for all that this stack knows: `heroku addons:attach {last.name} --as DATABASE --app "
        f"{wish.app}`",
    )


def gone(wish: Wish, addon: str) -> Finding:
    return warning(
        "primary-gone",
        f"no database that this stack has of app {wish.app} is on Heroku any more, and the app has no DATABASE",
        f"a fresh and empty one, {addon}, is made in its place",
        "stop here if the data is wanted: `heroku pg:backups --app " + wish.app + "` lists what can be restored",
    )


def nothing_to_adopt(wish: Wish) -> Finding:
    return finding(
        "adopt-missing",
        f"adopt names {wish.adopt}, but app {wish.app} has no such database and no DATABASE",
        "there is nothing to adopt",
        f"see `heroku addons --app {wish.app}`; without `adopt` a fresh database is made",
    )


def has_a_database(app: App) -> Finding:
    return finding(
        "app-has-a-database",
        f"DATABASE of app {app.name} is {app.primary.addon_name if app.primary else 'none'}",
        "a fresh database would not be its DATABASE",
        "take it out of `apps`, or name the app that pays for that database as `app`",
    )
