"""Time as an argument, for tests: nobody waits, and a busy machine changes nothing."""

from heroku_changeover.reach.wait import Clock


class FakeTime:
    """A clock whose hands move only when somebody sleeps."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep, self.sleep)
