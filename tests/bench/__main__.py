"""
`make bench`: in one run, interleaved and repeated, what each way to change a plan costs.

Everything is measured on the realistic profile of the local Heroku; the floor of a run is computed from that very run.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.chart import chart
from bench.contenders import adopt, by_hand, by_heroku, by_pulumi
from bench.many import databases, previews
from bench.stage import BenchFailed, Measured, measure, stage
from bench.steps_cost import costs_of
from conformance.heroku_cli import NoCli, install
from demo.walk import ROOT, new_stack_in
from toolchain import Stack, Unavailable, find

RESULT, CHART = ROOT / "build" / "bench.json", ROOT / "build" / "bench.svg"
ROUNDS, APPS, DATABASES, PREVIEWS = 3, 8, 10, 21
NAMES = {"a": "CLI runbook", "b": "pulumi up", "c": "addons:upgrade (emulated)", "b8": "pulumi up, 8 apps"}

Runs = dict[str, list[Measured]]


def main() -> int:
    """
    Returns 0 when every contender did its work and this component lost nothing; whether the times are good is for the
    reader to judge.
    """
    options = _options()
    console = Console(soft_wrap=True, highlight=False)
    began = time.monotonic()
    try:
        program, toolchain = install(console.print), find(console.print)
        with tempfile.TemporaryDirectory(prefix="heroku-postgres-bench-") as folder:
            new_stack = new_stack_in(Path(folder), toolchain)
            runs, costs = _contend(options, program, new_stack, Path(folder), console)
            many = _many(options, new_stack, console)
    except (BenchFailed, NoCli, Unavailable) as error:
        console.print(f"The bench failed: {error}", style="bold red")
        return 1
    result = {**_figures(runs), **many, "window_by_step": costs, "seconds": round(time.monotonic() - began)}
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    drawn = {NAMES[key]: w for key in ("a", "b") if key in runs and (w := _middle(runs[key]).window)}
    if drawn:
        CHART.write_text(chart(drawn))
    _show(console, result)
    lost = [NAMES[key] for key in ("b", "b8") for m in runs.get(key, ()) if m.missing or m.rogue_missing]
    if lost:
        console.print(f"acknowledged orders were lost by {', '.join(sorted(set(lost)))}", style="bold red")
    return 1 if lost else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="a, b, c, b8, many, with commas; all of them by default")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _contend(
    options: argparse.Namespace, program: Path, new_stack: Stack, folder: Path, console: Console
) -> tuple[Runs, dict[str, Any]]:
    """Every contender once a round; the same seed for all of a round."""
    runs: Runs = {}
    costs: list[dict[str, Any]] = []
    for number in range(1, options.rounds + 1):
        for key, run in _contenders(program, new_stack, folder, costs).items():
            if options.only and key not in options.only.split(","):
                continue
            measured = run(options.seed + number)
            runs.setdefault(key, []).append(measured)
            console.print(_line(number, key, measured))
    return runs, _medians_of_steps(costs)


def _contenders(
    program: Path, new_stack: Stack, folder: Path, costs: list[dict[str, Any]]
) -> dict[str, Callable[[int], Measured]]:
    home = folder / "cli-home"
    (home / "cache").mkdir(parents=True, exist_ok=True)

    def a(seed: int) -> Measured:
        with stage(new_stack) as s:
            return measure(s, seed, lambda s: by_hand(s, program, home))

    def b(seed: int, apps: int = 1) -> Measured:
        with stage(new_stack, apps) as s:
            adopt(s)
            measured = measure(s, seed, by_pulumi)
            if apps == 1:
                costs.append(costs_of(measured.facts["steps"], s.heroku.requests()))
            return measured

    def c(seed: int) -> Measured:
        with stage(new_stack) as s:
            return measure(s, seed, by_heroku, has_window=False)

    return {"a": a, "b": b, "c": c, "b8": lambda seed: b(seed, APPS)}


def _line(number: int, key: str, m: Measured) -> str:
    floor = f", floor {m.window.floor.seconds:.2f} s, above it {m.overhead:.2f} s" if m.window else ""
    gaps = " (" + ", ".join(f"{n} {s:.2f}" for n, s in m.window.gaps.items()) + ")" if m.window else ""
    lost = f"; lost {m.missing} of {m.acknowledged}, of a rogue writer's {m.rogue_missing} of {m.rogue_acknowledged}"
    return f"round {number}, {NAMES[key]}: outage {m.outage:.2f} s{floor}{gaps}, in all {m.total:.1f} s{lost}"


def _many(options: argparse.Namespace, new_stack: Stack, console: Console) -> dict[str, Any]:
    if options.only and "many" not in options.only.split(","):
        return {}
    walls: dict[int, list[float]] = {1: [], DATABASES: []}
    for number in range(1, max(options.rounds, 2)):
        for count, found in walls.items():
            with stage(new_stack) as s:
                found.append(databases(s, count, options.seed + number))
            console.print(f"round {number}, {count} database(s) in one update: {found[-1]:.1f} s")
    with stage(new_stack) as component, stage(new_stack) as static:
        preview = previews(component, static, options.seed, PREVIEWS)
    medians = {count: statistics.median(found) for count, found in walls.items()}
    return {
        "databases": {str(count): _spread(found) for count, found in walls.items()},
        "databases_ratio": round(medians[DATABASES] / medians[1], 3),
        "preview": preview,
        "preview_ratio": preview["ratio"],
    }


def _figures(runs: Runs) -> dict[str, Any]:
    shown: dict[str, Any] = {NAMES[key]: _of(measured) for key, measured in runs.items()}
    ratios = {}
    if {"a", "b"} <= set(runs):
        above = {key: statistics.median(m.overhead for m in runs[key]) for key in "ab"}
        ratios["overhead_ratio"] = round(above["b"] / above["a"], 4)
        ratios["overhead_seconds"] = round(above["b"], 3)
    if {"b", "b8"} <= set(runs):
        outages = {key: statistics.median(m.outage for m in runs[key]) for key in ("b", "b8")}
        ratios["apps_ratio"] = round(outages["b8"] / outages["b"], 3)
    return {"contenders": shown, **ratios}


def _of(runs: list[Measured]) -> dict[str, Any]:
    row: dict[str, Any] = {
        "outage": _spread([m.outage for m in runs]),
        "unserved": _spread([m.unserved for m in runs]),
        "total": _spread([m.total for m in runs]),
        "acknowledged": sum(m.acknowledged for m in runs),
        "lost": sum(m.missing for m in runs),
        "rogue_acknowledged": sum(m.rogue_acknowledged for m in runs),
        "rogue_lost": sum(m.rogue_missing for m in runs),
    }
    windows = [m.window for m in runs if m.window]
    if windows:
        row["overhead"] = _spread([m.overhead for m in runs])
        row["floor"] = _spread([w.floor.seconds for w in windows])
        row["floor_parts"] = {
            name: round(statistics.median(asdict(w.floor)[name] for w in windows), 3)
            for name in asdict(windows[0].floor)
        }
        row["gaps"] = {name: round(statistics.median(w.gaps[name] for w in windows), 3) for name in windows[0].gaps}
    return row


def _spread(values: list[float]) -> dict[str, float]:
    return {
        "median": round(statistics.median(values), 3),
        "least": round(min(values), 3),
        "most": round(max(values), 3),
    }


def _medians_of_steps(costs: list[dict[str, Any]]) -> dict[str, Any]:
    """The median of every part of every step over the rounds."""
    if not costs:
        return {}
    return {
        step: {part: round(statistics.median(c[step][part] for c in costs), 3) for part in parts}
        for step, parts in costs[0].items()
    }


def _middle(runs: list[Measured]) -> Measured:
    return sorted(runs, key=lambda m: m.outage)[len(runs) // 2]


def _show(console: Console, result: dict[str, Any]) -> None:
    table = Table("contender", "outage", "floor", "above it", "in all", "lost", "lost by a rogue writer", box=None)
    for name, row in result["contenders"].items():
        seconds = [row[key]["median"] if key in row else None for key in ("outage", "floor", "overhead", "total")]
        lost = (f"{row['lost']} of {row['acknowledged']}", f"{row['rogue_lost']} of {row['rogue_acknowledged']}")
        table.add_row(name, *(f"{s:.2f} s" if s is not None else "" for s in seconds), *lost)
    console.print(table)
    steps = Table("step in the window", *next(iter(result["window_by_step"].values()), {}), box=None)
    for step, parts in result["window_by_step"].items():
        steps.add_row(step, *(f"{s:.2f}" for s in parts.values()))
    console.print(steps)
    console.print({k: v for k, v in result.items() if "ratio" in k or "seconds" in k})


if __name__ == "__main__":
    sys.exit(main())
