"""Clients that ask a server at once, and what they are answered."""

import http.client
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from threading import Barrier
from urllib.parse import urlsplit

JSON = {"Content-Type": "application/json", "Accept": "application/json"}
REQUESTS = 400  # of all clients together, so many in a measurement

Connection = http.client.HTTPConnection
Ask = Callable[[Connection], int]  # sends one request and reads the answer; returns its status


@dataclass(frozen=True)
class Answered:
    """What so many clients were answered.

    Attributes:
        clients: how many asked at once, each on a connection of its own, one request after the other.
        milliseconds: what each request took.
        failed: how many answers were no 200.
        seconds: from the first request to the last answer.
    """

    clients: int
    milliseconds: list[float]
    failed: int
    seconds: float

    @property
    def rate(self) -> float:
        """Requests a second."""
        return len(self.milliseconds) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return the milliseconds within which so many percent of the answers came."""
        return statistics.quantiles(self.milliseconds, n=100, method="inclusive")[percent - 1]


def post(path: str, body: bytes, headers: dict[str, str]) -> Ask:
    """Return what posts a body."""

    def ask(connection: Connection) -> int:
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        response.read()
        return response.status

    return ask


def signed(key: str) -> dict[str, str]:
    """Return the headers of an invocation that a twin takes: it looks at whose key it is, and at no signature."""
    scope = f"{key}/20260101/us-east-1/sagemaker/aws4_request"
    signature = f"AWS4-HMAC-SHA256 Credential={scope}, SignedHeaders=host, Signature=0"
    return {**JSON, "Authorization": signature}


def load(url: str, ask: Ask, clients: int, requests: int = REQUESTS) -> Answered:
    """Let clients ask a server, all at once.

    Args:
        url: of the server.
        ask: what each sends.
        clients: how many.
        requests: of all of them together.
    """
    together, each = Barrier(clients), max(2, requests // clients)

    def client(_: int) -> list[tuple[float, int]]:
        connection = Connection(urlsplit(url).netloc, timeout=60)
        together.wait()
        try:
            return [_timed(ask, connection) for _ in range(each)]
        finally:
            connection.close()

    with ThreadPoolExecutor(clients) as pool:
        started = time.perf_counter()
        said = list(chain.from_iterable(pool.map(client, range(clients))))
        seconds = time.perf_counter() - started
    return Answered(clients, [taken for taken, _ in said], sum(status != 200 for _, status in said), seconds)


def _timed(ask: Ask, connection: Connection) -> tuple[float, int]:
    started = time.perf_counter()
    status = ask(connection)
    return 1000 * (time.perf_counter() - started), status
