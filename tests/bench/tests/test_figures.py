"""What the bench computes from a record: the floor, what lies above it, and what each step costs."""

import xml.etree.ElementTree as ET
from typing import Any

import pytest

from bench.chart import chart, parts_of
from bench.steps_cost import costs_of
from bench.timeline import Event, outage, silences, window_of

EVENTS: list[Event] = [
    {"at": 1.0, "what": "dyno started", "app": "shop", "dyno": "web.1"},
    {"at": 10.0, "what": "maintenance", "app": "shop", "on": True},
    {"at": 10.5, "what": "scaled", "app": "shop", "to": {"web": 0, "worker": 0}},
    {"at": 11.0, "what": "dyno ended", "app": "shop", "dyno": "worker.1"},
    {"at": 11.5, "what": "dyno ended", "app": "shop", "dyno": "web.1"},
    {"at": 12.0, "what": "unfollow asked", "addon": "copy"},
    {"at": 13.5, "what": "unfollowed", "addon": "copy"},
    {"at": 15.0, "what": "scaled", "app": "shop", "to": {"web": 1, "worker": 1}},
    {"at": 15.0, "what": "dyno started", "app": "shop", "dyno": "web.1"},
    {"at": 25.0, "what": "dyno up", "app": "shop", "dyno": "web.1"},
    {"at": 25.3, "what": "maintenance", "app": "shop", "on": False},
    {"at": 25.9, "what": "routed", "app": "shop", "maintenance": False},
]
SPARE = {"method": "POST", "path": "/addon-attachments", "came": 11.2, "at": 11.4, "sent": {"app": "shop"}}
ATTACH = {**SPARE, "came": 14.0, "at": 14.2, "sent": {"app": "shop", "name": "DATABASE"}}


def test_the_floor_is_what_dynos_heroku_and_the_boot_took_in_that_very_run() -> None:
    floor = window_of("shop", EVENTS, [SPARE, ATTACH]).floor

    assert (floor.dyno_stop, floor.unfollow, floor.dyno_boot) == (1.0, 1.5, 10.0)
    assert floor.attach == pytest.approx(0.2)
    assert floor.seconds == pytest.approx(12.7)


def test_floor_and_gaps_are_together_the_whole_window() -> None:
    window = window_of("shop", EVENTS, [SPARE, ATTACH])

    assert window.floor.seconds + sum(window.gaps.values()) == pytest.approx(25.9 - 10.0)


def test_an_app_is_served_when_the_router_lets_requests_through_and_a_web_dyno_is_up() -> None:
    early = [{**e, "at": 24.0} if e["what"] == "routed" else e for e in EVENTS]

    assert window_of("shop", EVENTS, [SPARE, ATTACH]).served == 25.9
    assert window_of("shop", early, [SPARE, ATTACH]).served == 25.0


def test_a_run_in_which_a_part_is_missing_has_no_window() -> None:
    with pytest.raises(LookupError):
        window_of("shop", EVENTS[:6], [SPARE, ATTACH])


def test_silences_are_the_times_without_an_order_the_longest_first() -> None:
    assert silences([1.0, 1.1, 4.0, 4.2, 6.0], since=0.9, until=6.1) == [(1.1, 4.0), (4.2, 6.0)]


def test_a_restart_before_the_window_is_not_its_outage() -> None:
    restart, of_the_window = (1.0, 9.0), (10.2, 26.0)
    window = window_of("shop", EVENTS, [SPARE, ATTACH])

    assert outage([restart, (10.2, 12.2)], window) == pytest.approx(2.0)
    assert outage([of_the_window, restart], window) == pytest.approx(15.8)


def test_without_a_window_the_outage_is_the_longest_silence() -> None:
    assert outage([(1.0, 9.0), (10.0, 12.0)], None) == 8.0


def test_a_step_costs_the_engine_before_it_its_start_its_imports_and_its_acts() -> None:
    rows: list[dict[str, Any]] = [
        {"step": "scale-down", "started": 0.0, "python": 0.1, "ended": 1.0, "acts": []},
        {
            "step": "promote",
            "started": 1.1,
            "python": 1.15,
            "ended": 3.0,
            "acts": [
                ["lock", "before", 1.6],
                ["lock", "after", 1.8],
                ["unfollow", "before", 2.0],
                ["unfollow", "after", 2.3],
            ],
        },
    ]

    cost = costs_of(rows, [{"came": 1.3}])["promote"]

    assert (cost["engine"], cost["process start"], cost["imports"]) == (0.1, 0.05, 0.15)
    assert (cost["SQL"], cost["API writes"], cost["looking"]) == (0.2, 0.3, 1.2)


def test_an_act_of_several_apps_at_once_counts_once() -> None:
    both = [["attach", "before", 1.0], ["attach", "before", 1.1], ["attach", "after", 1.4], ["attach", "after", 1.5]]
    rows: list[dict[str, Any]] = [
        {"step": "scale-down", "started": 0.0, "python": 0.1, "ended": 0.5, "acts": []},
        {"step": "promote", "started": 0.6, "python": 0.7, "ended": 2.0, "acts": both},
    ]

    assert costs_of(rows, [])["promote"]["API writes"] == 0.5


def test_the_chart_is_an_image_with_every_part_of_every_contender() -> None:
    window = window_of("shop", EVENTS, [SPARE, ATTACH])
    drawn = ET.fromstring(chart({"one": window, "other": window}))  # noqa: S314 - made here

    titles = [element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert len(titles) == 2 * len(parts_of(window))
    assert titles[0] == "dyno stop: 1.00 s"
