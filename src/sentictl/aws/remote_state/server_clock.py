"""S3's own time. Leases are judged by it: this machine's clock may be wrong, and another machine's as well."""

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any


def steady_seconds() -> float:
    """Return seconds that only go forward, also while the machine sleeps.

    That is CLOCK_BOOTTIME on Linux, and CLOCK_MONOTONIC on macOS, where `time.monotonic` leaves the sleep out.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


class ServerClock:
    """The time that S3's answers tell (RFC 9110, the header Date, in whole seconds), carried on between two of them.

    Args:
        here: this machine's time.
        steady: seconds that only go forward.
    """

    def __init__(
        self,
        here: Callable[[], datetime] = lambda: datetime.now(UTC),
        steady: Callable[[], float] = steady_seconds,
    ) -> None:
        self._here = here
        self._steady = steady
        self._told: tuple[datetime, float] | None = None
        self.skew = timedelta()  # by how much this machine's clock is ahead of S3's

    def note(self, answer: Mapping[str, Any]) -> None:
        """Take the time from an answer of boto3's, or from the response of a refusal."""
        date = answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}).get("date")
        if date:
            told = parsedate_to_datetime(date)
            self._told = told, self._steady()
            self.skew = self._here() - told

    def now(self) -> datetime:
        """Return S3's time; until it has told one, this machine's."""
        if self._told is None:
            return self._here()
        told, since = self._told
        return told + timedelta(seconds=self._steady() - since)
