"""A slice of the matrix of identity: slips that could cost a database, at each moment of a changeover."""

import pytest

from faults.identity.cases import Case, slice_of
from faults.identity.run import run_case
from local_heroku.launcher import LocalHeroku
from toolchain import Stack

pytestmark = [pytest.mark.engine, pytest.mark.timeout(300)]
SEED = 1


@pytest.mark.parametrize("case", slice_of(SEED), ids=str)
def test_nothing_is_deleted_sealed_or_moved_unasked_and_what_is_printed_leads_on(
    case: Case, heroku: LocalHeroku, new_stack: Stack, request: pytest.FixtureRequest
) -> None:
    number = request.node.callspec.indices["case"]
    outcome = run_case(case, heroku, new_stack, f"slip-{number}")

    assert not outcome.trouble, outcome.told
