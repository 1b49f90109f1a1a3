"""
The port to the databases: what a step may ask and do over SQL, whoever answers.

A step is handed a `Sql` as it is handed a client of Heroku. The one that speaks to servers is in `reach/postgres`.
"""

from typing import NamedTuple, Protocol, Self

from heroku_changeover.terms.position import Position


class Mark(NamedTuple):
    """
    The end of what has to be on the target: `lsn` is the leader's flushed position behind the barrier, `upcoming` the
    transaction id that it would have given out next.
    """

    lsn: str
    upcoming: int


class Blocker(NamedTuple):
    """Who holds a table, in words; and what a person can do about it."""

    what: str
    advice: str


class Room(NamedTuple):
    """How many tables a fence has to lock, and how many locks the server has room for."""

    needed: int
    room: int


class LetGo(NamedTuple):
    """
    How a fence ended: `committed` are the roles whose writes waited and are committed on the old database now, `taken`
    how many transaction ids it took to keep others from that.
    """

    committed: tuple[str, ...] = ()
    taken: int = 0


class Session(Protocol):
    """
    A session on a database; every verb raises `SqlUnreachable` when it breaks, `SqlRefused` when the server refuses it.

    Leaving it as a block closes it.
    """

    @property
    def database(self) -> str:
        """The add-on's name, for messages."""
        ...

    def is_alive(self) -> bool: ...

    def close(self) -> None: ...

    def __enter__(self) -> Self: ...

    def __exit__(self, *_: object) -> None: ...

    def owns_the_database(self) -> bool: ...

    def refuses_writes(self) -> str | None:
        """Why the database takes no writes, None when it does."""
        ...

    def unsealing(self) -> str:
        """The SQL that lets the database take writes again, for a person to type."""
        ...

    def unlogged_with_rows(self) -> list[str]:
        """UNLOGGED tables and sequences of which a follower does not get what is in them."""
        ...

    def tables_vacuumed_against_wraparound(self) -> list[str]:
        """Tables that cannot be locked until their vacuum is done."""
        ...

    def room_for_locks(self) -> Room: ...

    def in_the_way(self) -> list[Blocker]:
        """Who holds a table now and is not ours to end; and transactions that were prepared, which nobody can end."""
        ...

    def flushed(self) -> str:
        """The position in the log up to which all is on disk."""
        ...

    def missing(self, lsn: str) -> int:
        """How many bytes a copy has yet to replay up to a position of its leader's."""
        ...

    def end_sessions_left_over(self) -> int:
        """Ends sessions of this tool whose run is no more, with their locks; returns how many of living ones stay."""
        ...

    def end_sessions_on_a_copy(self) -> None:
        """Ends the other sessions that are ours to end, on a server in recovery only."""
        ...

    def position(self) -> Position: ...

    def unseal(self) -> None:
        """Lets a database take writes again."""
        ...

    def is_sealed(self) -> bool:
        """Whether new sessions are read-only by a setting of the database."""
        ...


class Fence(Protocol):
    """Every table of a database that the role may write, locked against writes until it is released."""

    @property
    def database(self) -> str: ...

    @property
    def tables(self) -> int:
        """How many are locked."""
        ...

    @property
    def unlocked(self) -> tuple[str, ...]:
        """Those that the role may not lock."""
        ...

    @property
    def is_disturbed(self) -> bool:
        """Whether anybody had a transaction in progress behind it."""
        ...

    @property
    def at_work(self) -> tuple[str, ...]:
        """Who was seen with a transaction in progress behind it, each in a few words."""
        ...

    def is_held(self) -> bool: ...

    def unlogged_with_rows(self) -> list[str]:
        """As of a session, at a moment at which nobody can write any."""
        ...

    def release(self) -> None: ...

    def let_go(self, deadline: float) -> LetGo:
        """
        Ends the fence on a database whose writes were all carried over: those that wait fail, where that is in our
        power; the others have some time to be given up.
        """
        ...

    def end_sessions(self) -> frozenset[int]:
        """Ends the other sessions that are ours to end; returns their process ids."""
        ...

    def other_sessions(self) -> list[int]:
        """The process ids of the other sessions that are ours to end."""
        ...

    def other_roles(self) -> list[str]:
        """Ordinary roles with sessions there that are not ours to end."""
        ...

    def still_waiting(self, deadline: float) -> list[str]:
        """Those roles whose writes wait behind the fence even after some time in which they may be given up."""
        ...

    def set_mark(self, deadline: float) -> Mark:
        """
        Commits the barrier at a moment at which no transaction is in progress.

        Raises:
            TimedOut: there was no such moment; names who is at work.
        """
        ...

    def position(self) -> Position: ...

    def seal(self, deadline: float) -> int:
        """Makes the database read-only for ordinary clients; returns how many transaction ids that took."""
        ...

    def unseal(self) -> None: ...


class Sql(Protocol):
    """Sessions on databases, by an add-on's name and its address, which holds a password."""

    def load(self) -> None:
        """Loads what it will need, which takes its time, while something else is waited for."""
        ...

    def prepare(self, database: str, url: str) -> None:
        """Opens a session that `session` or `fence` will take, if one can be had."""
        ...

    def session(self, database: str, url: str) -> Session:
        """
        Raises:
            ConnectionsTaken: the server had none left for some time.
            SqlUnreachable: names the database and the reason.
        """
        ...

    def fence(self, database: str, url: str, deadline: float) -> Fence:
        """
        Raises:
            Busy: another run has fenced it; names its session.
            TimedOut: names the sessions that hold the tables and could not be ended.
            SqlUnreachable: there is no session, or it broke.
        """
        ...

    def await_turn(self, database: str, url: str, deadline: float) -> None:
        """
        Returns when no other run has a fence there.

        Raises:
            Busy: another run has; names its session.
            SqlUnreachable: there is no session, or it broke.
        """
        ...

    def undisturbed(self) -> Self:
        """The same for work that has to be done even when the process was asked to end."""
        ...

    def close(self) -> None:
        """Ends the sessions that nobody took; whoever took one ends it."""
        ...
