"""The token buckets that throttle stages, and the keys of usage plans."""

import threading
import time
from collections.abc import Hashable


class TokenBucket:
    """`burst` tokens at most, `rate` new ones a second; thread-safe."""

    def __init__(self, rate: float, burst: int) -> None:
        self.rate = rate
        self.burst = burst
        self._tokens = float(burst)
        self._filled = time.monotonic()
        self._lock = threading.Lock()

    @property
    def is_full(self) -> bool:
        """Whether nobody has taken a token for so long that it is as good as new."""
        with self._lock:
            self._fill()
            return self._tokens >= self.burst

    def take(self) -> bool:
        """Take a token, if there is one."""
        with self._lock:
            self._fill()
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True

    def _fill(self) -> None:
        now = time.monotonic()
        self._tokens = min(self.burst, self._tokens + (now - self._filled) * self.rate)
        self._filled = now


class TokenBuckets:
    """A bucket for each of those who are throttled, until it is full again; thread-safe."""

    def __init__(self) -> None:
        self._buckets: dict[Hashable, TokenBucket] = {}
        self._lock = threading.Lock()

    def take(self, whose: Hashable, rate: float, burst: int) -> bool:
        """Take a token of somebody's bucket, if there is one. Other limits than before make a new, full bucket."""
        with self._lock:
            bucket = self._buckets.get(whose)
            if bucket is None or (bucket.rate, bucket.burst) != (rate, burst):
                self._buckets = {known: each for known, each in self._buckets.items() if not each.is_full}
                bucket = self._buckets[whose] = TokenBucket(rate, burst)
        return bucket.take()
