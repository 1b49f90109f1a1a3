"""
How long Heroku takes: two profiles, each a table of spans in seconds, and a seed for what is drawn from them.

The processes and databases are real in both; a profile only adds the waits that a real platform has in front of or
behind them. What is drawn depends on the seed, on the kind and on how often that kind was drawn, so that two runs with
the same seed wait the same.
"""

import asyncio
import random
from collections import Counter
from dataclasses import dataclass, field, replace

Span = tuple[float, float]
NOTHING: Span = (0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Profile:
    """
    From the shortest to the longest, in seconds.

    answer: an API request, from its last byte to the answer.
    provision: a new database without a leader. follower: the same for one that follows, besides its base backup.
    settle: a follower is provisioned, until the Data API says that it is available.
    unfollow: asked for, until the server is promoted. unfollowed: promoted, until the Data API says so.
    fork_follow: promoted, until it can be followed itself.
    deprovision: an add-on is deleted, until it is gone.
    release: an attachment or config change is accepted, until its dynos are restarted.
    router: maintenance mode is switched, until the router acts on it.
    shutdown: SIGTERM reaches a dyno. boot: a dyno is started, until its process runs.
    maintenance: Heroku's maintenance of a database is asked for, until its server is replaced.
    upgrade: `addons:upgrade` is accepted, until Heroku's hidden copy is ready. changeover: its interruption.
    """

    answer: Span = NOTHING
    provision: Span = NOTHING
    follower: Span = NOTHING
    settle: Span = NOTHING
    unfollow: Span = (0.05, 0.05)
    unfollowed: Span = (0.05, 0.05)
    fork_follow: Span = (0.2, 0.2)
    deprovision: Span = NOTHING
    release: Span = NOTHING
    router: Span = NOTHING
    shutdown: Span = NOTHING
    boot: Span = NOTHING
    maintenance: Span = NOTHING
    upgrade: Span = NOTHING
    changeover: Span = NOTHING


INSTANT = Profile()
"""For tests: only what the processes themselves take, and enough of an unfollow to be seen under way."""

REALISTIC = Profile(
    # No published figure. Assumed: a round trip within a continent (some 0.05 s) and the platform's own work.
    answer=(0.10, 0.25),
    # Minutes on Heroku, for a follower up to hours (dev center: heroku-postgres-follower-databases, "can take several
    # hours"). None of it is in the window, so it is kept short here; only catching up is longer than a dyno's boot, as
    # it is on Heroku, so that the restart that a new add-on brings does not run into the window.
    provision=(5.0, 8.0),
    follower=(5.0, 8.0),
    settle=(15.0, 18.0),
    # Heroku publishes none. PostgreSQL's own promote is 0.12 s here; the gem that automates Heroku's changeover polls
    # for its end every 10 s. Assumed: a few seconds of control plane.
    unfollow=(1.0, 2.0),
    unfollowed=(1.0, 2.0),
    # "Minutes to hours" (dev center: Fork/Follow row); after the window, kept short.
    fork_follow=(20.0, 30.0),
    # The two releases of public deploy logs follow each other by about a second.
    release=(0.5, 1.5),
    # "Seconds" (dev center: maintenance-mode); assumed at the lower end.
    router=(0.5, 1.0),
    # Up to 30 s by rule (dev center: dyno shutdown, SIGTERM and then SIGKILL); a web process that handles SIGTERM ends
    # with its last request. Assumed: about a second.
    shutdown=(0.5, 1.5),
    # 20-60 s from a start to the first request is usual, 60 s the limit (dev center: error R10); here half of the
    # least, because every second of it is paid by all sides alike. The longer it is, the closer are whole outages.
    boot=(10.0, 12.0),
    # "Hours" of preparing and "less than a minute" of interruption (dev center: updating-heroku-postgres-databases);
    # assumed: half of that minute at most.
    upgrade=(10.0, 15.0),
    changeover=(10.0, 30.0),
)

PROFILES = {"instant": INSTANT, "realistic": REALISTIC}


@dataclass(slots=True)
class Latency:
    """A profile with its seed; `drawn` counts what was drawn of each kind."""

    profile: Profile = INSTANT
    seed: int = 0
    drawn: Counter[str] = field(default_factory=Counter)

    def draw(self, kind: str) -> float:
        """The next wait of a kind, in seconds."""
        shortest, longest = getattr(self.profile, kind)
        self.drawn[kind] += 1
        return random.Random(f"{self.seed} {kind} {self.drawn[kind]}").uniform(shortest, longest)  # noqa: S311

    async def take(self, kind: str) -> None:
        """Waits as long as this kind takes; without any wait the event loop is not even left."""
        seconds = self.draw(kind)
        if seconds:
            await asyncio.sleep(seconds)

    def set(self, **seconds: float) -> None:
        """Fixes kinds to one value each, over what the profile says."""
        self.profile = replace(self.profile, **{kind: (value, value) for kind, value in seconds.items()})
