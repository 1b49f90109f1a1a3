"""Steps hand their document on, however much there is to tell of a database."""

import json

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
    made = (
        "DO $$ BEGIN CREATE SCHEMA warehouse; GRANT USAGE ON SCHEMA warehouse TO PUBLIC;"
        f" FOR n IN 0..{TABLES - 1} LOOP"
        " EXECUTE format('CREATE TABLE warehouse.a_rather_long_name_of_a_table_in_a_warehouse_%s ()', n);"
        " END LOOP; END $$"
    )
    heroku.patch(f"/_control/databases/{operator.leader}", {"statements": [made]})  # as a superuser
    operator.run_until("restore")

    assert len(operator.document) <= LONGEST_LINE
    told = operator.facts["tables_not_locked"]
    assert told[-1].endswith(" more")
    (log,) = (file.read_text() for file in operator.home.rglob("*.log"))
    assert f"a_rather_long_name_of_a_table_in_a_warehouse_{TABLES - 1}" in log
    assert max(len(line) for line in "".join(operator.said).splitlines()) < 64 * 1024
    assert json.loads(operator.document)["moments"]["restored"]
