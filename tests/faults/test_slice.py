"""A slice of `make faults`: every act once, with every way in which a run can end before its time among them."""

import pytest

from faults.cases import Case, slice_of
from faults.run import run_case
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]
SEED = 1


@pytest.mark.parametrize("case", slice_of(SEED), ids=str)
def test_a_run_that_ends_here_loses_nothing_and_leaves_no_app_down(
    case: Case, heroku: LocalHeroku, new_stack: Stack, request: pytest.FixtureRequest
) -> None:
    number = request.node.callspec.indices["case"]
    outcome = run_case(case, heroku, new_stack, f"slice-{number}")

    assert not outcome.trouble, outcome.told
