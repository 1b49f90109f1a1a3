"""
An app that somebody takes down after it was captured comes back as it was captured: the one rule for an app that is
down, since nothing tells a colleague's work from that of a run that was lost.
"""

from collections.abc import Callable
from typing import Any

import pytest

from heroku_changeover.terms.order import STEPS
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps


def take_down(heroku: LocalHeroku, app: str, *, page: bool = False, **quantities: int) -> None:
    if page:
        heroku.patch(f"/apps/{app}", {"maintenance": True})
    if quantities:
        updates = [{"type": kind, "quantity": quantity} for kind, quantity in quantities.items()]
        heroku.patch(f"/apps/{app}/formation", {"updates": updates})


KINDS: dict[str, dict[str, Any]] = {
    "page and nothing runs": {"page": True, "web": 0, "worker": 0},
    "nothing runs": {"web": 0, "worker": 0},
    "page": {"page": True},
    "page and no web": {"page": True, "web": 0},
    "no web": {"web": 0},
}


def finish(operator: Operator) -> str:
    said = ""
    for step in STEPS[1:]:
        code, spoken = operator.run(step)
        assert code == 0, spoken
        said += spoken
    return said


@pytest.mark.parametrize("kind", KINDS)
def test_an_app_that_is_taken_down_by_hand_after_it_was_held_is_never_left_without_dynos_and_page(
    operator: Operator, heroku: LocalHeroku, kind: str
) -> None:
    name = operator.apps[0]
    operator.run_until("await-database")
    take_down(heroku, name, **KINDS[kind])
    said = finish(operator)

    assert f"{name} was taken down since it was captured; it comes back as it was then: web 2, worker 1" in said
    assert heroku.primary(name) == operator.follower
    assert heroku.quantities(name) == {"web": 2, "worker": 1}
    assert not operator.app()["maintenance"]


def test_a_process_type_that_was_stopped_in_an_app_that_serves_stays_stopped(
    operator: Operator, heroku: LocalHeroku
) -> None:
    operator.run_until("await-database")
    take_down(heroku, operator.apps[0], worker=0)
    said = finish(operator)

    assert "was taken down" not in said
    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 0}


def test_of_several_apps_the_one_that_is_down_comes_back_and_the_other_keeps_what_was_changed(
    operator: Operator, heroku: LocalHeroku, new_name: Callable[[], str]
) -> None:
    admin = heroku.create_app(new_name(), web=1, worker=1, share=operator.leader)["name"]
    operator.apps = (operator.apps[0], admin)
    operator.run_until("await-database")
    take_down(heroku, admin, page=True, web=0, worker=0)
    take_down(heroku, operator.apps[0], worker=0)
    finish(operator)

    assert heroku.quantities(operator.apps[0]) == {"web": 2, "worker": 0}
    assert heroku.quantities(admin) == {"web": 1, "worker": 1}
    assert not heroku.get(f"/apps/{admin}")["maintenance"]


def test_one_that_is_down_comes_back_too_when_everything_is_put_back(operator: Operator, heroku: LocalHeroku) -> None:
    operator.run_until("await-database")
    take_down(heroku, operator.apps[0], page=True, web=0, worker=0)
    for step in STEPS[1:3]:
        assert operator.run(step)[0] == 0
    path = f"/client/v11/databases/{operator.follower}/unfollow"
    heroku.fault("status", path, method="PUT", status=422, error_id="invalid_params")
    code, said = operator.run("promote")

    assert code == 10, said
    assert operator.is_as_found()


def test_an_app_that_was_scaled_to_nothing_before_anything_was_recorded_is_left_alone(
    operator: Operator, heroku: LocalHeroku
) -> None:
    """With or without the maintenance page: nobody knows how it was."""
    take_down(heroku, operator.apps[0], web=0, worker=0)
    code, said = operator.run("maintenance-on")

    assert code == 40, said
    assert "no record says how it was before" in said
    assert not operator.app()["maintenance"]
