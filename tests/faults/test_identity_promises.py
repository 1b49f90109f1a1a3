"""What judges the matrix of identity finds what it is there to find."""

import pytest

from faults.identity.advice import advised
from faults.identity.cases import MOMENTS, SLIPS, cases
from faults.identity.kinds import KINDS
from faults.identity.promises import Database, Leave, Seen, deleted, moved, sealed

OLD = Database("old", rows=3, sealed=False, follows=False)
NEW = Database("new", rows=3, sealed=False, follows=False)
COPY = Database("copy", rows=3, sealed=False, follows=True)
SEALED = Database("old", rows=3, sealed=True, follows=False)
ON_OLD, ON_NEW = {("app", "DATABASE"): "o"}, {("app", "DATABASE"): "n"}
BOTH = Seen({"o": OLD, "n": NEW}, ON_NEW)
FINISHED = Leave(leaders=frozenset("o"))


def test_a_database_with_rows_that_is_gone_is_found_and_one_that_was_aimed_at_is_not() -> None:
    after = Seen({"n": NEW}, ON_NEW)

    assert list(deleted(BOTH, after, Leave())) == ["old is gone, with 3 rows"]
    assert not list(deleted(BOTH, after, Leave(frozenset("o"))))


def test_what_is_in_use_cannot_be_aimed_at() -> None:
    assert list(deleted(BOTH, Seen({"o": OLD}, {}), Leave(frozenset("n"))))


def test_rows_that_are_gone_are_found_and_a_pure_copy_that_is_gone_is_not() -> None:
    emptied = Database("new", rows=0, sealed=False, follows=False)

    assert list(deleted(BOTH, Seen({"o": OLD, "n": emptied}, ON_NEW), Leave())) == ["new has 0 of 3 rows"]
    assert not list(deleted(Seen({"c": COPY}, {}), Seen({}, {}), Leave()))


def test_only_the_leader_of_a_finished_changeover_may_be_sealed_and_never_what_is_in_use() -> None:
    after = Seen({"o": SEALED, "n": NEW}, ON_NEW)

    assert list(sealed(BOTH, after, Leave()))
    assert not list(sealed(BOTH, after, FINISHED))
    assert list(sealed(BOTH, Seen({"o": SEALED, "n": NEW}, ON_OLD), FINISHED))


def test_a_name_moves_only_from_the_leader_of_a_finished_changeover() -> None:
    before, after = Seen(BOTH.databases, ON_OLD), BOTH

    assert list(moved(before, after, Leave())) == ["DATABASE was old and is new"]
    assert not list(moved(before, after, FINISHED))
    assert list(moved(BOTH, Seen(BOTH.databases, {}), FINISHED)) == ["DATABASE was new and is nothing"]


def test_a_run_has_each_slip_at_each_moment() -> None:
    assert {(c.slip, c.moment) for c in cases(1)} == {(slip, moment) for slip in SLIPS for moment in MOMENTS}
    assert tuple(KINDS) == SLIPS


@pytest.mark.parametrize(
    ("said", "printed"),
    [
        ("set it: `pulumi config set plan standard-2` where", ["`pulumi config set plan standard-2`"]),
        (
            "`heroku addons:attach x-1 --as DATABASE --app shop`",
            ["`heroku addons:attach x-1 --as DATABASE --app shop`"],
        ),
        ("if its data may go: `heroku addons:destroy x-1 --app shop`", []),
    ],
)
def test_what_a_message_names_is_found_and_what_destroys_by_hand_is_left(said: str, printed: list[str]) -> None:
    assert [deed.printed for deed in advised(said)] == printed
