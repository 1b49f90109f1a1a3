"""`recover --was`: nothing on this machine tells how an app was, so a person does."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from heroku_changeover.reach.home import folder
from heroku_changeover.reach.locks import locked
from heroku_changeover.reach.wait import Clock
from heroku_changeover.terms.acts import Act
from kit.injection import Injection, at
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

from .lost_runs import by_hand

pytestmark = pytest.mark.steps


def take_down(heroku: LocalHeroku, app: str) -> None:
    heroku.patch(f"/apps/{app}", {"maintenance": True})
    updates = [{"type": "web", "quantity": 0}, {"type": "worker", "quantity": 0}]
    heroku.patch(f"/apps/{app}/formation", {"updates": updates})


def words_for(app: str) -> tuple[str, ...]:
    return ("recover", "--app", app, "--was", "web=2", "--was", "worker=1", "--yes")


def test_an_app_is_not_brought_up_without_dynos(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    take_down(heroku, name)
    code, _, said = by_hand(operator, "recover", "--app", name, "--was", "web=0", "--yes")

    assert code == 30, said
    assert f"app {name} would have no dyno" in said
    assert operator.app()["maintenance"]


def test_an_app_is_not_brought_up_without_a_database(operator: Operator, heroku: LocalHeroku) -> None:
    name = operator.apps[0]
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "confirm": name})
    primary = next(a for a in heroku.get(f"/apps/{name}/addon-attachments") if a["name"] == "DATABASE")
    heroku.delete(f"/addon-attachments/{primary['id']}")
    take_down(heroku, name)
    code, _, said = by_hand(operator, *words_for(name))

    assert code == 40, said
    assert operator.app()["maintenance"]
    advice = re.search(rf"`heroku addons:attach (\S+) --as DATABASE --app {name}`", said)
    assert advice is not None, said
    assert {operator.leader, operator.follower} == set(re.findall(r"it has (\S+), (\S+):", said)[0])
    heroku.post("/addon-attachments", {"addon": operator.leader, "app": name, "name": "DATABASE"})
    code, _, said = by_hand(operator, *words_for(name))
    assert code == 0, said
    assert operator.is_as_found()


def test_an_app_is_left_to_a_run_on_another_machine_that_has_its_database_fenced(
    operator: Operator, tmp_path: Path
) -> None:
    operator.run_until("scale-down")
    elsewhere = replace(operator, home=tmp_path / "elsewhere", said=[])
    injection = Injection(tmp_path / "injected", at(Act.LOCK, "after"))
    operator.variables = injection.environment
    promote = operator.start("promote")
    injection.wait_for("act")
    code, _, said = by_hand(elsewhere, *words_for(operator.apps[0]))
    injection.go("act")
    ended, told = operator.finish(promote)

    assert code == 30, said
    assert "another run has fenced it" in said
    assert ended == 0, told


def test_an_app_is_brought_up_after_whoever_is_at_work_on_it_on_this_machine(
    operator: Operator, heroku: LocalHeroku
) -> None:
    name = operator.apps[0]
    take_down(heroku, name)
    with locked(folder(operator.environment), [name], "promote", Clock(), print):
        recover = subprocess.Popen(
            [sys.executable, "-m", "heroku_changeover", *words_for(name)],
            env=operator.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        operator.read_until(recover, "promote (process")
        assert operator.app()["maintenance"]
    code, said = operator.finish(recover)

    assert code == 0, said
    assert operator.is_as_found()
