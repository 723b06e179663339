"""Callers in line for one of a few places: who came first is served first, and who has left is not served."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LOOK_SECONDS = 0.25  # between two looks at whether a caller is still there

Abandoned = Callable[[], bool]


class TooManyCallersError(Exception):
    """All places are taken, and too many callers wait for one, or for too long."""


def never() -> bool:
    """Say of a caller that it waits to the end."""
    return False


class Line:
    """So many callers may go on at once; the others wait in the order in which they came."""

    def __init__(self, places: int) -> None:
        self._free = places
        self._waiting: deque[threading.Event] = deque()
        self._lock = threading.Lock()

    @property
    def waiting(self) -> int:
        """Return how many callers wait."""
        return len(self._waiting)

    @contextmanager
    def turn(self, patience: float, abandoned: Abandoned) -> Iterator[None]:
        """Wait for a place, and hold it inside the `with`.

        Args:
            patience: how many seconds to wait at most.
            abandoned: tells whether the caller has left.

        Raises:
            TooManyCallersError: there was none in time, or the caller has left.
        """
        if not self._wait(patience, abandoned):
            raise TooManyCallersError
        try:
            yield
        finally:
            self._let_next()

    def _wait(self, patience: float, abandoned: Abandoned) -> bool:
        with self._lock:
            if self._free and not self._waiting:
                self._free -= 1
                return True
            mine = threading.Event()
            self._waiting.append(mine)
        limit = time.monotonic() + patience
        while not mine.wait(LOOK_SECONDS) and not abandoned() and time.monotonic() < limit:
            continue
        with self._lock:
            if not mine.is_set():
                self._waiting.remove(mine)
                return False
        if abandoned():
            self._let_next()
            return False
        return True

    def _let_next(self) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._free += 1
