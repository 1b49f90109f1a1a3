"""What `build/conformance.json` counts, and when a run is whole: a part of the checks must not look like all."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
RESULT = HERE.parents[1] / "build" / "conformance.json"
NARROWING = ("keyword", "markexpr", "deselect", "ignore", "ignore_glob", "lf", "stepwise", "collectonly")
"""Options of pytest that leave tests out."""


def is_whole(places: Iterable[str], options: Any) -> bool:
    """Whether all tests of this folder were asked for, and none was left out."""
    whole_folder = any(HERE.is_relative_to(Path(place).resolve()) for place in places)
    narrowed = any(getattr(options, name, None) for name in NARROWING)
    return whole_folder and not narrowed


def left_out(nodes: Iterable[str]) -> list[str]:
    """The files of checks of which none was run; `nodes` are the names of those that were."""
    checked = {node.partition("::")[0].rpartition("/")[2] for node in nodes}
    return sorted(file.name for file in HERE.glob("test_*.py") if file.name not in checked)


def figures_of(counts: Mapping[str, int]) -> dict[str, int]:
    """A check passed or failed; one that could not even begin has failed."""
    failed = counts.get("failed", 0) + counts.get("error", 0)
    return {"checks": counts.get("passed", 0) + failed, "failed": failed, "skipped": counts.get("skipped", 0)}
