"""What each step costs of the window, from what its process and the local Heroku wrote down; pure."""

from itertools import pairwise
from typing import Any

API = ("maintenance-on", "scale-down", "stop-one-off", "keep-attached", "unfollow", "attach", "scale-up")
API_LATE = ("maintenance-off", "carry-schedule")
SQL = ("reach-over-sql", "end-sessions", "lock", "barrier", "await-replay", "await-writable", "seal")
WAITING = ("await-dynos", "await-one-offs", "await-unfollowed", "await-release", "await-web")
KINDS = {
    **dict.fromkeys((*API, *API_LATE), "API writes"),
    **dict.fromkeys(SQL, "SQL"),
    **dict.fromkeys(WAITING, "waiting"),
    "start-keeper": "keeper",
}
PARTS = ("engine", "process start", "imports", "API writes", "SQL", "waiting", "keeper", "looking")
IN_WINDOW = ("maintenance-on", "scale-down", "promote", "restore")

Row = dict[str, Any]


def costs_of(rows: list[Row], requests: list[Row]) -> dict[str, dict[str, float]]:
    """Seconds by step and part; `engine` is what lies between the end of the step before and the start of this one."""
    ordered = sorted(rows, key=lambda row: float(row["started"]))
    found = {}
    for before, row in pairwise(ordered):
        if row["step"] in IN_WINDOW:
            found[str(row["step"])] = _cost(before, row, requests)
    return found


def _cost(before: Row, row: Row, requests: list[Row]) -> dict[str, float]:
    parts = dict.fromkeys(PARTS, 0.0)
    parts["engine"] = row["started"] - before["ended"]
    parts["process start"] = row["python"] - row["started"]
    asked = [r["came"] for r in requests if row["python"] < r["came"] < row["ended"]]
    parts["imports"] = min(asked, default=row["ended"]) - row["python"]
    for kind, seconds in _acts(row["acts"]):
        parts[kind] += seconds
    known = sum(parts[p] for p in PARTS if p not in {"engine", "process start", "looking"})
    parts["looking"] = max(row["ended"] - row["python"] - known, 0.0)
    return {name: round(seconds, 3) for name, seconds in parts.items()}


def _acts(acts: list[list[Any]]) -> list[tuple[str, float]]:
    """Kind and length of every act; those of several apps at once are counted as the time in which any was at it."""
    spans, begun, depth = [], 0.0, 0
    for name, phase, at in acts:
        if phase == "before":
            begun, depth = (at, 1) if not depth else (begun, depth + 1)
        elif depth:
            depth -= 1
            if not depth:
                spans.append((KINDS.get(name, "looking"), at - begun))
    return [span for span in spans if span[0] != "looking"]
