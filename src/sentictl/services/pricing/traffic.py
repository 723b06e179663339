"""Traffic: how many requests there are, what each holds, and for how long one keeps a model busy."""

import math
import re
from dataclasses import dataclass

from sentictl.errors import UsageError
from sentictl.lifecycle.cost import HOURS_A_MONTH

A_MONTH = {
    "second": 3600.0 * HOURS_A_MONTH,
    "minute": 60.0 * HOURS_A_MONTH,
    "hour": float(HOURS_A_MONTH),
    "day": HOURS_A_MONTH / 24,
    "week": HOURS_A_MONTH / (7 * 24),
    "month": 1.0,
}
TIMES = {"": 1, "k": 1_000, "m": 1_000_000}
WRITTEN = re.compile(
    rf"(?P<number>\d{{1,3}}(?:[,_]\d{{3}})*|\d{{1,12}})(?P<decimals>\.\d{{1,6}})?(?P<times>[km]?)"
    rf"(?:\s*(?:/|\ba\b|\bper\b)\s*(?P<unit>{'|'.join(A_MONTH)}))?",
    re.IGNORECASE | re.ASCII,
)
EXAMPLE = "sentictl costs --requests 10000/day"

# Of the official IMDb archive, whose reviews have 1,310 characters on the mean.
WORDS = 230
BYTES_A_WORD = 5.7
ANSWER_BYTES = 150  # of one review, as JSON
# Ten times what was measured here, since nobody has measured it on AWS: there a model server answers one review of 230
# words in 5.2 ms, and of many at once each takes 0.4 ms (docs/benchmarks.md).
REQUEST_SECONDS, REVIEW_SECONDS = 0.046, 0.004
# What has less memory gets less of a processor: docs.aws.amazon.com/lambda/latest/dg/configuration-memory.html. A
# serverless endpoint has "compute resources proportional to the memory", too (SageMaker's guide, serverless-endpoints).
MEMORY_OF_A_CORE = 1769


@dataclass(frozen=True)
class Traffic:
    """Requests, all alike.

    Args:
        requests: a month.
        reviews: of one request.
        words: of one review.
        seconds: that one processor core is busy with a request; None for what follows from the reviews.

    Raises:
        UsageError: one of them is nothing that there could be.
    """

    requests: float
    reviews: int = 1
    words: int = WORDS
    seconds: float | None = None

    def __post_init__(self) -> None:
        _check(0 <= self.requests <= 1e15, f"{self.requests:g} requests", "no number of requests")
        _check(self.reviews >= 1, f"{self.reviews} reviews a request", "no request", "--reviews-per-request 1")
        _check(self.words >= 1, f"{self.words} words", "no review", f"--words {WORDS}")
        if self.seconds is not None:
            _check(0 < self.seconds <= 3600, f"{self.seconds:g} s", "no time for an answer", "--seconds 0.05")

    @property
    def a_day(self) -> float:
        return self.requests / A_MONTH["day"]

    @property
    def a_second(self) -> float:
        """The mean; there is no telling how it varies."""
        return self.requests / A_MONTH["second"]

    @property
    def review_characters(self) -> int:
        return round(self.words * BYTES_A_WORD)

    @property
    def request_bytes(self) -> float:
        return self.reviews * self.words * BYTES_A_WORD

    @property
    def answer_bytes(self) -> float:
        return self.reviews * float(ANSWER_BYTES)

    @property
    def core_seconds(self) -> float:
        """How long one core is busy with a request."""
        if self.seconds is not None:
            return self.seconds
        return REQUEST_SECONDS + REVIEW_SECONDS * self.reviews * self.words / WORDS

    def seconds_in(self, memory_mb: int) -> float:
        """How long a request takes where so much memory says how much of a core there is; in whole milliseconds."""
        return math.ceil(1000 * self.core_seconds / min(1.0, memory_mb / MEMORY_OF_A_CORE) - 1e-6) / 1000


def requests_a_month(written: str | float) -> float:
    """Read how many requests there are, such as "10000/day", "10k/day", "5/second" or "2M"; without a unit, a month.

    Raises:
        UsageError: it is not written so.
    """
    if isinstance(written, int | float):
        return float(written)
    found = WRITTEN.fullmatch(written.strip())
    if found is None:
        raise UsageError(
            f"{written!r} is no number of requests.",
            f"It is one such as 10000/day, 10k/day, 5/second or 2M/month: {EXAMPLE}",
        )
    number = float(re.sub("[,_]", "", found["number"]) + (found["decimals"] or ""))
    return number * TIMES[found["times"].lower()] * A_MONTH[(found["unit"] or "month").lower()]


def _check(holds: bool, what: str, is_none: str, instead: str = "") -> None:
    if not holds:
        raise UsageError(f"{what}: that is {is_none}.", f"Such as: {EXAMPLE} {instead}".rstrip())
