"""Waiting in the middle of a program, which must not hold up what it has declared so far."""

import asyncio
from concurrent.futures import Future
from typing import TypeVar

from pulumi.runtime.sync_await import _sync_await

T = TypeVar("T")


def wait_for(future: "Future[T]") -> T:
    """
    What a thread brings. Until then the event loop goes on, so that what was registered is sent to the engine.

    A constructor has to wait: `depends_on` takes the children that a component has when its constructor returns, so
    nothing can be declared later, in an `apply`. If it waited with `future.result()`, everything that the program has
    registered would wait with it, of other components too, for as long as the thread takes.

    Pulumi's SDK waits in the same way for its own synchronous invokes, and has no public name for it; so this is the
    one place that uses the private one.
    """

    async def brought() -> T:
        return await asyncio.wrap_future(future)

    return _sync_await(brought())
