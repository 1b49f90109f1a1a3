"""The structure of the package: rooms above rooms, no circle, nothing hidden, no file that nobody can keep in mind."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import heroku_changeover
import heroku_postgres

ROOT = Path(heroku_changeover.__file__).parents[1]
PACKAGES = (Path(heroku_changeover.__file__).parent, Path(heroku_postgres.__file__).parent)
FILES = sorted(path for package in PACKAGES for path in package.rglob("*.py"))
MOST_LINES, MOST_FLOORS = 300, 7


def module(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module(path): path for path in FILES}


@cache
def imported(name: str) -> frozenset[str]:
    """The modules of the house that one names anywhere in it, inside functions and for types alone too."""
    found = {one for node in ast.walk(ast.parse(MODULES[name].read_text())) for one in _named(node)}
    return frozenset(found - {name})


def _named(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names if alias.name in MODULES)
    if isinstance(node, ast.ImportFrom) and node.module:
        for alias in node.names:
            whole = f"{node.module}.{alias.name}"
            yield from [one for one in (whole, node.module) if one in MODULES][:1]
    if isinstance(node, ast.Constant) and node.value in MODULES:  # a module that is loaded by its name
        yield str(node.value)


def room(name: str) -> str:
    """The folder right below the package that a module lies in; a module beside the folders is a room of its own."""
    return ".".join(name.split(".")[:2])


def circle(name: str, way: tuple[str, ...] = ()) -> tuple[str, ...]:
    """A way through imports that comes back to where it was; empty where there is none."""
    if name in way:
        return (*way[way.index(name) :], name)
    if name in _cleared:
        return ()
    found = next(filter(None, (circle(one, (*way, name)) for one in sorted(imported(name)))), ())
    if not found:
        _cleared.add(name)
    return found


_cleared: set[str] = set()


def rooms(package: str) -> dict[str, set[str]]:
    """Each room with those that it imports."""
    below: dict[str, set[str]] = {}
    for name in MODULES:
        if name.startswith(f"{package}."):
            others = {room(one) for one in imported(name) if one.startswith(f"{package}.")}
            below.setdefault(room(name), set()).update(others - {room(name)})
    return below


def floors(below: dict[str, set[str]]) -> dict[str, int]:
    """A room stands above all that it imports; 1 is the ground."""

    @cache
    def floor(one: str) -> int:
        return 1 + max((floor(other) for other in below[one]), default=0)

    return {one: floor(one) for one in below}


def test_the_changeover_has_at_most_seven_floors() -> None:
    standing = floors(rooms("heroku_changeover"))

    assert standing["heroku_changeover.terms"] == 1
    assert standing["heroku_changeover.__main__"] == max(standing.values()) <= MOST_FLOORS


def test_no_import_hides_a_circle() -> None:
    """One inside a function, or for types alone, counts: it ties two files together all the same."""
    assert [found for name in MODULES if (found := circle(name))] == []


def test_the_look_for_circles_finds_one(monkeypatch: pytest.MonkeyPatch) -> None:
    ties = {"a": frozenset({"b"}), "b": frozenset({"c"}), "c": frozenset({"b"})}
    monkeypatch.setitem(globals(), "imported", ties.__getitem__)
    monkeypatch.setitem(globals(), "_cleared", set())

    assert circle("a") == ("b", "c", "b")


@pytest.mark.parametrize("path", FILES, ids=lambda path: module(path))
def test_a_file_is_short_enough_to_be_kept_in_mind(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= MOST_LINES
