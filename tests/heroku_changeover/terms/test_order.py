"""The words that stand in stacks for all time; the tests have their list here and nowhere else."""

from heroku_changeover.terms.acts import Act
from heroku_changeover.terms.command import step_arguments
from heroku_changeover.terms.moments import Moment
from heroku_changeover.terms.order import STEPS, Order
from heroku_changeover.terms.window import VERSION
from heroku_changeover.ways.listed import WAYS

MOMENTS_OF_VERSION_3 = {
    "captured",
    "resumed",
    "entering-maintenance",
    "in-maintenance",
    "scaling-down",
    "scaled-down",
    "quiet",
    "fenced",
    "proved",
    "passing-return",
    "cut-off",
    "sealing",
    "sealed",
    "moved",
    "promoted",
    "scaled-up",
    "web-up",
    "serving",
    "put-back",
    "restored",
}
EVERY_OPTION = Order("db-2", ("shop",), "old", "new", "other", 1, 1, "stop", "api")


def test_the_five_words_never_change() -> None:
    """A generation of years ago is declared with them again: a word that is new to its state would run."""
    assert STEPS == ("await-database", "maintenance-on", "scale-down", "promote", "restore")


def test_what_stands_in_stored_commands_and_documents_never_changes_its_name() -> None:
    """A stack of years ago has them; a moment that comes to be is a new version of the document."""
    options = {word for word in step_arguments(STEPS[0], EVERY_OPTION) if word.startswith("--")}

    assert options == {
        *("--generation", "--app", "--from", "--to"),
        *("--way", "--budget", "--ready-limit", "--one-off-dynos", "--verify"),
    }
    assert [way.name for way in WAYS][:1] == ["follow"]
    assert (VERSION, {moment.value for moment in Moment}) == (3, MOMENTS_OF_VERSION_3)


def test_a_moment_is_called_neither_as_a_step_nor_as_an_act() -> None:
    """What was reached, what is done and what is declared are three things, and logs and documents tell of all."""
    assert not {moment.value for moment in Moment} & {*STEPS, *(act.value for act in Act)}
