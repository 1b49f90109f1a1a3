"""The follower changeover as an operator scripts it today: Heroku's own CLI does all of it on the local Heroku."""

import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from conformance.heroku_cli import Cli
from kit.orders import Customer, orders_on
from local_heroku.launcher import LocalHeroku

RUNBOOK = Path(__file__).parents[1] / "bench" / "runbook.sh"
LIMIT = 200


@pytest.mark.timeout(240)
def test_the_old_runbook_moves_an_app_under_traffic_and_leaves_it_as_it_was(
    cli: Cli, heroku: LocalHeroku, shop: dict[str, Any]
) -> None:
    name, follower = shop["name"], f"{shop['name']}-by-hand"
    customer = Customer(shop["web_url"], threads=1).start()
    ran = subprocess.run(
        (RUNBOOK, name, "standard-2", follower),
        env={**cli.environment(), "HEROKU_CLI": os.fspath(cli.program)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=LIMIT,
        check=False,
    )
    customer.stop()

    assert ran.returncode == 0, f"{ran.stdout}\n{ran.stderr}"
    assert heroku.primary(name) == follower
    assert heroku.quantities(name) == {"web": 1, "worker": 1}
    assert not heroku.get(f"/apps/{name}")["maintenance"]
    assert customer.ledger
    assert set(customer.ledger) <= set(orders_on(heroku.database_url(follower)))
