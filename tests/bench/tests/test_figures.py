"""What the bench computes from a record: the floor, what lies above it, and what each step costs."""

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bench.__main__ import conclude, is_whole, limits_table, options_of, write
from bench.chart import chart
from bench.figures import figures_of
from bench.stage import Measured
from bench.steps_cost import costs_of
from bench.timeline import Event, outage, silences, upgrade_timeline, window_of

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

    cost = costs_of(rows, [{"came": 1.3, "at": 1.5}], 0.5, 3.4)

    assert cost["promote"] == pytest.approx(
        {
            "engine": 0.1,
            "process start": 0.05,
            "imports": 0.15,
            "API": 0.5,
            "SQL": 0.2,
            "waiting": 0.0,
            "own work": 1.0,
        }
    )
    assert cost["service back"]["waiting"] == pytest.approx(0.4)


@pytest.mark.parametrize(("begin", "end"), [(-1.0, 9.0), (0.05, 2.05), (1.2, 1.7), (0.5, 0.9)])
def test_the_parts_of_all_steps_are_together_the_window(begin: float, end: float) -> None:
    acts = [["attach", "before", 1.0], ["lock", "before", 1.3], ["attach", "after", 1.4], ["lock", "after", 1.5]]
    rows: list[dict[str, Any]] = [
        {"step": "promote", "started": 0.6, "python": 0.7, "ended": 2.0, "acts": acts},
        {"step": "scale-down", "started": 0.0, "python": 0.1, "ended": 0.5, "acts": []},
    ]
    requests = [{"came": 0.8, "at": 0.9}, {"came": 0.85, "at": 1.1}, {"came": 1.95, "at": 2.1}]

    costs = costs_of(rows, requests, begin, end)

    assert sum(sum(parts.values()) for parts in costs.values()) == pytest.approx(end - begin)
    assert all(seconds >= 0 for parts in costs.values() for seconds in parts.values())


def test_an_act_of_several_apps_at_once_counts_once() -> None:
    both = [["attach", "before", 1.0], ["attach", "before", 1.1], ["attach", "after", 1.4], ["attach", "after", 1.5]]
    rows: list[dict[str, Any]] = [{"step": "promote", "started": 0.6, "python": 0.7, "ended": 2.0, "acts": both}]

    assert costs_of(rows, [], 0.0, 2.0)["promote"]["API"] == pytest.approx(0.5)


def run(outage: float = 16.0, rogue_missing: int = 0) -> Measured:
    window = window_of("shop", EVENTS, [SPARE, ATTACH])
    return Measured(outage, outage, 30.0, 100, 0, 100, rogue_missing, window, window.timeline, {})


def figures() -> Any:
    upgraded = [{"at": 8.0, "what": "upgrade interrupts"}, {"at": 11.9, "what": "upgraded"}, *EVENTS]
    c = Measured(20.0, 20.0, 30.0, 9, 0, 9, 0, None, upgrade_timeline("shop", upgraded), {})
    runs = {"a": [run(40.0)] * 3, "b": [run(13.5), run(13.0), run(14.0)], "c": [c]}
    return figures_of(runs, [], {1: [10.0, 12.0], 10: [33.0]}, {"component": [1.1, 1.3], "static": [1.0]})


def test_figures_have_median_least_and_most_gaps_and_previews_too() -> None:
    found = figures()

    assert found["contenders"]["pulumi up"]["outage"] == {"median": 13.5, "least": 13.0, "most": 14.0}
    assert found["preview"]["component"] == {"median": 1.2, "least": 1.1, "most": 1.3}
    assert found["contenders"]["pulumi up"]["gaps"]["attached to scaled up"]["most"] == 0.8
    assert found["floor_counts"].keys() == found["contenders"]["pulumi up"]["floor_parts"].keys()


def test_the_table_says_of_each_limit_whether_it_is_reached() -> None:
    console = Console(width=100, record=True, quiet=True)
    found = figures()

    reached = {name: row["reached"] for name, row in found["limits"].items()}
    console.print(limits_table(found))

    assert reached == {
        "overhead_ratio": True,
        "overhead_seconds": True,
        "databases_ratio": False,
        "preview_seconds": True,
    }
    assert len(limits_table(found).rows) == len(reached)


def test_the_chart_has_both_ways_the_floor_and_herokus_own_upgrade() -> None:
    drawn = ET.fromstring(chart(figures()["timelines"]))  # noqa: S314 - made here

    words = [element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    titles = [element.text or "" for element in drawn.iter("{http://www.w3.org/2000/svg}title")]
    assert {"CLI runbook", "pulumi up", "the floor", "addons:upgrade (emulated)"} <= set(words)
    assert len(titles) == 3 * 4 + 2
    assert titles[0] == "dyno stop: 1.00 s"
    assert "Heroku's upgrade: 3.90 s" in titles


@pytest.mark.parametrize("words", [["--only", "b"], ["--rounds", "1"]])
def test_a_partial_run_leaves_the_record_and_the_chart_alone(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / "docs").mkdir()

    write(figures(), tmp_path, whole=is_whole(options_of(words)))

    assert [p.name for p in tmp_path.rglob("*.*")] == ["bench-partial.json"]


def test_a_whole_run_writes_the_record_and_the_chart(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()

    write(figures(), tmp_path, whole=is_whole(options_of([])))

    assert sorted(p.name for p in tmp_path.rglob("*.*")) == ["bench.json", "outage.svg"]


def test_the_bench_fails_when_this_component_lost_an_order_and_not_when_the_runbook_did() -> None:
    console = Console(quiet=True)

    assert conclude(console, {"a": [run(rogue_missing=9)], "b": [run()]}) == 0
    assert conclude(console, {"a": [run()], "b": [run(), run(rogue_missing=1)]}) == 1
