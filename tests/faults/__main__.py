"""`make faults`: every case, some side by side; the counts in `build/faults.json`, what went wrong on the terminal."""

import argparse
import itertools
import json
import os
import random
import re
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from pathlib import Path
from typing import Any

from rich.console import Console

from faults.cases import Case, cases, every_case
from faults.identity.cases import Case as Slip
from faults.identity.cases import cases as slips
from faults.identity.run import Outcome as Ending
from faults.identity.run import run_case as run_slip
from faults.run import Outcome, run_case
from kit.project import new_stack_in
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
    faults = every_case() if options.every else cases(options.seed)
    every: list[Case | Slip] = [*slips(options.seed), *faults]
    chosen = [c for c in every if any(text in _described(c) for text in options.only or [""])][: options.limit]
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
    parser.add_argument("--only", action="append", help="cases whose description holds this text; repeat it")
    parser.add_argument("--every", action="store_true", help="choose from all cases, not only from those of the seed")
    parser.add_argument("--limit", type=int, default=None, help="at most so many cases")
    parser.add_argument("--workers", type=int, default=SIDE_BY_SIDE)
    return parser.parse_args()


def _described(case: Case | Slip) -> str:
    return f"identity: {case}" if isinstance(case, Slip) else str(case)


def _outcomes(chosen: list[Case | Slip], new_stack: Stack, workers: int) -> Iterator[Outcome | Ending]:
    with ProcessPoolExecutor(workers, initializer=_begin, initargs=(new_stack,)) as pool:
        for future in as_completed([pool.submit(_one, case) for case in chosen]):
            yield future.result()


def _begin(new_stack: Stack) -> None:
    """A local Heroku for each worker: some faults are its own, for all its apps. It ends with its worker."""
    global _heroku, _new_stack
    _heroku, _new_stack = LocalHeroku().__enter__(), new_stack


def _one(case: Case | Slip) -> Outcome | Ending:
    name = f"shop-{next(_numbers)}"
    if isinstance(case, Slip):
        return run_slip(case, _heroku, _new_stack, name)
    return run_case(case, _heroku, _new_stack, name)


def _tell(console: Console, outcomes: Iterator[Outcome | Ending], total: int) -> Iterator[Outcome | Ending]:
    for number, outcome in enumerate(outcomes, 1):
        good = not outcome.trouble
        console.print(
            f"{number:4}/{total} {'ok  ' if good else 'FAIL'} {_described(outcome.case)} ({outcome.seconds} s)",
            style="" if good else "bold red",
        )
        for line in outcome.trouble:
            console.print(f"          {line}", style="red")
        if not good:
            LOGS.mkdir(parents=True, exist_ok=True)
            (LOGS / f"{_file_name(outcome.case)}.log").write_text(outcome.told)
        yield outcome


def _file_name(case: Case | Slip) -> str:
    return re.sub(r"[^a-z0-9-]+", "_", _described(case).lower())


def _result(outcomes: list[Outcome | Ending], seed: int, seconds: float) -> dict[str, Any]:
    faults = [o for o in outcomes if isinstance(o, Outcome)]
    endings = [o for o in outcomes if isinstance(o, Ending)]
    failed = [{"case": _described(o.case), "trouble": o.trouble} for o in outcomes if o.trouble]
    result = {**_of_faults(faults), **_of_identity(endings), "failed": failed, "seconds": round(seconds)}
    return {"cases": len(outcomes), "seed": seed, **result}


def _of_faults(outcomes: list[Outcome]) -> dict[str, Any]:
    cancelled = [o.down_seconds for o in outcomes if o.down_seconds is not None and o.case.what.startswith("ctrl-c")]
    return {
        "lost_writes": sum(o.verdict.lost_writes for o in outcomes),
        "left_down": sum(bool(o.verdict.left_down) for o in outcomes),
        "inconsistent": sum(bool(o.verdict.inconsistent) for o in outcomes),
        "leaks": sum(bool(o.verdict.leaks) for o in outcomes),
        "started_over": sum(o.started_over for o in outcomes),
        "longest_from_cancel_to_serving": max(cancelled, default=None),
    }


def _of_identity(endings: list[Ending]) -> dict[str, int]:
    return {
        "deleted_unasked": sum(len(e.verdict.deleted) for e in endings),
        "sealed_unasked": sum(len(e.verdict.sealed) for e in endings),
        "moved_unasked": sum(len(e.verdict.moved) for e in endings),
        "no_way_on": sum(bool(e.verdict.stuck) for e in endings),
    }


if __name__ == "__main__":
    sys.exit(main())
