"""Steps hand their document on, however much there is to tell of a database."""

import json

import psycopg
import pytest

from heroku_changeover.terms.window import LONGEST_LINE
from kit.operator import Operator
from local_heroku.launcher import LocalHeroku

pytestmark = pytest.mark.steps
TABLES = 2000


@pytest.mark.timeout(300)
def test_thousands_of_tables_of_another_role_do_not_keep_the_last_step_from_starting(
    operator: Operator, heroku: LocalHeroku
) -> None:
    """An environment variable has room for 128 KiB; the log of the machine has every name."""
    heroku.post(f"/postgres/v0/databases/{operator.leader}/credentials", {"name": "analysts"})
    secret = heroku.get(f"/postgres/v0/databases/{operator.leader}/credentials/analysts")["credentials"][0]
    url = psycopg.conninfo.make_conninfo(
        heroku.database_url(operator.leader), user=secret["user"], password=secret["password"]
    )
    with psycopg.connect(heroku.database_url(operator.leader), autocommit=True) as owner:
        owner.execute("CREATE SCHEMA warehouse")
        owner.execute("GRANT ALL ON SCHEMA warehouse TO analysts")
    with psycopg.connect(url) as theirs:
        for number in range(TABLES):
            name = f"a_rather_long_name_of_a_table_in_a_warehouse_{number}"
            theirs.execute(f'CREATE TABLE warehouse."{name}" ()')
    operator.run_until("restore")

    assert len(operator.document) <= LONGEST_LINE
    told = operator.facts["tables_not_locked"]
    assert told[-1].endswith(" more")
    log = (operator.home / f"{operator.apps[0]}.log").read_text()
    assert f"a_rather_long_name_of_a_table_in_a_warehouse_{TABLES - 1}" in log
    assert max(len(line) for line in "".join(operator.said).splitlines()) < 64 * 1024
    assert json.loads(operator.document)["moments"]["restored"]
