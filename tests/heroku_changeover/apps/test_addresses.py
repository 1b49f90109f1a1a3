"""Which database an address names, and where the address with the default credential is found."""

from typing import Any, cast

import pytest

from heroku_changeover.apps.addresses import Addresses, has_arrived, server_of
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.terms.errors import Forbidden, HerokuError
from heroku_changeover.terms.facts import Attachment, Database

OLD, NEW = "postgres://owner:1@old.example:5432/d1", "postgres://owner:2@new.example:5432/d1"
AS_REPORTS = "postgres://reports:3@new.example:5432/d1"
POOL, OLD_POOL = "postgres://owner:2@pool-new.example:5433/d1", "postgres://owner:1@pool-old.example:5433/d1"


@pytest.mark.parametrize(
    ("value", "pooled", "arrived"),
    [
        (NEW, False, True),
        (AS_REPORTS, False, True),
        (f"{AS_REPORTS}?sslmode=require", False, True),
        (OLD, False, False),
        ("", False, False),
        ("no address", False, False),
        ("postgres://owner:2@new.example:5432/d2", False, False),
        (POOL, False, False),
        (POOL, True, True),
        (NEW, True, True),
        (OLD, True, False),
        (OLD_POOL, True, False),
        ("", True, False),
    ],
)
def test_what_has_arrived_is_known_by_its_server_and_not_by_its_credential(
    value: str, pooled: bool, arrived: bool
) -> None:
    assert has_arrived(value, NEW, (OLD, OLD_POOL), pooled=pooled) is arrived


def test_without_the_address_of_the_new_one_it_counts_that_the_old_one_is_left() -> None:
    assert has_arrived(NEW, "", (OLD,), pooled=False)
    assert not has_arrived(OLD, "", (OLD,), pooled=False)


@pytest.mark.parametrize("hostile", ["postgres://h:port/d", "postgres://[::1/d", "postgres://", "\x00", "://", "h"])
def test_what_is_no_address_names_no_server(hostile: str) -> None:
    assert server_of(hostile) is None


def test_all_names_of_this_machine_are_one() -> None:
    assert server_of("postgres://a:b@localhost:5433/d") == server_of("postgres://c:d@127.0.0.1:5433/d")


class Told:
    """Config vars by app, and what the Data API says."""

    def __init__(self, variables: dict[str, dict[str, str]], info: dict[str, Any] | None = None) -> None:
        self.variables, self.info, self.asked = variables, info, list[str]()

    def get(self, path: str) -> dict[str, str]:
        app = path.split("/")[2]
        self.asked.append(app)
        if app not in self.variables:
            raise Forbidden(f"GET {path}", 403, "forbidden", "You do not have access.")
        return self.variables[app]

    def data(self, path: str) -> dict[str, Any]:
        if self.info is None:
            raise HerokuError(f"GET {path}", 503, "busy", "Later.")
        return self.info


def database(*names: tuple[str, str, str | None]) -> Database:
    rows = tuple(Attachment(f"{app}-{name}", name, space, "id", "old", app) for app, name, space in names)
    return Database("id", "old", "standard-0", "payer", attachments=rows)


def found(told: Told, one: Database) -> str:
    return Addresses(cast("Heroku", told), ["shop", "admin"]).of(one)


def test_the_default_credential_is_taken_and_no_other() -> None:
    told = Told({"shop": {"DATABASE_URL": AS_REPORTS, "RED_URL": NEW}})

    assert found(told, database(("shop", "DATABASE", "credential:reports"), ("shop", "RED", None))) == NEW


def test_the_paying_app_is_asked_when_no_app_that_moves_has_it() -> None:
    told = Told({"payer": {"RED_URL": NEW}, "other": {"BLUE_URL": OLD}})
    one = database(("shop", "DATABASE", "credential:reports"), ("other", "BLUE", None), ("payer", "RED", None))

    assert found(told, one) == NEW
    assert told.asked == ["payer"]


def test_an_app_that_this_token_does_not_open_is_passed_over_and_the_data_api_asked() -> None:
    told = Told({}, {"resource_url": NEW})

    assert found(told, database(("payer", "RED", None))) == NEW


@pytest.mark.parametrize("info", [None, {}, {"resource_url": None}])
def test_where_nothing_tells_it_there_is_none(info: dict[str, Any] | None) -> None:
    assert found(Told({}, info), database(("payer", "RED", None))) == ""
