"""What has to be among the cases of `make faults`, whatever its seed is."""

import pytest

from faults.cases import ANSWERS, ENDINGS, KINDS, NO_GOODBYE, ONCE, PAIRS, Case, cases, every_case, slice_of
from faults.happenings import HAPPENINGS
from faults.seconds import AT_THE_KEEPER
from faults.worlds import WORLDS
from heroku_changeover.terms.acts import Act
from kit.acts import OVER_SQL, READS, WRITES
from kit.elsewhere import can_be_had

SEEDS = range(20)
REACHED = [act for act in Act if act is not Act.UNSEAL]
"""What a changeover comes to in which nothing goes wrong."""

OF_WORLDS = {case for case in every_case() if case.then or any(case in kind for kind in KINDS.values())}
"""What people have whose world is not tidy, and pairs."""

WAITS = [act for act in REACHED if act.name.startswith("AWAIT_")]


def tried(seed: int, *, rogue: bool = False) -> dict[tuple[Act, str], set[str]]:
    """What happens at each act, before and after it; the first time that a step comes to it."""
    chosen = [case for case in cases(seed) if case.rogue == rogue and case.nth == 1 and case not in OF_WORLDS]
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
    between = {case.what for case in cases(seed) if case.nth == 2 and case not in OF_WORLDS}

    assert between == {"ctrl-c", "machine-lost", "step-killed"}


@pytest.mark.parametrize("seed", SEEDS)
def test_what_happens_at_an_act_of_its_own_is_in_every_run(seed: int) -> None:
    elsewhere = {*ENDINGS, *ANSWERS, "leader-restarted", *(case.what for case in OF_WORLDS)}

    assert {case.what for case in cases(seed)} >= set(HAPPENINGS) - elsewhere


@pytest.mark.parametrize("seed", SEEDS)
def test_each_kind_of_world_is_in_every_run_three_times_at_least_and_with_what_went_wrong_first(seed: int) -> None:
    chosen, there = set(cases(seed)), {name: kind for name, kind in KINDS.items() if name != NO_GOODBYE or can_be_had()}

    assert [name for name, kind in there.items() if len(chosen & set(kind)) < min(3, len(kind))] == []
    assert [name for name, kind in there.items() if kind[0] not in chosen] == []


@pytest.mark.parametrize("seed", SEEDS)
def test_pairs_hit_the_keeper_and_the_next_run_in_every_run(seed: int) -> None:
    seconds = [case.then for case in cases(seed) if case.then]

    assert len(seconds) == PAIRS
    assert {then.keeper for then in seconds} == {True, False}


@pytest.mark.parametrize("seed", SEEDS)
def test_a_run_has_three_hundred_cases_and_none_is_tried_twice(seed: int) -> None:
    every = cases(seed)

    assert len(set(every)) == len(every) >= 300


def test_every_case_is_one_that_can_be_played() -> None:
    every = every_case()

    assert {case.what for seed in SEEDS for case in (*cases(seed), *every)} == set(HAPPENINGS)
    assert {case.world for case in every} == set(WORLDS)
    assert {case.then.what for case in every if case.then and case.then.keeper} == set(AT_THE_KEEPER)


def test_the_slice_has_every_act_once_every_ending_and_some_worlds() -> None:
    chosen: list[Case] = slice_of(1)

    tidy = [case for case in chosen if case not in OF_WORLDS]
    assert [case.act for case in tidy] == REACHED
    assert {case.what for case in tidy} == set(ENDINGS)
    assert {case.world for case in chosen} > {"apps", "credential", "transactions"}
