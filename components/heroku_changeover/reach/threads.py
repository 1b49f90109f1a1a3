"""Several things at the same time: users wait for the slowest of them, and not for all."""

from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def side_by_side(act: Callable[[Item], Result], items: Iterable[Item]) -> list[Result]:
    """Does the same for several apps at once: eight apps must not be down eight times as long as one."""
    todo = list(items)
    if not todo:
        return []
    with ThreadPoolExecutor(len(todo)) as pool:
        return list(pool.map(act, todo))


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Does several things at the same time; the results in the same order."""
    return side_by_side(lambda act: act(), acts)
