"""What happened when, read from the local Heroku's own record of one run; pure functions."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import accumulate, pairwise
from typing import Any

Event = dict[str, Any]
Part = tuple[str, float, float]
"""Name, begin and end."""

PARTS = ("dyno stop", "unfollow", "attach", "dyno boot")
COUNTED = {
    "dyno_stop": "from scaled to nothing until the last dyno has ended",
    "catch_up": "0: the local Heroku has no event of a replay; what it takes counts as above the floor",
    "unfollow": "from asked for until the Data API says that it is done",
    "attach": "the one request that makes DATABASE the new database",
    "dyno_boot": "from a web dyno's start until it is up",
}
"""What the floor is made of; every part but the catch-up is from events of the very run it is compared with."""


@dataclass(frozen=True, slots=True)
class Floor:
    """
    What no way to do it can go below, in seconds of the very run it is compared with: dynos stop, the follower is cut
    off, DATABASE is attached, a web dyno boots, with nothing in between.

    The catch-up is counted as nothing, see COUNTED: that makes the floor lower, and what is above it more, for each.
    """

    dyno_stop: float
    catch_up: float
    unfollow: float
    attach: float
    dyno_boot: float

    @property
    def seconds(self) -> float:
        return self.dyno_stop + self.catch_up + self.unfollow + self.attach + self.dyno_boot

    @property
    def timeline(self) -> dict[str, Any]:
        """The parts with nothing in between."""
        took = (self.dyno_stop, self.unfollow, self.attach, self.dyno_boot)
        ends = list(accumulate(took))
        return timeline(
            [(name, end - s, end) for name, s, end in zip(PARTS, took, ends, strict=True)], 0.0, self.seconds
        )


@dataclass(frozen=True, slots=True)
class Window:
    """Moments of one window, in seconds since 1970, as the local Heroku saw them; `attach` in seconds."""

    maintenance_on: float
    scaled_down: float
    dynos_ended: float
    unfollow_asked: float
    unfollowed: float
    attached: float
    attach: float
    scaled_up: float
    dyno_started: float
    dyno_up: float
    maintenance_off: float
    routed: float

    @property
    def floor(self) -> Floor:
        return Floor(
            self.dynos_ended - self.scaled_down,
            0.0,
            self.unfollowed - self.unfollow_asked,
            self.attach,
            self.dyno_up - self.dyno_started,
        )

    @property
    def served(self) -> float:
        """When a request is answered again: a web dyno is up, and the router has seen the end of maintenance mode."""
        return max(self.dyno_up, self.routed)

    @property
    def gaps(self) -> dict[str, float]:
        """What lies between the parts of the floor, by name."""
        return {
            "maintenance on to scaled down": self.scaled_down - self.maintenance_on,
            "dynos ended to unfollow": self.unfollow_asked - self.dynos_ended,
            "unfollowed to attached": self.attached - self.attach - self.unfollowed,
            "attached to scaled up": self.dyno_started - self.attached,
            "dyno up to served": self.served - self.dyno_up,
        }

    @property
    def timeline(self) -> dict[str, Any]:
        """The parts of the floor, each when it was."""
        spans = (
            (self.scaled_down, self.dynos_ended),
            (self.unfollow_asked, self.unfollowed),
            (self.attached - self.attach, self.attached),
            (self.dyno_started, self.dyno_up),
        )
        parts = [(name, begin, end) for name, (begin, end) in zip(PARTS, spans, strict=True)]
        return timeline(parts, self.maintenance_on, self.served)


def window_of(app: str, events: list[Event], requests: list[Event]) -> Window:
    """The window of an app, from all that happened in a run. Raises LookupError when something is not there."""
    mine = [e for e in events if e.get("app") == app]

    def moment(what: str, is_it: Callable[[Event], bool] = lambda _: True, after: float = 0.0) -> float:
        return _first(e for e in mine if e["what"] == what and e["at"] >= after and is_it(e))

    on = moment("maintenance", lambda e: e["on"])
    down = moment("scaled", lambda e: not any(e["to"].values()), on)
    asked = _first(e for e in events if e["what"] == "unfollow asked" and e["at"] > down)
    ended = [float(e["at"]) for e in mine if e["what"] == "dyno ended" and down < e["at"] < asked]
    attach = _attach(app, requests, asked)
    up = moment("scaled", lambda e: any(e["to"].values()), asked)
    started = moment("dyno started", lambda e: e["dyno"].startswith("web."), asked)
    return Window(
        maintenance_on=on,
        scaled_down=down,
        dynos_ended=max(ended, default=down),
        unfollow_asked=asked,
        unfollowed=_first(e for e in events if e["what"] == "unfollowed" and e["at"] > asked),
        attached=float(attach["at"]),
        attach=float(attach["at"]) - float(attach["came"]),
        scaled_up=up,
        dyno_started=started,
        dyno_up=moment("dyno up", lambda e: e["dyno"].startswith("web."), started),
        maintenance_off=moment("maintenance", lambda e: not e["on"], started),
        routed=moment("routed", lambda e: not e["maintenance"], started),
    )


def upgrade_timeline(app: str, events: list[Event]) -> dict[str, Any]:
    """Heroku's own change of plan: from the interruption until a web dyno is up that began after it."""
    cut = _first(e for e in events if e["what"] == "upgrade interrupts")
    done = _first(e for e in events if e["what"] == "upgraded")
    web = [e for e in events if e.get("app") == app and str(e.get("dyno")).startswith("web.") and e["at"] >= done]
    started = _first(e for e in web if e["what"] == "dyno started")
    up = _first(e for e in web if e["what"] == "dyno up" and e["at"] >= started)
    return timeline([("Heroku's upgrade", cut, done), ("dyno boot", started, up)], cut, up)


def timeline(parts: list[Part], since: float, until: float) -> dict[str, Any]:
    """As `bench.json` has it: all in seconds since the first moment."""
    shown = [[name, round(begin - since, 3), round(end - since, 3)] for name, begin, end in parts]
    return {"seconds": round(until - since, 3), "parts": shown}


def _first(events: Iterable[Event]) -> float:
    for event in events:
        return float(event["at"])
    raise LookupError("something that belongs to a changeover did not happen")


def _attach(app: str, requests: list[Event], after: float) -> Event:
    """The request that made DATABASE the new database, the last one of its kind."""
    made = [r for r in requests if r["method"] == "POST" and r["path"] == "/addon-attachments" and r["came"] > after]
    mine = [r for r in made if (r.get("sent") or {}).get("name") == "DATABASE" and app in str(r["sent"])]
    return mine[-1]


def silences(answered: list[float], since: float, until: float, longer_than: float = 0.5) -> list[tuple[float, float]]:
    """When no order was acknowledged, as begin and end in seconds since 1970, the longest first."""
    moments = [since, *sorted(t for t in answered if since <= t <= until), until]
    return sorted(((a, b) for a, b in pairwise(moments) if b - a > longer_than), key=lambda s: s[0] - s[1])


def outage(silent: list[tuple[float, float]], window: Window | None) -> float:
    """
    The silence of a window, in seconds; without a window the longest one.

    Heroku restarts dynos when an add-on is created; a window is not blamed for that.
    """
    if window is not None:
        silent = [(a, b) for a, b in silent if a < window.maintenance_off and b > window.maintenance_on]
    return max((b - a for a, b in silent), default=0.0)
