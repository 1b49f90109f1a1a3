"""Facts for tests, as short as the tests need them: an app `shop` and its databases."""

from heroku_changeover.facts import App, Attachment, Database, Dyno, Facts, ProcessType
from heroku_postgres.wish import Wish

APP, OTHER_APP = "shop", "admin"
PLANS = (*(f"{tier}-{n}" for tier in ("standard", "premium") for n in (0, 2, 4)), "essential-1", "mini")


def attachment(addon: str, name: str = "DATABASE", app: str = APP, namespace: str | None = None) -> Attachment:
    return Attachment(f"{app}-{name}-{addon}", name, namespace, f"id-{addon}", addon, app)


def database(name: str, plan: str = "standard-0", owner: str = APP) -> Database:
    """A database that leads, with its attachment as if it were DATABASE."""
    return Database(f"id-{name}", name, plan, owner, attachments=(attachment(name),), fork_follow="Available")


def follower(name: str, leader: Database, plan: str = "standard-2") -> Database:
    colour = attachment(name, "HEROKU_POSTGRESQL_BLUE")
    return Database(
        f"id-{name}", name, plan, APP, attachments=(colour,), is_follower=True, following=leader.name, behind_by=0
    )


def app(
    name: str = APP, primary: Database | None = None, quantity: int = 2, maintenance: bool = False, dynos: int = 0
) -> App:
    return App(
        f"id-{name}",
        name,
        maintenance,
        formation=(ProcessType("web", quantity, "Standard-1X"),),
        dynos=tuple(Dyno(f"run.{n}", "run", "up") for n in range(dynos)),
        attachments=(attachment(primary.name, app=name),) if primary else (),
    )


def facts(one: App, *databases: Database, more: tuple[App, ...] = ()) -> Facts:
    return Facts(apps=(one, *more), databases=databases, plans=PLANS)


def wish(
    plan: str = "standard-2", adopt: str | None = "postgresql-round-12345", hold: bool = False, **more: object
) -> Wish:
    apps = more.pop("apps", (APP,))
    return Wish("db", tuple(apps), plan, adopt, hold, **more)  # type: ignore[arg-type] # tests spell any field
