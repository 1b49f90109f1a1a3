"""Which of the documents in a stack's state tells how an app was."""

import json
import shlex
from typing import Any

import pytest

from heroku_changeover.rescue.by_hand import record_in_state
from heroku_changeover.terms.command import PROGRAM, step_arguments
from heroku_changeover.terms.order import Order
from heroku_changeover.terms.window import Window


def printed(step: str, number: int) -> dict[str, Any]:
    order = Order(f"db-{number}", ("shop",), f"shop-db-{number - 1}", f"shop-db-{number}")
    words = shlex.join([PROGRAM, *step_arguments(step, order)])
    return {"inputs": {"create": words}, "outputs": {"stdout": Window(order.generation).line()}}


@pytest.mark.parametrize(("older", "newer"), [(2, 3), (9, 10), (99, 101)])
def test_the_newest_generation_counts_however_far_an_older_one_came(older: int, newer: int) -> None:
    resources = [printed("promote", older), printed("await-database", newer), printed("maintenance-on", newer)]
    for given in (resources, resources[::-1]):
        record = record_in_state(json.dumps({"deployment": {"resources": given}}), "shop")
        assert record is not None
        assert record.order.generation == f"db-{newer}"


def test_of_one_generation_the_last_step_counts() -> None:
    resources = [printed("await-database", 2), printed("scale-down", 2), printed("maintenance-on", 2)]
    resources[1]["outputs"]["stdout"] = Window("db-2").line().replace('"moments":{}', '"moments":{"quiet":7.0}')
    record = record_in_state(json.dumps({"deployment": {"resources": resources}}), "shop")

    assert record is not None
    assert record.window.moments
