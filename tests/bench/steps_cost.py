"""What each step costs of the window, from what its process and the local Heroku wrote down; pure."""

from collections.abc import Iterator
from typing import Any

from kit.acts import OVER_SQL, READS, WRITES

KINDS = {act.value: kind for kind, acts in (("API", WRITES), ("SQL", OVER_SQL), ("waiting", READS)) for act in acts}
PARTS = ("engine", "process start", "imports", "API", "SQL", "waiting", "own work")
LAST = "service back"

Row = dict[str, Any]
Busy = tuple[float, float, str]


def costs_of(rows: list[Row], requests: list[Row], begin: float, end: float) -> dict[str, dict[str, float]]:
    """
    Seconds by step and part, of the window alone; together they are the window, because each part goes on from the
    end of the one before it. `engine` is what lies between two steps, `service back` what lies after the last one.
    """
    found, reached = {}, begin
    for row in sorted(rows, key=lambda row: float(row["started"])):
        if row["ended"] > begin:
            found[str(row["step"])] = parts = dict.fromkeys(PARTS, 0.0)
            for part, until in _parts(row, requests):
                until = min(max(until, reached), end)
                parts[part] += until - reached
                reached = until
    found[LAST] = {**dict.fromkeys(PARTS, 0.0), "waiting": end - reached}
    return found


def _parts(row: Row, requests: list[Row]) -> Iterator[tuple[str, float]]:
    """Every part of a step in its order, and until when; what came before an earlier part's end is none of its own."""
    asked = [(float(r["came"]), float(r["at"]), "API") for r in requests if row["python"] < r["came"] < row["ended"]]
    busy = sorted([*asked, *_acts(row["acts"])])
    yield "engine", row["started"]
    yield "process start", row["python"]
    yield "imports", min((begun for begun, _, _ in busy), default=row["ended"])
    for begun, ended, kind in busy:
        yield "own work", begun
        yield kind, ended
    yield "own work", row["ended"]


def _acts(acts: list[list[Any]]) -> Iterator[Busy]:
    """Begin, end and kind of every act; of acts of one name, each end belongs to the oldest that is open."""
    for name in {name for name, _, _ in acts} & KINDS.keys():
        begun = [at for other, phase, at in acts if other == name and phase == "before"]
        ended = [at for other, phase, at in acts if other == name and phase == "after"]
        yield from ((a, b, KINDS[name]) for a, b in zip(begun, ended, strict=False))
