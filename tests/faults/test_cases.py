"""What has to be among the cases of `make faults`, whatever its seed is."""

import pytest

from faults.cases import ANSWERS, ENDINGS, ONCE, Case, cases, slice_of
from faults.scene import HAPPENINGS
from heroku_changeover.terms.acts import Act
from kit.acts import OVER_SQL, READS, WRITES

SEEDS = range(20)
REACHED = [act for act in Act if act is not Act.UNSEAL]
"""What a changeover comes to in which nothing goes wrong."""

WAITS = [act for act in REACHED if act.name.startswith("AWAIT_")]


def tried(seed: int, *, rogue: bool = False) -> dict[tuple[Act, str], set[str]]:
    """What happens at each act, before and after it; the first time that a step comes to it."""
    chosen = [case for case in cases(seed) if case.rogue == rogue and case.nth == 1]
    places = [(act, phase) for act in Act for phase in ("before", "after")]
    return {place: {case.what for case in chosen if (case.act, case.phase) == place} for place in places}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_is_cancelled_and_a_machine_lost_before_and_after_every_change(seed: int) -> None:
    for (act, phase), what in tried(seed).items():
        if act in REACHED and act not in WAITS:
            assert {"ctrl-c", "machine-lost"} < what & set(ENDINGS), f"only {what} {phase} {act}"


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_is_cancelled_before_every_wait_and_ended_otherwise_after_it(seed: int) -> None:
    what = tried(seed)

    assert [act for act in WAITS if "ctrl-c" not in what[act, "before"]] == []
    assert [act for act in WAITS if not what[act, "after"] & (set(ENDINGS) - {"ctrl-c"})] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_an_answer_fails_in_several_ways_at_every_request(seed: int) -> None:
    what = tried(seed)

    assert [act for act in WRITES if len(what[act, "before"] & set(ANSWERS)) != 3] == []
    assert [act for act in READS if len(what[act, "before"] & set(ANSWERS)) != 2] == []
    assert [act for act in ONCE if not {"reset-after", "hang"} <= what[act, "before"]] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_the_leader_is_restarted_at_every_act_over_sql(seed: int) -> None:
    what = tried(seed)

    assert [act for act in OVER_SQL if act in REACHED and "leader-restarted" not in what[act, "before"]] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_a_rogue_writes_while_a_run_ends_around_the_point_of_no_return(seed: int) -> None:
    what = tried(seed, rogue=True)

    for act in (Act.LOCK, Act.BARRIER, Act.UNFOLLOW, Act.AWAIT_UNFOLLOWED, Act.SEAL, Act.ATTACH, Act.SCALE_UP):
        assert what[act, "before"] == {"ctrl-c"}
        assert what[act, "after"] & {"machine-lost", "step-killed", "cli-killed"}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_ends_between_two_names_of_the_database(seed: int) -> None:
    between = {case.what for case in cases(seed) if case.nth == 2 and case.act is Act.ATTACH}

    assert between == {"ctrl-c", "machine-lost", "step-killed"}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happens_at_an_act_of_its_own_is_in_every_run(seed: int) -> None:
    everywhere = {*ENDINGS, *ANSWERS, "leader-restarted"}

    assert {case.what for case in cases(seed)} >= set(HAPPENINGS) - everywhere


@pytest.mark.parametrize("seed", SEEDS)
def test_no_case_is_tried_twice(seed: int) -> None:
    every = cases(seed)

    assert len(set(every)) == len(every)


def test_every_case_is_one_that_can_be_played() -> None:
    assert {case.what for seed in SEEDS for case in cases(seed)} == set(HAPPENINGS)


def test_the_slice_has_every_act_once_and_every_ending() -> None:
    chosen: list[Case] = slice_of(1)

    assert [case.act for case in chosen] == REACHED
    assert {case.what for case in chosen} == set(ENDINGS)
