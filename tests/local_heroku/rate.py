"""The bucket of requests of an account (dev center: platform-api-reference, rate limits)."""

import time
from dataclasses import dataclass, field

CAPACITY, A_MINUTE = 4500, 75
"""4,500 requests at once, 75 more each minute."""


@dataclass(slots=True)
class Bucket:
    """Switched on by a test: by itself it only counts, since one local Heroku serves a whole session of tests."""

    enforced: bool = False
    tokens: float = CAPACITY
    at: float = field(default_factory=time.monotonic)

    @property
    def remaining(self) -> int:
        self._refill()
        return max(int(self.tokens), 0)

    def take(self) -> bool:
        """Whether a request is let through."""
        self._refill()
        if self.enforced and self.tokens < 1:
            return False
        self.tokens = max(self.tokens - 1, 0)
        return True

    def _refill(self) -> None:
        now = time.monotonic()
        self.tokens = min(self.tokens + (now - self.at) * A_MINUTE / 60, CAPACITY)
        self.at = now
