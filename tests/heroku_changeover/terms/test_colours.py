"""Whether Heroku chose a name, or a person did."""

import pytest

from heroku_changeover.terms.facts import COLOURS, Attachment
from local_heroku import attaching


def named(name: str) -> Attachment:
    return Attachment("1", name, None, "a1", "postgresql-round-1", "shop")


@pytest.mark.parametrize("name", ["HEROKU_POSTGRESQL_RED", "HEROKU_POSTGRESQL_CRIMSON"])
def test_a_colour_is_herokus(name: str) -> None:
    """Such a name stays with its database; one that a person chose moves along."""
    assert named(name).is_colour


@pytest.mark.parametrize("name", ["HEROKU_POSTGRESQL_ANALYTICS", "HEROKU_POSTGRESQL_RED_OLD", "RED", "DATABASE"])
def test_any_other_name_is_a_persons(name: str) -> None:
    assert not named(name).is_colour


def test_the_local_heroku_gives_the_same_colours() -> None:
    assert set(attaching.COLOURS) == COLOURS
