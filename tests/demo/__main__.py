"""`make demo`: change the plan of a real database under traffic, from the first `pulumi up` to the last."""

import json
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from demo.walk import APP, OLD_PLAN, ROWS, DemoFailed, Walk, result_of
from kit.checkout import ROOT
from kit.orders import Customer, orders_on
from kit.project import project_in
from local_heroku.launcher import LocalHeroku
from toolchain import Stack, Unavailable, find

ENOUGH = 200
"""Orders that have to be acknowledged for the result to mean something."""


def main() -> int:
    """Returns 0 only if nothing is missing and every command behaved."""
    console = Console(soft_wrap=True, highlight=False)
    started = time.time()
    try:
        toolchain = find(lambda line: console.print(line, style="dim"))
        with LocalHeroku() as heroku, tempfile.TemporaryDirectory(prefix="heroku-postgres-demo-") as folder:
            home = Path(folder)
            environment = {**heroku.environment, "HEROKU_CHANGEOVER_HOME": str(home / "changeover")}
            stack = Stack(toolchain, project_in(home), home / "home", home / "state", environment, "sandbox")
            result = _walk(Walk(stack, heroku, console))
    except (DemoFailed, Unavailable) as error:
        console.print(f"The demo failed: {error}", style="bold red")
        return 1
    _write(result)
    _show(console, result, time.time() - started)
    return 0 if _is_good(result) else 1


def _walk(walk: Walk) -> dict[str, Any]:
    app = walk.heroku.create_app(APP, web=2, worker=1, plan=OLD_PLAN, rows=ROWS)
    walk.console.print(f"A local Heroku runs app [bold]{APP}[/] (2 web, 1 worker) on {app['addon']} ({OLD_PLAN}).")
    walk.stack.create()
    customer = Customer(app["web_url"]).start()
    try:
        walk.adopt(app["addon"])
        began, ended = walk.change()
        walk.tear_down()
    finally:
        customer.stop()
    rows = orders_on(walk.heroku.database_url(walk.heroku.primary(APP)))
    result = result_of(walk, customer, app["addon"], customer.longest_silence(began, ended), rows)
    walk.console.rule("[bold]What came of it", align="left")
    return {**result, "old": app["addon"], "rows": len(rows), "refused": customer.refused}


def _is_good(result: dict[str, Any]) -> bool:
    return bool(
        result["missing"] == 0
        and result["changes_after"] == 0
        and result["old_database_gone"]
        and result["acknowledged"] >= ENOUGH
    )


def _write(result: dict[str, Any]) -> None:
    path = ROOT / "build" / "demo.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")


def _show(console: Console, result: dict[str, Any], seconds: float) -> None:
    table = Table(show_header=False, box=None, padding=(0, 2))
    rows = {
        "old database": f"{result['old']} ({OLD_PLAN}), {'gone' if result['old_database_gone'] else 'STILL THERE'}",
        "new database": f"{result['primary']} ({result['plan']}), {result['rows']} orders",
        "orders acknowledged": str(result["acknowledged"]),
        "of these found on the new database": str(result["acknowledged"] - result["missing"]),
        "missing": str(result["missing"]),
        "orders refused meanwhile": str(result["refused"]),
        "longest time without an order": f"{result['outage_seconds']:.2f} s",
        **{f"step {name}": f"{took:.2f} s" for name, took in result["steps"].items()},
        "the whole demo": f"{seconds:.0f} s",
    }
    for name, value in rows.items():
        table.add_row(name, value)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
