"""A constructor waits, and what was declared before it is sent meanwhile."""

import asyncio
from concurrent.futures import Future

import pytest

from heroku_postgres.waiting import wait_for


@pytest.mark.timeout(20)
def test_what_the_program_has_begun_goes_on_while_it_waits_in_the_middle_of_the_loop() -> None:
    """The one thing that ends the wait is done by the very loop in which the program runs: a plain wait never ends."""
    found: Future[str] = Future()

    async def program() -> str:
        asyncio.get_running_loop().call_soon(found.set_result, "what was found")
        return wait_for(found)

    assert asyncio.run(program()) == "what was found"


def test_what_went_wrong_in_the_thread_is_raised_where_it_is_waited_for() -> None:
    looking: Future[str] = Future()
    looking.set_exception(OSError("no way to Heroku"))

    async def program() -> str:
        return wait_for(looking)

    with pytest.raises(OSError, match="no way to Heroku"):
        asyncio.run(program())
