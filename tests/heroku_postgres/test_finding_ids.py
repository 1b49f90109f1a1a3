"""An id of a finding is what people search for and what scripts match: it has one meaning, and the README tells it."""

import ast
from collections import Counter
from collections.abc import Iterator

import pytest

from heroku_changeover.terms.finding import finding, warning
from kit.checkout import ROOT
from kit.readme import table

MAKERS = (finding.__name__, warning.__name__)


def made_by(maker: str) -> list[str]:
    """The ids of all findings that a function makes, one for each place that calls it."""
    return [str(place.value) for place in _places(maker) if isinstance(place, ast.Constant)]


def _places(maker: str) -> Iterator[ast.expr]:
    """What stands for the id, wherever in the components a function is called that makes a finding."""
    for path in sorted((ROOT / "components").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).rpartition(".")[2] == maker:
                yield node.args[0]


def listed(kind: str) -> list[str]:
    """The ids in the README's table of errors or of warnings; a row may have several."""
    return [id_.strip("`") for ids, _ in table(kind, "what is found") for id_ in ids.split(", ")]


def test_each_id_is_made_at_one_place_only() -> None:
    """Two places would come to mean two things."""
    made = Counter(id_ for maker in MAKERS for id_ in made_by(maker))

    assert {id_ for id_, places in made.items() if places > 1} == set()


def test_each_id_is_written_out_where_it_is_made() -> None:
    """Or else nobody could find the place by the id, nor could these tests."""
    assert [
        ast.unparse(place) for maker in MAKERS for place in _places(maker) if not isinstance(place, ast.Constant)
    ] == []
    assert [ast.unparse(place) for place in _places("Finding")] == ["id_", "id_"]


@pytest.mark.parametrize(("kind", "maker"), [("error", finding.__name__), ("warning", warning.__name__)])
def test_the_readme_lists_every_finding_and_no_other(kind: str, maker: str) -> None:
    assert sorted(listed(kind)) == sorted(made_by(maker))
