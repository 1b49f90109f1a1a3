"""Names beside DATABASE move with it, also when a run broke between two of them."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest

from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps


def test_a_break_between_two_names_is_mended_when_the_apps_are_up(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    _name_also(heroku, operator, "READONLY")
    operator.run_until("scale-down")
    _fail_after_database(heroku, operator, "status")
    code, said = operator.run("promote")
    assert code == 0, said
    assert "it is tried again when the apps are up" in said
    assert _attached(heroku, name)["READONLY"] == operator.leader

    code, said = operator.run("restore")

    assert code == 0, said
    attached = _attached(heroku, name)
    assert attached["DATABASE"] == attached["READONLY"] == operator.follower
    assert operator.facts["not_moved"] == []


def test_a_name_that_heroku_refuses_keeps_no_app_down_and_no_other_name_back(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    """It is the last thing said, with what to type, and the run is not called done."""
    admin = heroku.create_app(new_name(), web=1, share=operator.leader)["name"]
    operator.apps = (operator.apps[0], admin)
    for chosen in ("ANALYTICS", "READONLY", "WAREHOUSE"):
        _name_also(heroku, operator, chosen)
    heroku.patch(f"/_control/databases/{operator.follower}", {"refuses": ["READONLY"]})
    operator.run_until("promote")
    assert [reason.split(": ")[0] for reason in operator.facts["not_moved"]] == [
        f"READONLY of {operator.apps[0]} is {operator.leader} still"
    ]

    code, said = operator.run("restore")

    assert code == 20, said
    _require_up(heroku, operator)
    assert heroku.quantities(admin)["web"] == 1
    attached = _attached(heroku, operator.apps[0])
    assert {attached[n] for n in ("DATABASE", "ANALYTICS", "WAREHOUSE")} == {operator.follower}
    assert attached["READONLY"] == operator.leader
    assert f"every app serves on {operator.follower}, but READONLY of {operator.apps[0]}" in said
    assert operator.run("restore")[0] == 20
    heroku.patch(f"/_control/databases/{operator.follower}", {"refuses": []})
    assert operator.run("restore")[0] == 0
    assert _attached(heroku, operator.apps[0])["READONLY"] == operator.follower


@pytest.mark.parametrize("advice", ["attach", "detach"])
def test_what_is_said_to_type_for_a_refused_name_works(operator: Operator, heroku: LocalHeroku, advice: str) -> None:
    name = operator.apps[0]
    _name_also(heroku, operator, "READONLY")
    heroku.patch(f"/_control/databases/{operator.follower}", {"refuses": ["READONLY"]})
    operator.run_until("promote")
    code, said = operator.run("restore")
    assert code == 20, said
    attach = re.search(r"`heroku addons:attach (\S+) --as (\S+) --app (\S+) --confirm (\S+)`", said)
    detach = re.search(r"`heroku addons:detach (\S+) --app (\S+)`", said)
    assert attach is not None
    assert detach is not None
    heroku.patch(f"/_control/databases/{operator.follower}", {"refuses": []})
    if advice == "attach":
        addon, named, app, confirm = attach.groups()
        heroku.post("/addon-attachments", {"addon": addon, "name": named, "app": app, "confirm": confirm})
    else:
        gone = heroku.get(f"/apps/{detach[2]}/addon-attachments/{detach[1]}")
        heroku.delete(f"/addon-attachments/{gone['id']}")

    code, said = operator.run("restore")

    assert code == 0, said
    assert _attached(heroku, name).get("READONLY") == (operator.follower if advice == "attach" else None)


def test_a_pooler_that_the_new_plan_has_not_keeps_no_app_down(operator: Operator, heroku: LocalHeroku) -> None:
    _name_also(heroku, operator, "DATABASE_CONNECTION_POOL", "connection-pooling:default")
    heroku.patch(f"/_control/databases/{operator.follower}", {"refuses": ["connection-pooling:default"]})
    operator.run_until("promote")

    code, said = operator.run("restore")

    assert code == 20, said
    _require_up(heroku, operator)
    assert f"`heroku pg:connection-pooling:attach {operator.follower} --as DATABASE_CONNECTION_POOL" in said


def test_a_name_whose_answer_never_comes_costs_users_one_time_out(operator: Operator, heroku: LocalHeroku) -> None:
    for chosen in ("ONE", "TWO", "THREE"):
        _name_also(heroku, operator, chosen)
    operator.run_until("scale-down")
    _fail_after_database(heroku, operator, "hang", times=100, seconds=12)
    started = time.monotonic()
    code, said = operator.run("promote")
    took = time.monotonic() - started
    heroku.clear_faults()
    assert code == 0, said
    assert took < 25
    assert set(operator.facts["not_moved"][0].split()) & {"ONE", "TWO", "THREE"}

    code, said = operator.run("restore")

    assert code == 0, said
    _require_up(heroku, operator)
    attached = _attached(heroku, operator.apps[0])
    assert {attached[n] for n in ("DATABASE", "ONE", "TWO", "THREE")} == {operator.follower}


def test_a_name_whose_release_fails_is_told_when_the_app_is_up(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    _name_also(heroku, operator, "READONLY")
    operator.run_until("scale-down")
    heroku.patch(f"/_control/apps/{name}", {"release": 'test "$READONLY_URL" != "$DATABASE_URL"'})
    code, said = operator.run("promote")
    assert code == 0, said

    code, said = operator.run("restore")

    assert code == 20, said
    _require_up(heroku, operator)
    assert f"READONLY of {name}: release v" in said
    assert f"heroku releases:retry --app {name}" in said
    heroku.patch(f"/_control/apps/{name}", {"release": "true"})
    heroku.patch(f"/apps/{name}/config-vars", {"MENDED": "1"})
    heroku.wait_until("the release", lambda: heroku.get(f"/apps/{name}/releases")[-1]["status"] == "succeeded")
    code, said = operator.run("restore")
    assert code == 0, said


def test_a_failed_release_is_found_behind_those_of_many_other_names(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    for number in ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"):
        _name_also(heroku, operator, number)
    operator.run_until("scale-down")
    heroku.patch(f"/_control/apps/{name}", {"release": "false"})

    code, said = operator.run("promote")

    assert code == 20, said
    assert "heroku releases:output" in said


def _name_also(heroku: LocalHeroku, operator: Operator, chosen: str, namespace: str | None = None) -> None:
    body = {"addon": operator.leader, "app": operator.apps[0], "name": chosen, "namespace": namespace}
    heroku.post("/addon-attachments", body)


def _fail_after_database(heroku: LocalHeroku, operator: Operator, kind: str, **fault: Any) -> None:
    """The old database has its spare name already, so the first attachment of promote is DATABASE."""
    name = operator.apps[0]
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    heroku.fault(kind, "/addon-attachments", method="POST", after=1, **fault)


def _require_up(heroku: LocalHeroku, operator: Operator) -> None:
    assert heroku.primary(operator.apps[0]) == operator.follower
    assert heroku.quantities(operator.apps[0])["web"] == 2
    assert heroku.quantities(operator.apps[0])["worker"] == 1
    assert not operator.app()["maintenance"]


def _attached(heroku: LocalHeroku, name: str) -> dict[str, str]:
    return {a["name"]: a["addon"]["name"] for a in heroku.get(f"/apps/{name}/addon-attachments")}
