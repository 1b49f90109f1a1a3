"""Faults that a test switches on: which requests they hit, how often, and what happens instead of the answer."""

import re
from dataclasses import dataclass, field
from typing import Any

KINDS = ("status", "reset_before", "reset_after", "hang", "delay", "not_json")


@dataclass(slots=True)
class Fault:
    """
    `method` and `path` are regular expressions for the whole text, `body` is one for a part of what was sent; `times`
    counts down; `after` lets that many pass first.
    """

    kind: str
    path: str
    method: str = ".*"
    times: int = 1
    after: int = 0
    status: int = 500
    error_id: str = "internal_server_error"
    message: str = "Something went wrong."
    seconds: float = 0.0
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""

    def hits(self, method: str, path: str, body: str) -> bool:
        """Whether this request is hit; a hit is used up."""
        if not (self.times and re.fullmatch(self.method, method) and re.fullmatch(self.path, path)):
            return False
        if not re.search(self.body, body):
            return False
        if self.after:
            self.after -= 1
            return False
        self.times -= 1
        return True


def fault_from(row: dict[str, Any]) -> Fault:
    if row.get("kind") not in KINDS:
        raise ValueError(f"kind is {row.get('kind')!r}, not one of {', '.join(KINDS)}")
    return Fault(**row)
