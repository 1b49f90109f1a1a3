"""
`make bench`: in one run, interleaved and repeated, what each way to change a plan costs.

Everything is measured on the realistic profile of the local Heroku; the floor of a run is computed from that very run.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from bench.chart import chart
from bench.contenders import adopt, by_hand, by_heroku, by_pulumi
from bench.figures import NAMES, Costs, Runs, figures_of, lost_by
from bench.many import databases, previews
from bench.stage import BenchFailed, Measured, measure, stage
from bench.steps_cost import costs_of
from conformance.heroku_cli import NoCli, install
from kit.checkout import ROOT
from kit.project import new_stack_in
from toolchain import Stack, Unavailable, find

ROUNDS, APPS, DATABASES, PREVIEWS = 3, 8, 10, 21


def main() -> int:
    """Fails when a contender does not do its work; otherwise as `conclude` says."""
    options = options_of(sys.argv[1:])
    console = Console(soft_wrap=True, highlight=False)
    began = time.monotonic()
    try:
        program, toolchain = install(console.print), find(console.print)
        with tempfile.TemporaryDirectory(prefix="heroku-postgres-bench-") as folder:
            new_stack = new_stack_in(Path(folder), toolchain)
            runs, costs = _contend(options, program, new_stack, Path(folder), console)
            walls, looks = _many(options, new_stack, console)
    except (BenchFailed, NoCli, Unavailable) as error:
        console.print(f"The bench failed: {error}", style="bold red")
        return 1
    result = {**figures_of(runs, costs, walls, looks), "seconds": round(time.monotonic() - began)}
    write(result, ROOT, whole=is_whole(options))
    _show(console, result)
    return conclude(console, runs)


def conclude(console: Console, runs: Runs) -> int:
    """The exit code: 0 when this component lost nothing; whether the times are good is for the reader to judge."""
    lost = lost_by(runs)
    if lost:
        console.print(f"acknowledged orders were lost by {', '.join(lost)}", style="bold red")
    return 1 if lost else 0


def write(result: dict[str, Any], root: Path, *, whole: bool) -> None:
    """The record and the chart of the README; a partial run leaves both alone and has a record of its own."""
    record = root / "build" / ("bench.json" if whole else "bench-partial.json")
    record.parent.mkdir(exist_ok=True)
    record.write_text(json.dumps(result, indent=2) + "\n")
    if whole:
        (root / "docs" / "outage.svg").write_text(chart(result["timelines"]))


def is_whole(options: argparse.Namespace) -> bool:
    """Whether every way is measured in at least as many rounds as the figures of the README."""
    return not options.only and options.rounds >= ROUNDS


def options_of(words: list[str]) -> argparse.Namespace:
    """What the command line says."""
    parser = argparse.ArgumentParser("bench", description=__doc__)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--only", default="", help="a, b, c, b8, many, with commas; all of them by default")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(words)


def _contend(
    options: argparse.Namespace, program: Path, new_stack: Stack, folder: Path, console: Console
) -> tuple[Runs, list[Costs]]:
    """Every contender once a round; the same seed for all of a round."""
    runs: Runs = {}
    costs: list[Costs] = []
    for number in range(1, options.rounds + 1):
        for key, run in _contenders(program, new_stack, folder, costs).items():
            if options.only and key not in options.only.split(","):
                continue
            measured = run(options.seed + number)
            runs.setdefault(key, []).append(measured)
            console.print(_line(number, key, measured))
    return runs, costs


def _contenders(
    program: Path, new_stack: Stack, folder: Path, costs: list[Costs]
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
            if apps == 1 and (w := measured.window):
                costs.append(costs_of(measured.facts["steps"], s.heroku.requests(), w.maintenance_on, w.served))
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


def _many(
    options: argparse.Namespace, new_stack: Stack, console: Console
) -> tuple[dict[int, list[float]], dict[str, list[float]]]:
    """Seconds of an update by its number of databases, and of previews without changes."""
    if options.only and "many" not in options.only.split(","):
        return {}, {}
    walls: dict[int, list[float]] = {1: [], DATABASES: []}
    for number in range(1, max(options.rounds, 2)):
        for count, found in walls.items():
            with stage(new_stack) as s:
                found.append(databases(s, count, options.seed + number))
            console.print(f"round {number}, {count} database(s) in one update: {found[-1]:.1f} s")
    with stage(new_stack) as component, stage(new_stack) as static:
        return walls, previews(component, static, options.seed, PREVIEWS)


def _show(console: Console, result: dict[str, Any]) -> None:
    table = Table("contender", "outage", "floor", "above it", "in all", "lost", "lost by a rogue writer", box=None)
    for name, row in result["contenders"].items():
        seconds = [row[key]["median"] if key in row else None for key in ("outage", "floor", "overhead", "total")]
        lost = (f"{row['lost']} of {row['acknowledged']}", f"{row['rogue_lost']} of {row['rogue_acknowledged']}")
        table.add_row(name, *(f"{s:.2f} s" if s is not None else "" for s in seconds), *lost)
    console.print(table)
    steps = Table("step in the window", *next(iter(result["window_by_step"].values()), {}), box=None)
    for step, parts in result["window_by_step"].items():
        steps.add_row(step, *(f"{s['median']:.2f}" for s in parts.values()))
    console.print(steps, limits_table(result))


def limits_table(result: dict[str, Any]) -> Table:
    """Each figure that has a limit, the limit, and whether it was reached."""
    table = Table("figure", "measured", "limit", "reached", box=None)
    for name, row in result["limits"].items():
        bound = "under" if name.endswith("_seconds") else "at most"
        table.add_row(name, f"{result[name]:.3f}", f"{bound} {row['limit']}", "yes" if row["reached"] else "NO")
    return table


if __name__ == "__main__":
    sys.exit(main())
