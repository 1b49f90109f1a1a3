"""Names beside DATABASE move with it, also when a run broke between two of them."""

import pytest

from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps


def test_a_break_between_two_names_is_mended_by_the_next_run(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    _name_also(heroku, operator, "READONLY")
    operator.run_until("scale-down")
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    heroku.fault("status", "/addon-attachments", method="POST", times=3, after=1)
    code, said = operator.run("promote")
    assert code == 20, said
    assert _attached(heroku, name)["READONLY"] == operator.leader

    code, said = operator.run("promote")

    assert code == 0, said
    attached = _attached(heroku, name)
    assert attached["DATABASE"] == attached["READONLY"] == operator.follower


def test_a_failed_release_is_found_behind_those_of_many_other_names(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    for number in ("ONE", "TWO", "THREE", "FOUR", "FIVE", "SIX"):
        _name_also(heroku, operator, number)
    operator.run_until("scale-down")
    heroku.patch(f"/_control/apps/{name}", {"release": "false"})

    code, said = operator.run("promote")

    assert code == 20, said
    assert "heroku releases:output" in said


def _name_also(heroku: LocalHeroku, operator: Operator, chosen: str) -> None:
    name = operator.apps[0]
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "name": chosen})


def _attached(heroku: LocalHeroku, name: str) -> dict[str, str]:
    return {a["name"]: a["addon"]["name"] for a in heroku.get(f"/apps/{name}/addon-attachments")}
