"""
Every outward act of the steps: what they change, and what they wait for.

The list is what a fault has to be tried at, before and after each of them; a call that changes something or waits
outside of `doing` fails a test.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

AUDIT_EVENT = "heroku_changeover.act"
"""The audit event (`sys.audit`) raised with an act's name and `before` or `after`, for whoever observes a step."""


class Act(Enum):
    """In the order of a changeover; the value is the name in logs."""

    AWAIT_AVAILABLE = "await-available"
    AWAIT_CLOSE = "await-close"
    REACH = "reach-over-sql"
    START_KEEPER = "start-keeper"
    MAINTENANCE_ON = "maintenance-on"
    SCALE_DOWN = "scale-down"
    AWAIT_DYNOS = "await-dynos"
    STOP_ONE_OFF = "stop-one-off"
    AWAIT_ONE_OFFS = "await-one-offs"
    KEEP_ATTACHED = "keep-attached"
    LOCK = "lock"
    END_SESSIONS = "end-sessions"
    BARRIER = "barrier"
    AWAIT_REPLAY = "await-replay"
    AWAIT_OTHER_ROLES = "await-other-roles"
    UNFOLLOW = "unfollow"
    AWAIT_UNFOLLOWED = "await-unfollowed"
    AWAIT_WRITABLE = "await-writable"
    SEAL = "seal"
    UNSEAL = "unseal"
    ATTACH = "attach"
    AWAIT_RELEASE = "await-release"
    LET_GO = "let-go"
    SCALE_UP = "scale-up"
    AWAIT_WEB = "await-web"
    MAINTENANCE_OFF = "maintenance-off"
    CARRY_SCHEDULE = "carry-schedule"


@contextmanager
def doing(act: Act) -> Iterator[None]:
    """Brackets an outward act, so that whoever observes this step knows what it is at."""
    sys.audit(AUDIT_EVENT, act.value, "before")
    yield
    sys.audit(AUDIT_EVENT, act.value, "after")
