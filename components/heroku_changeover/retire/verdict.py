"""The words of the judgement on a database that is to go: what says so, and what speaks against it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from heroku_changeover.retire.aim import is_aimed
from heroku_changeover.terms.command import RETIRE_VARIABLE, URN_VARIABLE
from heroku_changeover.terms.facts import Database

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Retirement:
    """
    What is to go, and what says so: `name` is what it was called, `engine` the command line of the `pulumi` that runs
    this, empty where that cannot be told. With `only_prove` nothing is deleted.
    """

    app_id: str
    database_id: str
    name: str
    environ: Mapping[str, str]
    engine: tuple[str, ...] = ()
    only_prove: bool = False

    @property
    def urn(self) -> str:
        return self.environ.get(URN_VARIABLE, "")

    def says(self, variable: str, database: Database) -> bool:
        """Whether a variable names this very database, as it is called today or by its id."""
        return self.environ.get(variable) in {database.name, database.id}

    def is_meant(self, database: Database) -> bool:
        return is_aimed(self.engine, self.urn) or self.says(RETIRE_VARIABLE, database)


@dataclass(slots=True)
class Verdict:
    """
    Why a database stays, each reason a few words: `aim`, `uses`, and that it is the `last` one with its data. What is
    only `unproven` can be waived. `mend` are commands and deeds that end the uses.
    """

    aim: list[str] = field(default_factory=list)
    uses: list[str] = field(default_factory=list)
    mend: list[str] = field(default_factory=list)
    last: list[str] = field(default_factory=list)
    unproven: list[str] = field(default_factory=list)
    is_primary: bool = False

    @property
    def reasons(self) -> list[str]:
        return [*self.aim, *self.uses, *self.last, *self.unproven]

    def used(self, reason: str, mend: str) -> None:
        self.uses.append(reason)
        self.mend.append(mend)
