"""Time as an argument, for tests that wait on real servers."""

from heroku_changeover.reach.wait import Clock


class TimeThatIsSlept:
    """A clock on which only sleeping takes time, however busy the machine is."""

    def __init__(self) -> None:
        self.time = 1_700_000_000.0

    def clock(self) -> Clock:
        return Clock(lambda: self.time, self.sleep, self.sleep)

    def sleep(self, seconds: float) -> None:
        self.time += seconds
