"""How often a user's password may be guessed, as Cognito has it.

After five failures the user is locked out for a second; each further one doubles that, to 15 minutes at most. What is
tried meanwhile is refused unseen, and counts for nothing. A sign-in, or 15 minutes without a failure, begins anew
(docs.aws.amazon.com/cognito/latest/developerguide/authentication-flows.html, "lockout behavior").
"""

import threading
import time
from collections.abc import Callable, Hashable

FREE = 5  # failures before the first lock-out
LONGEST = 15 * 60.0  # seconds
MOST_USERS = 1000  # of whom failures are remembered at a time


class Guesses:
    """Counts failures by user; thread-safe.

    Args:
        clock: seconds that only go forward.
    """

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._failed: dict[Hashable, tuple[int, float]] = {}  # how often, and when last
        self._lock = threading.Lock()

    def locked_out(self, user: Hashable) -> bool:
        """Tell whether a user may not try just now."""
        with self._lock:
            failures, last = self._failed.get(user, (0, 0.0))
            pause = min(LONGEST, 2.0 ** (failures - FREE)) if failures >= FREE else 0.0
            return self._clock() - last < pause

    def failed(self, user: Hashable) -> None:
        """Count a wrong password."""
        with self._lock:
            now = self._clock()
            failures, last = self._failed.pop(user, (0, now))
            self._failed[user] = (1 if now - last > LONGEST else failures + 1, now)
            if len(self._failed) > MOST_USERS:
                del self._failed[next(iter(self._failed))]

    def succeeded(self, user: Hashable) -> None:
        """Forget a user's failures."""
        with self._lock:
            self._failed.pop(user, None)
