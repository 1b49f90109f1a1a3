"""Lists in pages, by the headers Range and Next-Range (dev center: platform-api-reference, ranges)."""

import re
from dataclasses import dataclass
from typing import Any

from local_heroku import refusals

DEFAULT, LARGEST = 200, 1000
FORM = re.compile(r"\s*([a-z_]*)\s*(\]?)([^.;,]*)\.\.(\[?)([^;,]*)\s*(?:[;,](.*))?")


@dataclass(frozen=True, slots=True)
class Page:
    """`rest` is what to send as Range for what follows; empty on the last page."""

    rows: list[dict[str, Any]]
    covers: str
    rest: str


def page_of(rows: list[dict[str, Any]], header: str) -> Page:
    """
    The rows that a Range header asks for, such as `version ..; max=5, order=desc`. Raises Refusal (416) when it is not
    of that form.
    """
    if not header:
        return _whole(rows)
    matched = FORM.fullmatch(header)
    if matched is None:
        raise refusals.bad_range(header)
    key, open_, start, _, _, options = matched.groups()
    key = key or "id"
    given = dict(re.findall(r"(max|order)=(\w+)", options or ""))
    largest, order = int(given.get("max", DEFAULT)), given.get("order", "asc")
    if not 1 <= largest <= LARGEST or order not in {"asc", "desc"} or any(key not in row for row in rows):
        raise refusals.bad_range(header)
    ordered = sorted(rows, key=lambda row: row[key], reverse=order == "desc")
    return _cut(_from(ordered, key, start.strip(), order, exclusive=bool(open_)), key, largest, f", order={order}")


def _whole(rows: list[dict[str, Any]]) -> Page:
    """What comes without a Range: all rows as they are, up to the size of a page."""
    key = "version" if rows and "version" in rows[0] else "id"
    ordered = rows if len(rows) <= DEFAULT else sorted(rows, key=lambda row: row[key])
    return _cut(ordered, key, DEFAULT, "")


def _from(rows: list[dict[str, Any]], key: str, start: str, order: str, *, exclusive: bool) -> list[dict[str, Any]]:
    if not start or not rows:
        return rows
    first = type(rows[0][key])(start)
    return [row for row in rows if _is_past(row[key], first, order) or (row[key] == first and not exclusive)]


def _is_past(value: Any, first: Any, order: str) -> bool:
    return bool(value < first if order == "desc" else value > first)


def _cut(rows: list[dict[str, Any]], key: str, largest: int, order: str) -> Page:
    shown = rows[:largest]
    covers = f"{key} {shown[0].get(key)}..{shown[-1].get(key)}" if shown else ""
    rest = f"{key} ]{shown[-1][key]}..; max={largest}{order}" if len(rows) > largest else ""
    return Page(shown, covers, rest)
