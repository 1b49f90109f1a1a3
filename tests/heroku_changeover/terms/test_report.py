"""The report in a sentence: what was proved is said, and what rang an alarm is not called proved."""

import json
from typing import Any

import pytest

from heroku_changeover.terms.report import Report, report_from

REPORT = Report(
    tables_locked=3, tripwire_before=7, tripwire_after=7, primary="new", retired="old", maintenance_seconds=4.5
)
PROVED = "every committed write proved"


def test_a_changeover_in_which_all_was_proved_says_so() -> None:
    assert (
        REPORT.sentence()
        == "old to new: maintenance for 4.5 s; every committed write proved on the new one, 3 tables fenced"
    )


def test_before_the_end_of_a_changeover_nothing_is_said() -> None:
    assert Report(tables_locked=3).sentence() == ""


@pytest.mark.parametrize(
    ("rings", "told"),
    [
        ({"tripwire_before": 7, "tripwire_after": 9}, "transactions were started on the old one behind the fence"),
        ({"blocked_at_release": ("reports",)}, "writes of reports waited behind the fence"),
        ({"not_sealed": ("admin",)}, "the old one is DATABASE of admin and takes writes"),
    ],
)
def test_what_rings_an_alarm_is_not_called_proved(rings: dict[str, Any], told: str) -> None:
    sentence = REPORT._replace(**rings).sentence()

    assert f"ALARM: {told}" in sentence
    assert PROVED not in sentence


def test_a_tripwire_that_nobody_touched_rings_no_alarm() -> None:
    assert REPORT._replace(tripwire_before=7, tripwire_after=7).alarms == ()


def test_a_fence_that_was_lost_before_its_end_is_no_proof() -> None:
    sentence = REPORT._replace(tripwire_before=None, tripwire_after=None).sentence()

    assert "nobody looked at the end" in sentence
    assert PROVED not in sentence


def test_who_can_still_write_to_the_old_database_is_named() -> None:
    assert (
        "may write to the old one until their sessions end: reports"
        in REPORT._replace(other_roles=("reports",)).sentence()
    )


def test_where_nothing_was_proved_it_says_why() -> None:
    sentence = REPORT._replace(no_proof="none: SQL was not used").sentence()

    assert "none: SQL was not used" in sentence
    assert PROVED not in sentence


def test_tables_that_could_not_be_locked_are_named() -> None:
    assert REPORT._replace(tables_not_locked=("audit", "log")).sentence().endswith("; not lockable: audit, log")


def test_a_report_survives_the_way_through_a_document() -> None:
    report = REPORT._replace(other_roles=("reports",), seconds={"promote": 1.5}, tripwire_before=1, tripwire_after=1)

    assert report_from(json.loads(json.dumps(report.row()))) == report


def test_what_a_later_program_added_is_left_out() -> None:
    assert report_from({"forecast": 12, "tables_locked": 3}) == Report(tables_locked=3)


@pytest.mark.parametrize("row", [{"tables_locked": "many"}, {"other_roles": "reports"}, {"seconds": 3}])
def test_a_value_of_another_kind_is_refused(row: dict[str, Any]) -> None:
    with pytest.raises((ValueError, TypeError, AttributeError)):
        report_from(row)
