"""The words that stand in stacks for all time; the tests have their list here and nowhere else."""

from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS


def test_the_five_words_never_change() -> None:
    """A generation of years ago is declared with them again: a word that is new to its state would run."""
    assert STEPS == ("await-database", "maintenance-on", "scale-down", "promote", "restore")


def test_a_moment_is_called_neither_as_a_step_nor_as_an_act() -> None:
    """What was reached, what is done and what is declared are three things, and logs and documents tell of all."""
    assert not {moment.value for moment in Moment} & {*STEPS, *(act.value for act in Act)}
