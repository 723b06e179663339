"""Many clients that ask an API at once, and what they are answered."""

import http.client
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from threading import Barrier

from tests.chain.requests import Answer, ask

REFUSALS = (429, 503)
REVIEW = b"A superb plot, but tedious music."


@dataclass(frozen=True)
class Asked:
    """One request: its answer, None where the connection broke, and how many seconds it took."""

    answer: Answer | None
    seconds: float

    @property
    def status(self) -> int:
        return self.answer.status if self.answer else 0


@dataclass(frozen=True)
class Load:
    """What so many clients were answered."""

    clients: int
    asked: Sequence[Asked]

    @property
    def statuses(self) -> Counter[int]:
        """How often each status came."""
        return Counter(each.status for each in self.asked)

    def percentile(self, percent: int, statuses: Sequence[int] = (200,)) -> float:
        """Return the milliseconds within which so many percent of the answers of these statuses came; 0 for none."""
        spent = [each.seconds * 1000 for each in self.asked if each.status in statuses]
        return statistics.quantiles(spent, n=100, method="inclusive")[percent - 1] if len(spent) > 1 else sum(spent)


def load(url: str, clients: int, each: int) -> Load:
    """Let so many clients ask `each` times, one request after the other, all of them at once."""
    together = Barrier(clients)

    def client(_: int) -> list[Asked]:
        together.wait()
        return [_ask(url) for _ in range(each)]

    with ThreadPoolExecutor(clients) as pool:
        return Load(clients, list(chain.from_iterable(pool.map(client, range(clients)))))


def _ask(url: str) -> Asked:
    began = time.perf_counter()
    try:
        answer = ask(url, body=REVIEW)
    except (OSError, http.client.HTTPException):
        return Asked(None, time.perf_counter() - began)
    return Asked(answer, time.perf_counter() - began)
