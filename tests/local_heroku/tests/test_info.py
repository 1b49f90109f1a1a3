"""What the local Heroku tells of a database, row by row."""

from typing import Any

import psycopg
import pytest

from local_heroku.launcher import LocalHeroku


def rows(heroku: LocalHeroku, database: str) -> dict[str, list[Any]]:
    return {row["name"]: row["values"] for row in heroku.get(f"/client/v11/databases/{database}")["info"]}


@pytest.fixture
def copy(heroku: LocalHeroku, shop: dict[str, Any]) -> str:
    """A follower of shop's database that is available."""
    name = heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-copy")
    path = f"/client/v11/databases/{name}/wait_status"
    heroku.wait_until("the follower to be available", lambda: not heroku.get(path)["waiting?"])
    return name


def unfollow(heroku: LocalHeroku, database: str) -> None:
    path = f"/client/v11/databases/{database}"
    heroku.put(f"{path}/unfollow")
    heroku.wait_until("the unfollow", lambda: not heroku.get(f"{path}/wait_status")["waiting?"])


def test_tables_are_counted_on_the_database_of_the_app(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    before = rows(heroku, shop["addon"])["Tables"]
    with psycopg.connect(shop["database_url"]) as connection:
        connection.execute("CREATE TABLE one_more ()")
        found = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()

    assert found == (before[0] + 1,)
    assert rows(heroku, shop["addon"])["Tables"] == [*found]


def test_behind_by_is_not_shown_while_a_follower_is_not_available(
    heroku: LocalHeroku, shop: dict[str, Any], copy: str
) -> None:
    available = rows(heroku, copy)
    heroku.patch(f"/_control/databases/{copy}", {"waiting": "preparing"})
    busy = rows(heroku, copy)

    assert "Behind By" in available
    assert "Behind By" not in busy
    assert busy["Following"] == available["Following"]


def test_a_database_that_was_cut_off_is_a_fork_of_its_former_leader(
    heroku: LocalHeroku, shop: dict[str, Any], copy: str
) -> None:
    followed = rows(heroku, shop["addon"])
    unfollow(heroku, copy)
    left = rows(heroku, shop["addon"])

    assert "Forks" not in followed
    assert "Followers" not in left
    assert left["Forks"] == followed["Followers"]
    assert rows(heroku, copy)["Forked From"] == ["postgres://" + shop["database_url"].partition("@")[2]]
