"""
What a reviewer has to know before a database is moved: an error, which fails the preview, or a warning.

Each way of moving a database brings findings of its own; what all of them have is here.
"""

from collections.abc import Iterable
from typing import NamedTuple


class Finding(NamedTuple):
    """`what` was found, `why` it matters, what to `do`; `id` never changes its meaning."""

    id: str
    is_error: bool
    what: str
    why: str
    do: str

    def __str__(self) -> str:
        return f"[{self.id}] {self.what}: {self.why}. {self.do[:1].upper()}{self.do[1:]}."


def finding(id_: str, what: str, why: str, do: str) -> Finding:
    """One that fails the preview."""
    return Finding(id_, True, what, why, do)


def warning(id_: str, what: str, why: str, do: str) -> Finding:
    """One that a reviewer should know, and may live with."""
    return Finding(id_, False, what, why, do)


def has_errors(findings: Iterable[Finding]) -> bool:
    return any(f.is_error for f in findings)
