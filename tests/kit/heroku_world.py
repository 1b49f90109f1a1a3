"""Facts for tests, as short as the tests need them: an app `shop` and its databases."""

from heroku_changeover.terms.facts import App, Attachment, Database, Dyno, Facts, ProcessType
from heroku_changeover.terms.order import STEPS
from heroku_postgres import decision
from heroku_postgres.declared import Decision
from heroku_postgres.known import Known, KnownGeneration
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


def known(wanted: Wish, seen: Facts, *, without: tuple[str, ...] = ()) -> Known:
    """
    What a stack knows whose last run left DATABASE where it is: all databases but those `without`; those up to the
    primary have been promoted, later ones have come up to that.
    """
    numbers = {d: 1 if d.name == wanted.adopt else wanted.number_of(d.name) for d in seen.databases}
    primary = numbers.get(seen.primary) if seen.primary else None
    generations = tuple(
        KnownGeneration(n, d.id, "id-shop", _steps(n, primary or 0))
        for d, n in numbers.items()
        if n is not None and d.name not in without
    )
    if primary is None or seen.primary is None:
        return Known(generations)
    return Known(generations, seen.primary.id, seen.primary.plan)


def _steps(number: int, primary: int) -> tuple[str, ...]:
    return () if number == 1 else STEPS if number <= primary else STEPS[:3]


def decide(wanted: Wish, seen: Facts, knowing: Known | None = None) -> Decision:
    """The decision for a stack that has all that is there, unless a test says what it knows."""
    return decision.decide(wanted, seen, known(wanted, seen) if knowing is None else knowing)
