"""The retire guard as a process: what keeps a database, and what lets it go."""

import socket
from collections.abc import Callable
from typing import Any

import psycopg
import pytest
import urllib3

from heroku_changeover import heroku as client
from heroku_changeover.errors import Refused
from heroku_changeover.heroku import Address, Heroku, address_from
from heroku_changeover.retire import guard as ask_guard
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
Guard = Callable[..., tuple[int, str]]


@pytest.fixture
def retired(heroku: LocalHeroku, shop: dict[str, Any]) -> tuple[str, str]:
    """App and name of a database that was DATABASE until another one took its place, and that nobody uses."""
    name, old = shop["name"], shop["addon"]
    heroku.patch(
        f"/apps/{name}/formation", {"updates": [{"type": "web", "quantity": 0}, {"type": "worker", "quantity": 0}]}
    )
    new = heroku.follow(name, old, "standard-2", f"{name}-db-2")
    heroku.put(f"/client/v11/databases/{new}/unfollow")
    path = f"/client/v11/databases/{new}/wait_status"
    heroku.wait_until("the unfollow", lambda: not heroku.get(path)["waiting?"])
    heroku.post("/addon-attachments", {"addon": old, "app": name, "confirm": name})
    heroku.post("/addon-attachments", {"addon": new, "app": name, "name": "DATABASE", "confirm": name})
    heroku.wait_until("the dynos to be gone", lambda: not heroku.get(f"/apps/{name}/dynos"))
    return name, old


def test_a_database_that_nobody_uses_may_go(guard: Guard, retired: tuple[str, str]) -> None:
    code, said = guard(*retired)

    assert code == 0, said
    assert "is used by nobody" in said


def test_a_primary_is_kept(guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    name, _ = retired

    code, said = guard(name, heroku.primary(name))

    assert code == 30
    assert f"it is DATABASE of app {name}" in said


def test_a_database_that_became_database_again_is_kept(
    guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    name, old = retired
    heroku.post("/addon-attachments", {"addon": old, "app": name, "name": "DATABASE", "confirm": name})

    code, said = guard(name, old)

    assert code == 30
    assert "it is DATABASE of app" in said


def test_a_database_that_another_app_uses_is_kept(
    guard: Guard, heroku: LocalHeroku, retired: tuple[str, str], new_name: Callable[[], str]
) -> None:
    other = heroku.create_app(new_name(), with_database=False)["name"]
    heroku.post("/addon-attachments", {"addon": retired[1], "app": other, "name": "OLD"})

    code, said = guard(*retired)

    assert code == 30
    assert f"app {other} uses it too" in said


def test_a_database_that_is_followed_is_kept(guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    name, old = retired
    heroku.follow(name, old, "standard-2", f"{name}-reports")

    code, said = guard(*retired)

    assert code == 30
    assert "1 databases follow it" in said


def test_a_database_with_an_open_session_is_kept(guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    with psycopg.connect(heroku.database_url(retired[1])):
        code, said = guard(*retired)

    assert code == 30
    assert "1 open sessions of role" in said


def test_a_database_whose_address_this_token_may_not_read_is_kept(
    guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    heroku.fault("status", f"/apps/{retired[0]}/config-vars", status=403, error_id="forbidden")

    code, said = guard(*retired)

    assert code == 30
    assert "cannot be seen whether sessions are open" in said


def test_a_database_that_is_gone_already_passes(guard: Guard, shop: dict[str, Any]) -> None:
    code, said = guard(shop["name"], "postgresql-gone-12345")

    assert code == 0
    assert "is gone already" in said


def test_a_database_whose_app_is_gone_passes(guard: Guard, heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    heroku.delete(f"/_control/apps/{shop['name']}")

    code, said = guard(shop["name"], shop["addon"])

    assert code == 0, said
    assert "is gone already" in said


def test_a_follower_that_is_not_needed_may_go(guard: Guard, heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    copy = heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-db-2")

    assert guard(shop["name"], copy)[0] == 0


def test_a_database_is_kept_when_heroku_cannot_be_asked(
    guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    heroku.fault("status", f"/addons/{retired[1]}", status=403, error_id="forbidden")

    code, said = guard(*retired)

    assert code == 30
    assert "could not be proved that nothing uses it" in said


def test_the_only_copy_is_kept_although_it_is_nobodys_primary(
    guard: Guard, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    name, addon = shop["name"], shop["addon"]
    heroku.post("/addon-attachments", {"addon": addon, "app": name, "confirm": name})
    heroku.delete(f"/addon-attachments/{heroku.get(f'/apps/{name}/addon-attachments/DATABASE')['id']}")

    code, said = guard(name, addon)

    assert code == 30
    assert "it may be the only copy" in said


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client as it is, with no pause between its tries and short time-outs."""
    retries = client._retries
    monkeypatch.setattr(client, "_retries", lambda method: retries(method).new(backoff_factor=0))
    monkeypatch.setattr(client, "TIMEOUT", urllib3.Timeout(connect=1, read=0.2))


def kept(heroku: Heroku, app: str, database: str) -> str:
    """Why the guard keeps a database, from a client of this very process."""
    with pytest.raises(Refused) as refusal:
        ask_guard(heroku, app, database, {}, print)
    return str(refusal.value)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("kind", ["hang", "reset_before", "status", "not_json"])
def test_a_database_is_kept_when_heroku_does_not_answer(
    heroku: LocalHeroku, retired: tuple[str, str], kind: str
) -> None:
    heroku.fault(kind, "/(apps|addons|client)/.*", times=10_000, status=503, seconds=1)

    assert "could not be proved that nothing uses it" in kept(Heroku(address_from(heroku.environment)), *retired)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("silent", ["/addons/[^/]*", "/addons/.*/addon-attachments", "/client/.*", "/apps/.*"])
def test_a_database_is_kept_when_a_part_of_what_heroku_knows_is_not_answered(
    heroku: LocalHeroku, retired: tuple[str, str], silent: str
) -> None:
    heroku.fault("status", silent, times=10_000, status=503)

    assert "could not be proved that nothing uses it" in kept(Heroku(address_from(heroku.environment)), *retired)


@pytest.mark.usefixtures("impatient")
def test_a_database_is_kept_when_nobody_listens() -> None:
    with socket.socket() as closed:  # bound, and listening to nobody
        closed.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{closed.getsockname()[1]}"

        said = kept(Heroku(Address(origin, origin, "a-token")), "shop", "shop-db-1")

    assert "could not be proved that nothing uses it" in said


def test_a_database_goes_with_its_name_typed_even_if_heroku_does_not_answer(
    guard: Guard, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    heroku.fault("status", "/(apps|addons|client)/.*", times=10_000, status=503)

    assert guard(shop["name"], shop["addon"], HEROKU_CHANGEOVER_DESTROY=shop["addon"])[0] == 0


@pytest.mark.parametrize(("typed", "code"), [("right", 0), ("wrong", 30)])
def test_a_primary_goes_only_with_its_name_typed(guard: Guard, shop: dict[str, Any], typed: str, code: int) -> None:
    name = shop["addon"] if typed == "right" else f"{shop['addon']}0"

    assert guard(shop["name"], shop["addon"], HEROKU_CHANGEOVER_DESTROY=name)[0] == code
