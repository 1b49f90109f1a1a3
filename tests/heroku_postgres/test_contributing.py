"""The map, the words and the lists of CONTRIBUTING.md, held to the code that they are about."""

import ast
import re
import tomllib
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from kit.checkout import ROOT
from kit.readme import table

PAGE = (ROOT / "CONTRIBUTING.md").read_text()
COMPONENTS = ROOT / "components"
PACKAGES = ("heroku_changeover", "heroku_postgres")

ROOMS = {
    room: cells
    for rooms, *cells in table("room", "what it is for", "what must not be in it", page=PAGE)
    for room in re.split("`?, `?", rooms)
}
WORDS = table("word", "what it means", "where it is in the code", page=PAGE)
SECOND = table("word", "first sense", "second sense", "where the second one is", page=PAGE)
CODE = {name for *_, names in [*WORDS, *SECOND] for name in re.split("`?, `?", names)}
LISTS = dict(re.findall(r"^## To add (?:a|an) (.*?)\n(.*?)(?=^## )", PAGE, re.MULTILINE | re.DOTALL))

THERE_IS = {
    "finding": ("preboot", ["components/heroku_postgres/findings/changeover.py", "README.md"]),
    "argument": ("one_?off_?dynos", []),
    "act": ("UNFOLLOW", ["components/heroku_changeover/terms/acts.py", "tests/kit/acts.py", "tests/faults/cases.py"]),
    "moment": ("ENTERING_MAINTENANCE", ["components/heroku_changeover/terms/moments.py"]),
    "endpoint of the local Heroku": ("unfollow", ["tests/local_heroku/server.py", "tests/conformance/schemas.py"]),
    "way": ("follow", ["components/heroku_changeover/ways/listed.py", "pyproject.toml"]),
}
"""By a list, one of its kind that there is already, and files that have to know it; none means all that are named."""


def rooms_of(folder: Path) -> set[str]:
    """The folder with all below it that hold modules."""
    return {path.parent.relative_to(ROOT).as_posix() for path in folder.rglob("__init__.py")}


def paragraphs(room: str) -> list[str]:
    """The docstring of a room, each paragraph as one line."""
    text = ast.get_docstring(ast.parse((ROOT / room / "__init__.py").read_text())) or ""
    return [" ".join(part.split()) for part in text.split("\n\n")]


def files(text: str) -> list[str]:
    """The files and folders that a text names."""
    return [
        name
        for name in re.findall(r"`([\w./-]+)`", text)
        if "/" in name or Path(name).suffix in {".md", ".toml", ".yaml"}
    ]


def found(name: str) -> object | None:
    """What a dotted name of the glossary means; None where there is no such thing."""
    for package in PACKAGES:
        parts = name.split(".")
        for end in range(len(parts), 0, -1):
            try:
                thing: Any = import_module(".".join([package, *parts[:end]]))
            except ModuleNotFoundError:
                continue
            for part in parts[end:]:
                thing = getattr(thing, part, None)
            if thing is not None:
                return thing  # type: ignore[no-any-return] # anything that there is
    return None


def layers(package: str) -> list[list[str]]:
    """The floors of a package by its import contract, the highest first."""
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (own,) = [c for c in contracts if c.get("containers") == [package]]
    return [layer.split(" | ") for layer in own["layers"]]


def test_every_room_is_on_the_map() -> None:
    tests = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tests").iterdir() if any(path.glob("**/*.py"))}

    assert [room for room in sorted({*rooms_of(COMPONENTS), *tests}) if room not in ROOMS] == []


def test_every_room_of_the_map_is_there() -> None:
    assert [room for room in ROOMS if not (ROOT / room).is_dir()] == []


@pytest.mark.parametrize("room", sorted(rooms_of(COMPONENTS)))
def test_a_room_says_what_the_map_says_of_it(room: str) -> None:
    assert paragraphs(room)[:2] == ROOMS[room]


@pytest.mark.parametrize("package", PACKAGES)
def test_the_floors_are_those_that_the_contracts_hold(package: str) -> None:
    rows = table(f"floor of `{package}`", "what is on it", page=PAGE)

    assert [re.split("`?, `?", rooms) for _, rooms in rows] == layers(package)
    assert [int(floor) for floor, _ in rows] == list(range(len(rows), 0, -1))


@pytest.mark.parametrize("name", sorted(CODE))
def test_a_word_is_in_the_code_where_the_glossary_says(name: str) -> None:
    assert found(name) is not None


def test_no_word_is_explained_twice() -> None:
    words = [word for word, *_ in WORDS]

    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize("kind", sorted(LISTS))
def test_every_file_that_a_list_names_is_there(kind: str) -> None:
    assert files(LISTS[kind])
    assert [name for name in files(LISTS[kind]) if not (ROOT / name).exists()] == []


@pytest.mark.parametrize("kind", sorted(LISTS))
def test_a_list_names_the_files_that_one_of_its_kind_is_in(kind: str) -> None:
    word, some = THERE_IS[kind]
    named = files(LISTS[kind])
    texts = {name: (ROOT / name).read_text() for name in some or named}

    assert [name for name in some if name not in named] == []
    assert [name for name, text in texts.items() if not re.search(word, text, re.IGNORECASE)] == []


def test_the_program_s_example_has_every_argument() -> None:
    """The README says that it has every setting."""
    example = (ROOT / "stacks" / "Pulumi.production.yaml").read_text()

    assert [
        key for _, key, _ in table("argument", "config key", "meaning") if f"heroku-postgres:{key}:" not in example
    ] == []


def test_the_contracts_name_every_way() -> None:
    ways = {path.parent.name for path in (COMPONENTS / "heroku_changeover" / "ways").glob("*/way.py")}
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    sources = {m for c in contracts if c["name"].startswith("A way knows") for m in c["source_modules"]}
    hidden = {
        m for c in contracts if c["name"].startswith("Nothing but the list of ways") for m in c["forbidden_modules"]
    }

    assert {f"heroku_changeover.ways.{way}" for way in ways} == sources == hidden
