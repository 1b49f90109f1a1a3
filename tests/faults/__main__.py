"""`make faults`: every case, some side by side; the counts in `build/faults.json`, what went wrong on the terminal."""

import argparse
import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console

from demo.walk import new_stack_in
from faults.cases import Case, cases
from faults.run import Outcome, run_case
from local_heroku.launcher import LocalHeroku
from toolchain import Stack, Unavailable, find

RESULT = Path(__file__).parents[2] / "build" / "faults.json"
LOGS = RESULT.parent / "faults"
SIDE_BY_SIDE = 3

_heroku: LocalHeroku
_new_stack: Stack
_numbers = itertools.count(1)


def main() -> int:
    """Returns 0 only if every promise was kept in every case."""
    options = _options()
    console = Console(soft_wrap=True, highlight=False)
    try:
        toolchain = find(lambda line: console.print(line, style="dim"))
    except Unavailable as error:
        console.print(f"There is no engine: {error}", style="bold red")
        return 1
    chosen = [c for c in cases(options.seed) if options.only in str(c)][: options.limit]
    console.print(f"{len(chosen)} cases, seed {options.seed}, {options.workers} side by side")
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="heroku-postgres-new-stack-") as folder:
        new_stack = new_stack_in(Path(folder), toolchain)
        outcomes = list(_tell(console, _outcomes(chosen, new_stack, options.workers), len(chosen)))
    result = _result(outcomes, options.seed, time.monotonic() - began)
    RESULT.parent.mkdir(exist_ok=True)
    RESULT.write_text(json.dumps(result, indent=2) + "\n")
    console.print({k: v for k, v in result.items() if k != "failed"})
    return 0 if outcomes and not result["failed"] else 1


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser("make faults", description=__doc__)
    seed = int(os.environ.get("SEED") or random.randrange(10_000))  # noqa: S311 - nothing secret
    parser.add_argument("--seed", type=int, default=seed)
    parser.add_argument("--only", default="", help="cases whose description holds this text")
    parser.add_argument("--limit", type=int, default=None, help="at most so many cases")
    parser.add_argument("--workers", type=int, default=SIDE_BY_SIDE)
    return parser.parse_args()


def _outcomes(chosen: list[Case], new_stack: Stack, workers: int) -> Iterator[Outcome]:
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=(new_stack,)) as pool:
        for future in as_completed([pool.submit(_one, case) for case in chosen]):
            yield future.result()


def _begin(new_stack: Stack) -> None:
    """A local Heroku for each worker: some faults are its own, for all its apps. It ends with its worker."""
    global _heroku, _new_stack
    _heroku, _new_stack = LocalHeroku().__enter__(), new_stack


def _one(case: Case) -> Outcome:
    return run_case(case, _heroku, _new_stack, f"shop-{next(_numbers)}")


def _tell(console: Console, outcomes: Iterator[Outcome], total: int) -> Iterator[Outcome]:
    for number, outcome in enumerate(outcomes, 1):
        good = not outcome.trouble
        console.print(
            f"{number:4}/{total} {'ok  ' if good else 'FAIL'} {outcome.case} ({outcome.seconds} s)",
            style="" if good else "bold red",
        )
        for line in outcome.trouble:
            console.print(f"          {line}", style="red")
        if not good:
            LOGS.mkdir(parents=True, exist_ok=True)
            (LOGS / f"{str(outcome.case).replace(' ', '_').replace(',', '')}.log").write_text(outcome.told)
        yield outcome


def _result(outcomes: list[Outcome], seed: int, seconds: float) -> dict[str, Any]:
    cancelled = [o.down_seconds for o in outcomes if o.down_seconds is not None and o.case.what.startswith("ctrl-c")]
    return {
        "cases": len(outcomes),
        "seed": seed,
        "lost_writes": sum(o.verdict.lost_writes for o in outcomes),
        "left_down": sum(bool(o.verdict.left_down) for o in outcomes),
        "inconsistent": sum(bool(o.verdict.inconsistent) for o in outcomes),
        "leaks": sum(bool(o.verdict.leaks) for o in outcomes),
        "started_over": sum(o.started_over for o in outcomes),
        "longest_from_cancel_to_serving": max(cancelled, default=None),
        "failed": [{"case": str(o.case), "trouble": o.trouble} for o in outcomes if o.trouble],
        "seconds": round(seconds),
    }


if __name__ == "__main__":
    sys.exit(main())
