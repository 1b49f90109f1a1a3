"""The retire guard as a process: what keeps a database, what lets it go, and that it is then deleted by its id."""

import os
import shlex
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest

from heroku_changeover.reach import heroku as client
from heroku_changeover.reach.address import Address, address_from
from heroku_changeover.reach.heroku import Heroku
from heroku_changeover.reach.wait import Clock
from heroku_changeover.retire.guard import guard as ask_guard
from heroku_changeover.retire.verdict import Retirement
from heroku_changeover.terms.command import guard_arguments
from heroku_changeover.terms.errors import Refused
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
Guard = Callable[..., tuple[int, str]]
URN = "urn:pulumi:production::shop::heroku-postgres:index:Database$heroku-postgres:index:Generation::db-1"


@pytest.fixture
def parted(heroku: LocalHeroku, shop: dict[str, Any]) -> tuple[str, str]:
    """App and name of a database that was DATABASE until a copy took its place by hand, and that nobody uses."""
    name, old = shop["name"], shop["addon"]
    heroku.patch(
        f"/apps/{name}/formation", {"updates": [{"type": "web", "quantity": 0}, {"type": "worker", "quantity": 0}]}
    )
    new = heroku.follow(name, old, "standard-2", f"{name}-db-2")
    unfollow(heroku, new)
    heroku.post("/addon-attachments", {"addon": old, "app": name, "confirm": name})
    attach(heroku, name, new, "DATABASE")
    return name, old


@pytest.fixture
def retired(heroku: LocalHeroku, parted: tuple[str, str]) -> tuple[str, str]:
    """The same, and sealed, as a changeover leaves it."""
    execute(heroku, parted[1], "ALTER DATABASE {} SET default_transaction_read_only = on")
    return parted


@pytest.fixture
def meant(guard: Guard) -> Guard:
    """Asks the guard about a database that is said to go."""

    def ask(app: str, database: str, *words: str, **variables: str) -> tuple[int, str]:
        return guard(app, database, *words, **{"HEROKU_CHANGEOVER_RETIRE": database, **variables})

    return ask


def unfollow(heroku: LocalHeroku, database: str) -> None:
    heroku.put(f"/client/v11/databases/{database}/unfollow")
    path = f"/client/v11/databases/{database}/wait_status"
    heroku.wait_until("the unfollow", lambda: not heroku.get(path)["waiting?"])


def attach(heroku: LocalHeroku, app: str, database: str, name: str) -> None:
    heroku.post("/addon-attachments", {"addon": database, "app": app, "name": name, "confirm": app})
    heroku.wait_until("the dynos to be gone", lambda: not heroku.get(f"/apps/{app}/dynos"))


def detach(heroku: LocalHeroku, app: str, name: str) -> None:
    heroku.delete(f"/addon-attachments/{heroku.get(f'/apps/{app}/addon-attachments/{name}')['id']}")


def execute(heroku: LocalHeroku, database: str, statement: str) -> None:
    with psycopg.connect(heroku.database_url(database), autocommit=True) as session:
        session.execute("SET default_transaction_read_only = off")
        session.execute(statement.format(session.info.dbname).encode())


def fresh(heroku: LocalHeroku, app: str) -> str:
    """A new and empty database of the app."""
    name = f"{app}-empty"
    heroku.post(f"/apps/{app}/addons", {"plan": "heroku-postgresql:standard-0", "name": name})
    heroku.wait_until(f"{name} to be there", lambda: heroku.get(f"/addons/{name}")["state"] == "provisioned")
    return name


def is_there(heroku: LocalHeroku, database: str) -> bool:
    return heroku.call("GET", f"/addons/{database}")[0] == 200


def test_a_database_that_is_to_go_and_that_nobody_uses_is_deleted(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    addon, app = heroku.get(f"/addons/{retired[1]}")["id"], heroku.get(f"/apps/{retired[0]}")["id"]
    seen = heroku.counted("requests")

    code, said = meant(*retired)

    assert code == 0, said
    assert "is used by nobody" in said
    assert "is deleted" in said
    assert not is_there(heroku, addon)
    deletions = [r["path"] for r in heroku.requests(seen) if r["method"] == "DELETE"]
    assert deletions == [f"/apps/{app}/addons/{addon}"]


def test_with_only_prove_the_same_is_proved_and_nothing_deleted(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    code, said = meant(*retired, "--only-prove")

    assert code == 0, said
    assert is_there(heroku, retired[1])


def test_a_database_that_nobody_aimed_at_is_kept(guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    code, said = guard(*retired)

    assert code == 30
    assert "not aimed at it" in said
    assert f"set HEROKU_CHANGEOVER_RETIRE={retired[1]}" in said
    assert is_there(heroku, retired[1])


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("destroy", "--target", f"**{URN[24:]}"), 0),
        (("destroy", "--target", "**::db-10"), 30),
        (("destroy", "--yes"), 30),
        (("up",), 30),
    ],
)
def test_a_target_of_the_engine_that_runs_the_guard_is_an_aim(
    heroku: LocalHeroku, retired: tuple[str, str], tmp_path: Path, words: tuple[str, ...], code: int
) -> None:
    app, addon = heroku.get(f"/apps/{retired[0]}"), heroku.get(f"/addons/{retired[1]}")
    line = [sys.executable, "-m", "heroku_changeover", *guard_arguments(app["id"], addon["id"], addon["name"])]
    engine = tmp_path / "pulumi"
    engine.symlink_to(Path(sys.executable).resolve())
    run = f"import subprocess, sys; sys.exit(subprocess.run({line!r}).returncode)"

    asked = subprocess.run(
        [engine, "-c", run, *words],
        env={**os.environ, **heroku.environment, "HEROKU_CHANGEOVER_URN": URN},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert asked.returncode == code, asked.stderr
    assert is_there(heroku, retired[1]) == (code == 30)
    assert ("has left the program" in asked.stderr) == (words == ("up",))
    assert ("Bring back what the program had for it" in asked.stderr) == (words == ("up",))
    if words[0] == "destroy" and code:
        told = shlex.split(asked.stderr.split("`")[-2])
        assert told[:2] == ["pulumi", "destroy"]
        assert told[-1] == f"remove {retired[1]}"


def test_a_variable_that_names_another_database_is_no_aim(guard: Guard, retired: tuple[str, str]) -> None:
    assert guard(*retired, HEROKU_CHANGEOVER_RETIRE=f"{retired[0]}-db-2")[0] == 30


def test_a_primary_is_kept(meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    name, _ = retired

    code, said = meant(name, heroku.primary(name))

    assert code == 30
    assert f"it is DATABASE of app {name}" in said


def test_a_primary_is_kept_even_if_every_variable_names_it_and_goes_by_heroku_s_own_command(
    meant: Guard, guard: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    name, _ = retired
    primary, database_id = f"{name}-db-2", heroku.get(f"/addons/{name}-db-2")["id"]

    code, said = meant(name, primary, HEROKU_CHANGEOVER_DESTROY=primary)

    assert code == 30
    assert f"`heroku addons:destroy {primary} --app {name}`, then run this again" in said
    heroku.delete(f"/apps/{name}/addons/{primary}")
    assert guard(name, database_id)[0] == 0


def test_a_database_that_was_renamed_and_became_database_again_is_kept(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    name, old = retired
    heroku.patch(f"/apps/{name}/addons/{old}", {"name": f"{name}-other"})
    attach(heroku, name, f"{name}-other", "DATABASE")

    code, said = meant(name, f"{name}-other", called=old)

    assert code == 30
    assert f"{name}-other, which was called {old}, is kept" in said
    assert "it is DATABASE of app" in said


def test_a_database_under_a_name_that_a_person_chose_is_kept_until_it_is_detached(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    name, old = retired
    attach(heroku, name, old, "REPORTS")

    code, said = meant(name, old)

    assert code == 30
    assert f"it is attached to app {name} as REPORTS" in said
    assert f"`heroku addons:detach REPORTS --app {name}`" in said
    detach(heroku, name, "REPORTS")
    assert meant(name, old)[0] == 0


def test_a_database_is_kept_when_database_is_a_fresh_and_empty_one(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    name, old = retired
    heroku.post("/addon-attachments", {"addon": f"{name}-db-2", "app": name, "confirm": name})
    attach(heroku, name, fresh(heroku, name), "DATABASE")

    for database in (old, f"{name}-db-2"):
        code, said = meant(name, database, HEROKU_CHANGEOVER_DESTROY=database)

        assert code == 30, said
        assert f"{name}-empty holds other data" in said
        assert is_there(heroku, database)


def test_a_database_whose_host_a_config_var_holds_is_kept(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    name, old = retired
    heroku.patch(f"/apps/{name}/config-vars", {"REPORTS_URL": heroku.database_url(old)})

    code, said = meant(name, old)

    assert code == 30
    assert f"config var REPORTS_URL of app {name} holds its host" in said
    assert "postgres://" not in said
    heroku.patch(f"/apps/{name}/config-vars", {"REPORTS_URL": None})
    assert meant(name, old)[0] == 0


def test_a_database_that_another_app_uses_is_kept(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str], new_name: Callable[[], str]
) -> None:
    other = heroku.create_app(new_name(), with_database=False)["name"]
    heroku.post("/addon-attachments", {"addon": retired[1], "app": other, "name": "OLD"})

    code, said = meant(*retired)

    assert code == 30
    assert f"app {other} uses it too" in said


def test_a_database_that_is_followed_is_kept(meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    name, old = retired
    heroku.follow(name, old, "standard-2", f"{name}-reports")

    code, said = meant(*retired)

    assert code == 30
    assert "1 databases follow it" in said


def test_a_database_with_an_open_session_is_kept(meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    with psycopg.connect(heroku.database_url(retired[1])):
        code, said = meant(*retired)

    assert code == 30
    assert "1 open sessions of role" in said


def test_a_database_that_no_changeover_sealed_is_kept_until_its_name_is_typed(
    meant: Guard, heroku: LocalHeroku, parted: tuple[str, str]
) -> None:
    code, said = meant(*parted)

    assert code == 30
    assert f"may lack what {parted[1]} took" in said
    assert f"set HEROKU_CHANGEOVER_DESTROY={parted[1]} if its data may go" in said
    assert meant(*parted, HEROKU_CHANGEOVER_DESTROY=f"{parted[0]}-db-2")[0] == 30
    code, said = meant(*parted, HEROKU_CHANGEOVER_DESTROY=parted[1])
    assert code == 0
    assert "it goes although" in said


def cut_off(heroku: LocalHeroku, shop: dict[str, Any]) -> str:
    """A follower that was unfollowed behind a barrier, and is DATABASE of nobody."""
    name, old = shop["name"], shop["addon"]
    scale_to_zero(heroku, name)
    copy = heroku.follow(name, old, "standard-2", f"{name}-db-2")
    execute(heroku, old, "ALTER DATABASE {} CONNECTION LIMIT -1")
    wait_for_barrier(heroku, old, copy)
    unfollow(heroku, copy)
    return copy


def test_a_copy_that_was_cut_off_after_the_barrier_and_took_nothing_may_go(
    meant: Guard, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    name, copy = shop["name"], cut_off(heroku, shop)
    with psycopg.connect(heroku.database_url(copy)) as session:  # as a step looks whether it takes writes
        session.execute("CREATE TEMPORARY TABLE probe ()")
        session.rollback()

    code, said = meant(name, copy)

    assert code == 0, said


def test_a_copy_that_was_cut_off_and_took_a_write_is_kept(
    meant: Guard, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    name, copy = shop["name"], cut_off(heroku, shop)
    execute(heroku, copy, "CREATE TABLE notes ()")

    code, said = meant(name, copy)

    assert code == 30
    assert f"{shop['addon']} may lack what {copy} took" in said


def test_a_sealed_database_whose_holder_went_does_not_go_for_an_older_copy(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    name, old = retired
    execute(heroku, old, "ALTER DATABASE {} CONNECTION LIMIT -1")  # the barrier of a later changeover

    code, said = meant(name, old)

    assert code == 30
    assert "may lack" in said


def scale_to_zero(heroku: LocalHeroku, app: str) -> None:
    updates = [{"type": "web", "quantity": 0}, {"type": "worker", "quantity": 0}]
    heroku.patch(f"/apps/{app}/formation", {"updates": updates})
    heroku.wait_until("the dynos to be gone", lambda: not heroku.get(f"/apps/{app}/dynos"))


def wait_for_barrier(heroku: LocalHeroku, leader: str, follower: str) -> None:
    """Until both databases show the same transaction as the last that changed their own row."""

    def xmin(database: str) -> Any:
        with psycopg.connect(heroku.database_url(database)) as session:
            return session.execute("SELECT xmin FROM pg_database WHERE datname = current_database()").fetchone()

    heroku.wait_until("the barrier to be replayed", lambda: xmin(leader) == xmin(follower))


def test_a_database_whose_config_vars_this_token_may_not_read_is_kept(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    heroku.fault("status", f"/apps/{retired[0]}/config-vars", times=10_000, status=403, error_id="forbidden")

    code, said = meant(*retired)

    assert code == 30
    assert "cannot be seen whether sessions are open" in said


def test_a_database_that_is_gone_already_passes(guard: Guard, shop: dict[str, Any]) -> None:
    """Otherwise it could never leave the state."""
    code, said = guard(shop["name"], "01234567-89ab-cdef-0123-456789abcdef")

    assert code == 0
    assert "is gone already" in said


def test_a_database_whose_app_is_gone_passes(heroku: LocalHeroku, shop: dict[str, Any]) -> None:
    """Heroku removes the add-ons of an app along with it."""
    ids = heroku.get(f"/apps/{shop['name']}")["id"], heroku.get(f"/addons/{shop['addon']}")["id"]
    heroku.delete(f"/_control/apps/{shop['name']}")
    said: list[str] = []

    ask_guard(Heroku(address_from(heroku.environment)), Retirement(*ids, shop["addon"], {}), Clock(), said.append)

    assert said == [f"{shop['addon']} is gone already"]


def test_a_follower_that_is_not_needed_goes_without_being_aimed_at(
    guard: Guard, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    copy = heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-db-2")

    code, said = guard(shop["name"], copy)

    assert code == 0, said
    assert not is_there(heroku, copy)


def test_a_follower_under_a_name_that_a_person_chose_is_kept(
    guard: Guard, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    copy = heroku.follow(shop["name"], shop["addon"], "standard-2", f"{shop['name']}-db-2")
    heroku.post("/addon-attachments", {"addon": copy, "app": shop["name"], "name": "READER"})

    assert guard(shop["name"], copy)[0] == 30


def test_the_only_copy_is_kept_although_it_is_nobodys_primary(
    meant: Guard, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    name, addon = shop["name"], shop["addon"]
    heroku.post("/addon-attachments", {"addon": addon, "app": name, "confirm": name})
    detach(heroku, name, "DATABASE")

    code, said = meant(name, addon, HEROKU_CHANGEOVER_DESTROY=addon)

    assert code == 30
    assert "it may be the only one with its data" in said


def test_a_removal_that_heroku_takes_its_time_over_is_waited_for(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]
) -> None:
    heroku.patch("/_control/world", {"latency": {"deprovision": 0.5}})

    code, said = meant(*retired)

    assert code == 0, said
    assert not is_there(heroku, retired[1])


@pytest.mark.parametrize("kind", ["reset_before", "reset_after"])
def test_a_removal_whose_answer_is_lost_is_looked_at_before_it_is_asked_for_again(
    meant: Guard, heroku: LocalHeroku, retired: tuple[str, str], kind: str
) -> None:
    """Heroku carried out the one whose connection broke afterwards, and never saw the other one's first request."""
    heroku.fault(kind, "/apps/[^/]*/addons/.*", method="DELETE")
    seen = heroku.counted("requests")

    code, said = meant(*retired)

    assert code == 0, said
    assert not is_there(heroku, retired[1])
    answers = [r["status"] for r in heroku.requests(seen) if r["method"] == "DELETE"]
    assert len(answers) == 1, answers


def test_a_removal_that_heroku_refuses_is_said(meant: Guard, heroku: LocalHeroku, retired: tuple[str, str]) -> None:
    heroku.fault("status", "/apps/[^/]*/addons/.*", method="DELETE", status=403, error_id="forbidden")

    code, said = meant(*retired)

    assert code == 30
    assert "Heroku did not remove it" in said


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client as it is, with no pause between its tries and short time-outs."""
    monkeypatch.setattr(client, "pause_before", lambda *_: 0.0)
    monkeypatch.setattr(client, "TRY_SECONDS", 0.2)


def retirement(heroku: LocalHeroku, retired: tuple[str, str]) -> Retirement:
    app, addon = heroku.get(f"/apps/{retired[0]}")["id"], heroku.get(f"/addons/{retired[1]}")["id"]
    names = dict.fromkeys(("HEROKU_CHANGEOVER_RETIRE", "HEROKU_CHANGEOVER_DESTROY"), retired[1])
    return Retirement(app, addon, retired[1], names)


def kept(heroku: Heroku, asked: Retirement) -> str:
    """Why the guard keeps a database, from a client of this very process."""
    with pytest.raises(Refused) as refusal:
        ask_guard(heroku, asked, Clock(), print)
    return str(refusal.value)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "hang", "seconds": 1},
        {"kind": "reset_before"},
        {"kind": "status", "status": 503},
        {"kind": "status", "status": 401, "error_id": "unauthorized"},
        {"kind": "status", "status": 404, "error_id": "no_such_page"},
        {"kind": "not_json"},
    ],
)
def test_a_database_is_kept_when_heroku_does_not_answer(
    heroku: LocalHeroku, retired: tuple[str, str], fault: dict[str, Any]
) -> None:
    asked = retirement(heroku, retired)
    heroku.fault(path="/(apps|addons|client)/.*", times=10_000, **fault)

    assert "could not be proved that it may go" in kept(Heroku(address_from(heroku.environment)), asked)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("silent", ["/addons/[^/]*", "/addons/.*/addon-attachments", "/client/.*", "/apps/.*"])
def test_a_database_is_kept_when_a_part_of_what_heroku_knows_is_not_answered(
    heroku: LocalHeroku, retired: tuple[str, str], silent: str
) -> None:
    asked = retirement(heroku, retired)
    heroku.fault("status", silent, times=10_000, status=503)

    assert "could not be proved that it may go" in kept(Heroku(address_from(heroku.environment)), asked)


@pytest.mark.usefixtures("impatient")
def test_a_database_is_kept_when_nobody_listens() -> None:
    with socket.socket() as closed:  # bound, and listening to nobody
        closed.bind(("127.0.0.1", 0))
        origin = f"http://127.0.0.1:{closed.getsockname()[1]}"

        said = kept(Heroku(Address(origin, origin, "a-token")), Retirement("app", "addon", "shop-db-1", {}))

    assert "could not be proved that it may go" in said
