"""A part of the conformance checks does not count as all of them."""

from types import SimpleNamespace

import pytest

from conformance.counting import HERE, figures_of, is_whole, left_out


@pytest.mark.parametrize("place", [HERE, HERE.parent])
def test_a_run_of_the_folder_is_whole(place: object) -> None:
    assert is_whole([str(place)], SimpleNamespace(keyword="", deselect=None))


@pytest.mark.parametrize(
    "place", [HERE / "test_promote.py", f"{HERE / 'test_promote.py'}::test_one", HERE.parent / "x"]
)
def test_a_run_of_a_file_or_of_another_folder_is_not_whole(place: object) -> None:
    assert not is_whole([str(place)], SimpleNamespace())


@pytest.mark.parametrize("option", [{"keyword": "promote"}, {"markexpr": "not slow"}, {"lf": True}, {"ignore": ["x"]}])
def test_a_run_that_leaves_tests_out_is_not_whole(option: dict[str, object]) -> None:
    assert not is_whole([str(HERE)], SimpleNamespace(**option))


def test_a_check_that_could_not_begin_has_failed() -> None:
    assert figures_of({"passed": 2, "failed": 1, "error": 1, "skipped": 3}) == {"checks": 4, "failed": 2, "skipped": 3}


def test_a_file_of_which_no_check_was_run_is_named() -> None:
    nodes = [f"tests/conformance/{file.name}::test_it[1]" for file in HERE.glob("test_*.py")]

    assert left_out(nodes) == []
    assert left_out([node for node in nodes if "test_promote.py" not in node]) == ["test_promote.py"]
