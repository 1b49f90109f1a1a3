"""Every outward act is one that faults can be tried at."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import heroku_changeover
from heroku_changeover.terms.acts import Act
from kit.acts import ON_THIS_MACHINE, OVER_SQL, READS, WRITES

FOLDER = Path(heroku_changeover.__file__).parent
WRITING = {"patch", "post", "put_data", "post_data", "delete"}
WAITING = {"until", "wait_closely"}
ON_SERVERS = {"fence", "set_mark", "seal", "unseal", "end_sessions"}
NOT_ACTS = {
    "reach/postgres/server.py",
    "reach/heroku.py",
    "reach/locks.py",
    "reach/wait.py",
}
"""The means by which acts are done, and waits of this machine's own."""


def in_the_package(path: Path) -> str:
    return path.relative_to(FOLDER).as_posix()


MODULES = sorted(path for path in FOLDER.rglob("*.py") if in_the_package(path) not in NOT_ACTS)


def outward_calls(tree: ast.AST, acting: bool = False) -> Iterator[tuple[str, int, bool]]:
    """Name, line and whether it is inside `with … doing(…)`, of every call that changes something or waits."""
    for node in ast.iter_child_nodes(tree):
        inside = acting or (isinstance(node, ast.With) and any("doing" in ast.dump(i) for i in node.items))
        if isinstance(node, ast.Call) and (name := _outward(node)):
            yield name, node.lineno, inside
        yield from outward_calls(node, inside)


def _outward(call: ast.Call) -> str | None:
    if isinstance(call.func, ast.Attribute) and call.func.attr in WRITING | WAITING | ON_SERVERS:
        return call.func.attr
    return None


OUTSIDE = {
    ("apps/service.py", "patch"): "the caller brackets it: scaling down and scaling up are two acts",
    ("ways/follow/readiness.py", "until"): "part of reaching the databases over SQL",
    ("ways/proofs/fenceable.py", "until"): "the same",
    ("ways/follow/unfollow.py", "until"): "a look whether an unfollow that was asked for shows, when something broke",
    (
        "rescue/recovery.py",
        "until",
    ): "a look whether apps stay divided, part of putting back, which is no act of its own",
    ("retire/guard.py", "until"): "no app is down while a database goes; its own faults are tried in test_retire.py",
    ("retire/guard.py", "delete"): "the same",
    ("reach/postgres/turn.py", "until"): "part of taking the lock, or of putting back, which is no act of its own",
    ("ways/proofs/carrying.py", "fence"): "opening a lost fence anew, after the unfollow",
}
"""Calls that are bracketed elsewhere, each with where."""


@pytest.mark.parametrize("module", MODULES, ids=in_the_package)
def test_whatever_changes_something_or_waits_is_an_act(module: Path) -> None:
    calls = list(outward_calls(ast.parse(module.read_text())))
    outside = [
        (name, line) for name, line, inside in calls if not inside and (in_the_package(module), name) not in OUTSIDE
    ]

    assert not outside, f"{in_the_package(module)} does these outside of `with doing(Act.…)`: {outside}"


def test_every_exception_is_still_needed() -> None:
    done = {
        (in_the_package(module), name)
        for module in MODULES
        for name, _, inside in outward_calls(ast.parse(module.read_text()))
        if not inside
    }

    assert set(OUTSIDE) - done == set()


def test_the_look_for_outward_calls_finds_them() -> None:
    found = {name for module in MODULES for name, _, _ in outward_calls(ast.parse(module.read_text()))}

    assert found >= {"patch", "post", "put_data", "post_data", "until", "fence", "set_mark", "seal"}


def test_every_act_is_of_one_kind() -> None:
    """Its kind says which faults are tried at an act, and as what its time counts: one without a kind is passed by."""
    assert sorted([*WRITES, *READS, *OVER_SQL, *ON_THIS_MACHINE], key=list(Act).index) == list(Act)
