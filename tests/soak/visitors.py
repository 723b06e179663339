"""People who ask an API while it is changed: each answer is written down, with when it was asked and given."""

import contextlib
import http.client
import json
import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from tests.chain.requests import ask
from tests.sweep import process

PAUSE_SECONDS = 0.15  # below the API's rate limit
REVIEW = b"A superb plot, wonderful music."


@dataclass(frozen=True)
class Visit:
    """One request.

    Args:
        began: when it was asked, by the monotonic clock.
        ended: when it was answered.
        status: of the answer; 0: the connection broke.
        label: the verdict; empty where there is none.
        model: which model gave it.
        said: the answer that is no verdict.
    """

    began: float
    ended: float
    status: int
    label: str = ""
    model: str = ""
    said: str = ""


def visit(url: str, review: bytes = REVIEW) -> Visit:
    """Ask once."""
    began = time.monotonic()
    try:
        answer = ask(url, body=review, Accept="application/json")
    except (OSError, http.client.HTTPException) as problem:
        return Visit(began, time.monotonic(), 0, said=repr(problem))
    told = answer.json if answer.status == 200 else {}
    said = "" if told else answer.body.decode("utf-8", "replace")[:300]
    return Visit(began, time.monotonic(), answer.status, told.get("label", ""), told.get("model", ""), said)


@contextlib.contextmanager
def visitors(url: str, file: Path) -> Iterator[None]:
    """Have it asked all the time within the `with`. What was answered comes into a file, for `visits`."""
    file.write_text("")
    pid = process.fork(partial(_ask_on, url, file), file.with_suffix(".log"))
    try:
        yield
    finally:
        os.kill(pid, signal.SIGTERM)
        process.wait(pid, 90.0)


def visits(file: Path) -> list[Visit]:
    """What the visitors were answered."""
    return [Visit(**json.loads(line)) for line in file.read_text().splitlines()]


def _ask_on(url: str, file: Path) -> None:
    over: list[int] = []
    signal.signal(signal.SIGTERM, lambda number, _: over.append(number))
    with file.open("a", buffering=1) as answers:
        while not over:
            answers.write(json.dumps(vars(visit(url))) + "\n")
            time.sleep(PAUSE_SECONDS)
