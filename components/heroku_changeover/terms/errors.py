"""
Every way a look, a step or a guard can fail, one class for each thing that a caller handles differently.

    ChangeoverError
    ├── NothingChanged      exit 10: service is as it was before
    ├── Incomplete          exit 20: past the point of no return, the next run goes on
    ├── Refused             exit 30: bad input or a finding, nothing was started
    │   ├── BadInput
    │   │   └── NoToken     neither the environment nor ~/.netrc has one
    │   └── Busy            another process is at work on the app, on this machine or elsewhere
    │       └── Locked      on this machine, which its lock tells
    ├── NeedsPerson         exit 40: says what a person has to do
    ├── Interrupted         somebody asked the process to end
    ├── TimedOut            a wait ran out; what it means depends on the step, which wraps it
    ├── SqlUnreachable      a database could not be asked: there is no session, or one broke
    │   ├── ConnectionsTaken    all that the server allows are taken
    │   └── SqlRefused          the server refused a statement, or its answer cannot be read
    ├── UnexpectedAnswer    an answer of Heroku's without something that is needed
    └── HerokuError         an answer from Heroku that is not a success
        ├── NotFound
        ├── Forbidden
        └── HerokuUnreachable   no answer at all, or one that is not JSON
"""


class ChangeoverError(Exception):
    """The root of all errors of this package; its text is meant for the person who has to act on it."""

    exit_code = 40


class NothingChanged(ChangeoverError):
    """The step gave up before the point of no return and everything is as it was found."""

    exit_code = 10


class Incomplete(ChangeoverError):
    """The point of no return is passed, so the only way is forward, and the next run takes it."""

    exit_code = 20


class Refused(ChangeoverError):
    """The step did not start, because what it found would make the changeover fail."""

    exit_code = 30


class BadInput(Refused):
    """An argument, an environment variable or a document that the step cannot work with."""


class NoToken(BadInput):
    """There is nothing to sign in to Heroku with."""


class Busy(Refused):
    """
    Another step, keeper or run is at work on the app or its database, on this machine or elsewhere, and was so for as
    long as was waited; or it has moved the app on. The app is left to it as it is.
    """


class Locked(Busy):
    """That is so on this machine: nobody else had to be asked."""


class NeedsPerson(ChangeoverError):
    """Nothing that this program may do on its own leads further; the text says what a person can do."""

    exit_code = 40


class TimedOut(ChangeoverError):
    """A wait reached its deadline; the text names what was waited for, for how long, and what was last seen."""

    exit_code = 10


class Interrupted(ChangeoverError):
    """The process was asked to end; it is an error like any other, so that what was changed is put back."""

    exit_code = 10


class SqlUnreachable(ChangeoverError):
    """A database could not be asked: no session could be opened, an open one was lost, or it refused the question."""

    exit_code = 10


class ConnectionsTaken(SqlUnreachable):
    """The server is there, but has as many sessions as it may have."""


class SqlRefused(SqlUnreachable):
    """
    The session goes on, but the server refused a statement, or what it answered cannot be read.

    `reason` is what it said, without what a person can do about it.
    """

    def __init__(self, database: str, reason: str, advice: str = "") -> None:
        self.reason = reason
        super().__init__(f"database {database} refused a statement of ours: {reason}{advice and f'; {advice}'}")


class UnexpectedAnswer(ChangeoverError):
    """Heroku answered with success, but not in the form that its reference describes."""

    exit_code = 10

    def __init__(self, what: str, error: Exception) -> None:
        lacks = f"{error} is missing" if isinstance(error, KeyError) else f"{type(error).__name__} while reading it"
        super().__init__(
            f"what Heroku says about {what} is not of the form that its reference describes ({lacks}); nothing can be "
            "concluded from it: look at https://status.heroku.com, and whether something in between answers instead"
        )


class HerokuError(ChangeoverError):
    """
    Heroku answered a request with an error.

    `status` is the HTTP status, `error_id` Heroku's machine-readable id (such as `not_found`), `request_id` what
    Heroku's support asks for.
    """

    exit_code = 10

    def __init__(self, request: str, status: int, error_id: str, message: str, request_id: str = "") -> None:
        self.status, self.error_id, self.message, self.request_id = status, error_id, message, request_id
        super().__init__(
            f"Heroku answered {status} {error_id} to {request}: {message} (request {request_id or 'unknown'})"
        )

    @property
    def is_passing(self) -> bool:
        """Whether it may be otherwise in a moment: no answer, too many requests, or a failure of Heroku's own."""
        return self.status in {0, 429} or self.status >= 500


class NotFound(HerokuError):
    """The app, add-on or attachment does not exist, or this token may not know of it."""


class Forbidden(HerokuError):
    """The token is not valid (401) or lacks a right on this app (403)."""


class HerokuUnreachable(HerokuError):
    """No answer, or one that is not Heroku's; whether the request took effect is unknown."""

    def __init__(self, request: str, reason: str) -> None:
        super().__init__(request, 0, "unreachable", reason)
        self.args = (f"Heroku could not be reached for {request}: {reason}",)


def may_pass(error: BaseException) -> bool:
    """
    Whether it may be otherwise in a while, by what it came from: no answer, no session, a token that is not accepted
    at the moment, something that took too long.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, Forbidden | SqlUnreachable | TimedOut | UnexpectedAnswer | OSError):
            return True
        if isinstance(cause, HerokuError) and cause.is_passing:
            return True
        cause = cause.__cause__ or cause.__context__
    return False
