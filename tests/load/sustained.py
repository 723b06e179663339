"""Requests at an even rate for a long time, while the model behind them is changed again and again."""

import http.client
import statistics
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import cycle
from urllib.parse import urlsplit

import psutil

from tests.chain.shell import Shell
from tests.load.clients import REVIEW

CLIENTS = 8  # that find out how much there can be
CONNECTIONS = 32  # over which requests are sent that do not wait for one another
TIMEOUT_SECONDS = 60
LOOK_SECONDS = 1.0
PAUSE_SECONDS = 3.0  # between two changes
HEADERS = {"Content-Type": "text/plain", "Accept": "application/json"}
# The model is rolled back and replaced, and its machines are made more and fewer.
CHANGES = (
    ("deploy", "--model", "previous"),
    ("deploy", "--model", "latest"),
    ("deploy", "--instance-count", "2"),
    ("deploy", "--instance-count", "1"),
)


@dataclass(frozen=True)
class Answered:
    """One request: when it was due and when it was answered, in seconds from the first, and with what status.

    A status of 0 is a connection that broke.
    """

    due: float
    ended: float
    status: int

    @property
    def milliseconds(self) -> float:
        """From when it was due: whoever waits for a connection waits, too."""
        return 1000 * (self.ended - self.due)


@dataclass
class Changes:
    """What was changed meanwhile.

    Args:
        made: each change that was made, with the seconds from the first request at which it began and ended.
    """

    made: list[tuple[str, float, float]] = field(default_factory=list)

    def meet(self, answered: Answered) -> bool:
        """Whether one was under way while a request was."""
        return any(began < answered.ended and answered.due < ended for _, began, ended in self.made)


@dataclass
class Memory:
    """The resident memory of a twin, in bytes, each second."""

    sizes: list[int] = field(default_factory=list)

    def thirds(self) -> tuple[float, float]:
        """The medians of the first and of the last third, in MB."""
        third = max(1, len(self.sizes) // 3)
        return statistics.median(self.sizes[:third]) / 2**20, statistics.median(self.sizes[-third:]) / 2**20


def capacity(url: str, requests: int) -> float:
    """Return how many requests a second are answered where some clients ask one after the other."""
    began = time.monotonic()
    answers = _send(url, CLIENTS, (0.0 for _ in range(requests)))
    seconds = time.monotonic() - began
    failed = Counter(each.status for each in answers if each.status != http.client.OK)
    if failed:
        raise RuntimeError(f"of {requests} requests failed: {dict(failed)}")
    return requests / seconds


def at_rate(url: str, requests: int, rate: float) -> list[Answered]:
    """Send so many requests, so many a second, whether or not those before them are answered."""
    return _send(url, CONNECTIONS, (number / rate for number in range(requests)))


@contextmanager
def changing(shell: Shell) -> Iterator[Changes]:
    """Change the model all the time within the `with`."""
    changes, began = Changes(), time.monotonic()

    def work(words: Sequence[str]) -> None:
        since = time.monotonic() - began
        shell.run(*words)
        changes.made.append((" ".join(words), since, time.monotonic() - began))

    rounds = cycle(CHANGES)
    with _again(lambda: work(next(rounds)), PAUSE_SECONDS):
        yield changes


@contextmanager
def watching(pid: int) -> Iterator[Memory]:
    """Look at the memory of a process within the `with`."""
    memory, process = Memory(), psutil.Process(pid)
    with _again(lambda: memory.sizes.append(process.memory_info().rss), LOOK_SECONDS):
        yield memory


@contextmanager
def _again(work: Callable[[], object], pause: float) -> Iterator[None]:
    """Do something again and again within the `with`; what it raises is raised at its end."""
    over, problems = threading.Event(), []

    def run() -> None:
        try:
            while not over.wait(pause):
                work()
        except Exception as problem:  # noqa: BLE001  (told by the other thread)
            problems.append(problem)

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    for problem in problems:
        raise problem


def _send(url: str, connections: int, due: Iterator[float]) -> list[Answered]:
    """Send a request at each of these times, in seconds from now, by whichever connection is free."""
    lock, began, answers = threading.Lock(), time.monotonic(), []

    def client() -> None:
        connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=TIMEOUT_SECONDS)
        while True:
            with lock:
                at = next(due, None)
            if at is None:
                break
            time.sleep(max(0.0, began + at - time.monotonic()))
            status = _ask(connection, urlsplit(url).path)
            answers.append(Answered(at, time.monotonic() - began, status))
        connection.close()

    threads = [threading.Thread(target=client) for _ in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def _ask(connection: http.client.HTTPConnection, path: str) -> int:
    try:
        connection.request("POST", path, REVIEW, HEADERS)
        response = connection.getresponse()
        response.read()
    except (OSError, http.client.HTTPException):
        connection.close()
        return 0
    return response.status
