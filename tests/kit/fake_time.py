"""Time as an argument, for tests: nobody waits, and a busy machine changes nothing."""

from heroku_changeover.reach.wait import Clock


class FakeTime:
    """A clock whose hands move only when somebody sleeps."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now, self.asleep = now, 0.0

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    @property
    def clock(self) -> Clock:
        return Clock(lambda: self.now, self.sleep, self.sleep, awake=lambda: self.now - self.asleep)

    def close_the_lid(self, seconds: float) -> None:
        """The machine sleeps for so long: nobody does anything, and the clock goes on."""
        self.now += seconds
        self.asleep += seconds
