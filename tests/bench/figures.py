"""What `bench.json` says, computed from the runs: figures, spread, ratios, limits, and what was lost; pure."""

import statistics
from dataclasses import asdict
from typing import Any

from bench.stage import Measured
from bench.timeline import COUNTED

NAMES = {"a": "CLI runbook", "b": "pulumi up", "c": "addons:upgrade (emulated)", "b8": "pulumi up, 8 apps"}
FLOOR = "the floor"
LIMITS = {
    "overhead_ratio": 0.05,
    "overhead_seconds": 1.0,
    "apps_ratio": 1.2,
    "databases_ratio": 1.5,
    "preview_seconds": 0.35,
}
"""What each ratio is to be at most; figures in seconds have to stay under theirs."""

Runs = dict[str, list[Measured]]
Costs = dict[str, dict[str, float]]


def figures_of(runs: Runs, costs: list[Costs], walls: dict[int, list[float]], previews: dict[str, list[float]]) -> Any:
    """All of `bench.json` but for how long the bench took; what was not run is not in it."""
    ratios = _ratios(runs, walls, previews)
    return {
        "contenders": {NAMES[key]: _of(measured) for key, measured in runs.items()},
        "floor_counts": COUNTED,
        **ratios,
        "limits": {name: _against(name, value) for name, value in ratios.items()},
        "databases": {str(count): spread(found) for count, found in walls.items()},
        "preview": {name: spread(took) for name, took in previews.items()},
        "window": spread([sum(sum(s.values()) for s in c.values()) for c in costs]) if costs else {},
        "window_by_step": _by_step(costs),
        "timelines": _timelines(runs),
    }


def lost_by(runs: Runs) -> list[str]:
    """Which contenders of this component lost an acknowledged order, the rogue writer's included."""
    return [NAMES[key] for key in ("b", "b8") if any(m.missing or m.rogue_missing for m in runs.get(key, ()))]


def spread(values: list[float]) -> dict[str, float]:
    """Median, least and most."""
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def _against(name: str, value: float) -> dict[str, Any]:
    limit = LIMITS[name]
    return {"limit": limit, "reached": value < limit if name.endswith("_seconds") else value <= limit}


def _ratios(runs: Runs, walls: dict[int, list[float]], previews: dict[str, list[float]]) -> dict[str, float]:
    """Ratios of medians, and what has a limit in seconds of its own."""
    median, ratios = statistics.median, {}
    if "b" in runs:
        above = median(m.overhead for m in runs["b"])
        if "a" in runs:
            ratios["overhead_ratio"] = above / median(m.overhead for m in runs["a"])
        ratios["overhead_seconds"] = above
        if "b8" in runs:
            ratios["apps_ratio"] = median(m.outage for m in runs["b8"]) / median(m.outage for m in runs["b"])
    if walls:
        ratios["databases_ratio"] = median(walls[max(walls)]) / median(walls[min(walls)])
    if previews:
        ratios["preview_seconds"] = median(previews["component"]) - median(previews["static"])
    return {name: round(value, 4) for name, value in ratios.items()}


def _of(runs: list[Measured]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "outage": spread([m.outage for m in runs]),
        "unserved": spread([m.unserved for m in runs]),
        "total": spread([m.total for m in runs]),
        "acknowledged": sum(m.acknowledged for m in runs),
        "lost": sum(m.missing for m in runs),
        "rogue_acknowledged": sum(m.rogue_acknowledged for m in runs),
        "rogue_lost": sum(m.rogue_missing for m in runs),
    }
    windows = [m.window for m in runs if m.window]
    if windows:
        row["overhead"] = spread([m.overhead for m in runs])
        row["floor"] = spread([w.floor.seconds for w in windows])
        row["floor_parts"] = {name: spread([asdict(w.floor)[name] for w in windows]) for name in COUNTED}
        row["gaps"] = {name: spread([w.gaps[name] for w in windows]) for name in windows[0].gaps}
    return row


def _by_step(costs: list[Costs]) -> dict[str, Any]:
    """Parts of one round add up to its window; their medians over several rounds do so only nearly."""
    if not costs:
        return {}
    return {step: {p: spread([c[step][p] for c in costs]) for p in parts} for step, parts in costs[0].items()}


def _timelines(runs: Runs) -> dict[str, Any]:
    """Of each contender the round with the middle outage; the floor is that of `pulumi up`."""
    middle = {key: sorted(runs[key], key=lambda m: m.outage)[len(runs[key]) // 2] for key in "abc" if runs.get(key)}
    shown = {NAMES[key]: m.timeline for key, m in middle.items()}
    if "b" in middle and (window := middle["b"].window):
        shown[FLOOR] = window.floor.timeline
    return shown
