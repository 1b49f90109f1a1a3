"""
The window document: what a changeover found before it changed anything, and a clock reading at each moment.

It is one line of JSON, printed by a step on stdout and handed to the next one in its environment. It holds no secret.
"""

import json
import math
from collections.abc import Mapping
from typing import Any, NamedTuple

from heroku_changeover.terms.command import WINDOW_VARIABLE
from heroku_changeover.terms.errors import BadInput
from heroku_changeover.terms.facts import PRIMARY, App, Name, ProcessType
from heroku_changeover.terms.given import number, whole
from heroku_changeover.terms.moments import ANSWERED, Moment
from heroku_changeover.terms.order import number_in
from heroku_changeover.terms.report import Report, report_from

VERSION = 3

LONGEST_LINE = 48 * 1024
"""
Bytes of a document: it is handed on in an environment variable, which on Linux has room for 128 KiB, and the engine
stops reading a line at 64 KiB.
"""


class AppAsFound(NamedTuple):
    """
    The maintenance flag and the formation (quantity and size of every process type) that `restore` brings back.

    `boot_seconds` is how long a web dyno took to boot before, None when that is not known. `names` are those of the
    leader that move, as they were when it was the app's primary still. `id` is the app's, whose name may change; empty
    where nothing was recorded before.
    """

    maintenance: bool
    formation: tuple[ProcessType, ...]
    boot_seconds: float | None = None
    names: tuple[Name, ...] = ()
    id: str = ""

    def quantity(self, process_type: str) -> int:
        return next((p.quantity for p in self.formation if p.type == process_type), 0)

    @property
    def serves_web(self) -> bool:
        return self.quantity("web") > 0

    def changes(self, live: App) -> list[str]:
        """How the live formation differs, in quantity or size, such as `web 4 Standard-1X instead of 2 Standard-1X`."""
        now = {p.type: p for p in live.formation}
        pairs = [(p, now.get(p.type, p._replace(quantity=0))) for p in self.formation]
        return [
            f"{new.type} {new.quantity} {new.size} instead of {old.quantity} {old.size}"
            for old, new in pairs
            if new != old and (new.quantity or old.quantity)
        ]


class Window(NamedTuple):
    """
    The document as the steps use it.

    `apps` maps an app's name to how it was found. `moments` are those that were reached, with a clock reading (seconds
    since 1970). `report` is what is told beyond that.
    """

    generation: str
    apps: Mapping[str, AppAsFound] = {}
    moments: Mapping[Moment, float] = {}
    report: Report = Report()

    def did(self, moment: Moment, at: float) -> "Window":
        return self._replace(moments={**self.moments, moment: round(at, 3)})

    def without(self, moment: Moment) -> "Window":
        return self._replace(moments={m: at for m, at in self.moments.items() if m is not moment})

    def has(self, moment: Moment) -> bool:
        return moment in self.moments

    @property
    def latest(self) -> float:
        """When it was written to last, 0 before that."""
        return max(self.moments.values(), default=0.0)

    @property
    def budget_began(self) -> float | None:
        """When the first app went into maintenance mode, or a later run took an open window over; None before that."""
        began = [self.moments[m] for m in (Moment.ENTERING_MAINTENANCE, Moment.RESUMED) if m in self.moments]
        return max(began, default=None)

    @property
    def unanswered(self) -> float | None:
        """When a write that takes an app down was sent last, if its answer was never noted; None if all were."""
        sent = [self.moments[m] for m in ANSWERED if m in self.moments and not self._was_answered(m)]
        return max(sent, default=None)

    def _was_answered(self, moment: Moment) -> bool:
        return self.moments.get(ANSWERED[moment], 0.0) >= self.moments[moment]

    @property
    def is_open(self) -> bool:
        """Whether apps were taken down and neither put back nor restored: what is down may be so by our own doing."""
        return self.has(Moment.ENTERING_MAINTENANCE) and not self.is_finished

    @property
    def is_past_return(self) -> bool:
        """Whether what cannot be taken back was done, or was about to be done, so that it may have been."""
        return self.has(Moment.PASSING_RETURN)

    @property
    def is_finished(self) -> bool:
        """Whether the last thing that this changeover had to do is done."""
        return self.has(Moment.RESTORED)

    def found(self, app: App) -> AppAsFound | None:
        """How an app was found, whatever it was called then."""
        by_id = (known for known in self.apps.values() if known.id == app.id)
        return self.apps.get(app.name) or next(by_id, None)

    def begun_anew(self) -> "Window":
        """Without the moments of an attempt that was put back."""
        return self._replace(moments={m: at for m, at in self.moments.items() if m is Moment.CAPTURED})

    @property
    def fits(self) -> bool:
        """Whether it can be handed on as it is; what a report tells never keeps it from that."""
        return len(_one_line(self.row())) <= LONGEST_LINE

    def line(self) -> str:
        """
        The document as one line that can be handed on. A window whose document is too long is not opened; where names
        have been added since, only DATABASE is told, which is what counts.
        """
        text = _one_line(self.row())
        return text if len(text) <= LONGEST_LINE else _one_line(self._without_companions().row())

    def _without_companions(self) -> "Window":
        rows = self.apps.items()
        kept = {name: app._replace(names=tuple(n for n in app.names if n.name == PRIMARY)) for name, app in rows}
        return self._replace(apps=kept)

    def row(self) -> dict[str, Any]:
        """Plain JSON values."""
        return {
            "version": VERSION,
            "generation": self.generation,
            "apps": {name: _app_row(app) for name, app in self.apps.items()},
            "moments": {moment.value: at for moment, at in self.moments.items()},
            "report": self.report.row(),
        }


def _one_line(row: Mapping[str, Any]) -> str:
    return json.dumps(row, separators=(",", ":"), sort_keys=True)


def short_enough(text: str) -> str:
    """
    A document that a step printed, so that it can be handed on to the next one: an older program may have printed one
    that is too long for that.
    """
    if len(text.encode()) <= LONGEST_LINE:
        return text
    try:
        row = json.loads(text)
        return window_of(row, str(row["generation"])).line()
    except (BadInput, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return text[: LONGEST_LINE // 4]  # the step says that it is damaged


def newest(*windows: Window, now: float = math.inf) -> Window:
    """
    The one that was written to last: a keeper or a later step may have gone on where a run broke. Of those that are as
    new the first one counts. One that is closed and of the future was noted by a clock that was ahead: when that was
    nobody can tell, so it says nothing against a window that is open `now`.
    """
    is_open = any(window.is_open and window.latest <= now for window in windows)
    believed = [window for window in windows if window.is_open or window.latest <= now or not is_open]
    return max(believed, key=lambda window: window.latest)


def is_down(known: AppAsFound, live: App) -> bool:
    """Whether an app that served when it was recorded is reached by nobody now."""
    web = next((p.quantity for p in live.formation if p.type == "web"), 0)
    return live.maintenance or not live.writers or (known.serves_web and not web)


def as_found(known: AppAsFound | None, live: App, leader: str = "") -> AppAsFound:
    """
    How an app is to be left, from what an earlier step recorded and what is live now; `leader` is the id of the
    database that is left.

    What is live wins, because a colleague may have scaled the app since; except for the two values that a changeover
    itself sets: maintenance mode on, and a quantity of 0. Of an app that is down nothing tells who took it down, a run
    that was lost or a colleague; so it comes back as it was recorded, whoever it was, and is never left with neither
    dynos nor maintenance page. A 0 of one that is up is a colleague's.
    Names are those of the time before DATABASE moved: what is given to the old database later is not ours.
    """
    scalable = [p for p in live.formation if p.type != "release"]
    names = _names(known, live, leader)
    if known is None:
        return AppAsFound(live.maintenance, tuple(scalable), live.boot_seconds, names, live.id)
    down = is_down(known, live)
    formation = tuple(p if p.quantity or not down else _recorded(known, p) for p in scalable)
    boot, maintenance = live.boot_seconds or known.boot_seconds, live.maintenance and known.maintenance
    return AppAsFound(maintenance, formation, boot, names, live.id)


def _names(known: AppAsFound | None, live: App, leader: str) -> tuple[Name, ...]:
    if live.primary is not None and live.primary.addon_id == leader:
        return live.names_of(leader)
    return known.names if known else ()


def _recorded(known: AppAsFound, live: ProcessType) -> ProcessType:
    return next((p for p in known.formation if p.type == live.type), live)


def window_from(environ: Mapping[str, str], generation: str) -> Window | None:
    """
    The document that the step before this one left in the environment; None when there is none.

    Raises:
        BadInput: it is damaged, of another generation, or of a version that this program does not know.
    """
    text = environ.get(WINDOW_VARIABLE, "").strip()
    if not text:
        return None
    try:
        return window_of(json.loads(text), generation)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError, OverflowError) as error:
        raise BadInput(
            f"{WINDOW_VARIABLE} does not hold a window document ({type(error).__name__}); {_REMEDY}"
        ) from error


_REMEDY = "run `pulumi up` again rather than a step by hand, or unset the variable"


def window_of(row: Mapping[str, Any], generation: str) -> Window:
    """
    The document from decoded JSON.

    Raises:
        BadInput: it is of another generation, or of a version that this program does not know.
    """
    if row["version"] != VERSION:
        raise BadInput(f"{WINDOW_VARIABLE} is of version {row['version']}, this program reads {VERSION}; {_REMEDY}")
    if number_in(row["generation"]) != number_in(generation):
        raise BadInput(f"{WINDOW_VARIABLE} is of {row['generation']}, this step works on {generation}; {_REMEDY}")
    apps = {str(name): _app_from(app) for name, app in row["apps"].items()}
    moments = {Moment(name): number(at) for name, at in row["moments"].items()}
    return Window(generation, apps, moments, report_from(row["report"]))


def _app_row(app: AppAsFound) -> dict[str, Any]:
    return {
        "maintenance": app.maintenance,
        "formation": {p.type: {"quantity": p.quantity, "size": p.size} for p in app.formation},
        "boot_seconds": app.boot_seconds,
        "names": dict(app.names),
        "id": app.id,
    }


def _app_from(row: Mapping[str, Any]) -> AppAsFound:
    rows = row["formation"].items()
    formation = tuple(ProcessType(str(t), whole(p["quantity"]), str(p["size"])) for t, p in rows)
    if not isinstance(row["maintenance"], bool):
        raise TypeError("the maintenance flag is neither true nor false")
    boot = row.get("boot_seconds")
    names = tuple(Name(str(n), None if space is None else str(space)) for n, space in row["names"].items())
    return AppAsFound(row["maintenance"], formation, None if boot is None else number(boot), names, str(row["id"]))


def as_of(window: Window, now: float) -> Window:
    """
    A window as it looks at a moment: what was noted later than that was noted by a clock that was ahead of this one, so
    all of it is taken to be as much earlier.
    """
    ahead = window.latest - now
    return window if ahead <= 0 else window._replace(moments={m: at - ahead for m, at in window.moments.items()})
