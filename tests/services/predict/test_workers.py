"""Processes that answer beside this one."""

import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import psutil
import pytest

from sentictl.services.predict.clients import from_artifact
from sentictl.services.predict.workers import ENOUGH, Workers

SECONDS = 60
TEXTS = ["a superb film", "a dreadful\nfilm", "caf\u00e9 \U0001f600"]


class Here:
    """Who is asked in this process."""

    def __init__(self, artifact: Path) -> None:
        self.asked = 0
        self.ask = from_artifact(artifact).ask

    def __call__(self, texts: Sequence[str]) -> list[dict[str, Any]]:
        self.asked += 1
        return self.ask(texts)


@pytest.fixture
def here(toy_artifact: Path) -> Here:
    return Here(toy_artifact)


@pytest.fixture
def workers(here: Here, toy_artifact: Path) -> Iterator[Workers]:
    """Workers of which one has answered."""
    workers = Workers(here, [str(toy_artifact)], 1)

    deadline, before = time.monotonic() + SECONDS, -1
    while here.asked != before:
        assert time.monotonic() < deadline
        before = here.asked
        workers.ask(TEXTS)
    yield workers
    workers.close()


def test_few_questions_start_no_process(here: Here) -> None:
    workers = Workers(here, ["no such folder"], 1)
    assert [workers.ask(TEXTS) for _ in range(ENOUGH - 1)] == [here.ask(TEXTS)] * (ENOUGH - 1)
    assert not workers.processes
    workers.close()


def test_where_many_are_to_come_the_first_question_starts_them(here: Here) -> None:
    workers = Workers(here, ["no such folder"], 1, many=True)
    assert workers.ask(TEXTS) == here.ask(TEXTS)
    assert len(workers.processes) == 1
    workers.close()


def test_a_worker_says_what_this_process_says(workers: Workers, here: Here) -> None:
    before = here.asked
    assert workers.ask(TEXTS) == here.ask(TEXTS)
    assert here.asked == before


def test_while_a_worker_is_busy_this_process_answers(workers: Workers, here: Here) -> None:
    answers: list[Any] = []
    threads = [threading.Thread(target=lambda: answers.append(workers.ask(TEXTS))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [here.ask(TEXTS)] * 4


def test_a_worker_that_was_killed_is_done_without(workers: Workers, here: Here) -> None:
    (process,) = workers.processes
    os.kill(process, signal.SIGKILL)
    while psutil.Process(process).status() != psutil.STATUS_ZOMBIE:
        time.sleep(0.01)
    assert workers.ask(TEXTS) == workers.ask(TEXTS) == here.ask(TEXTS)
    workers.close()


def test_a_worker_that_cannot_begin_is_done_without(here: Here) -> None:
    workers = Workers(here, ["no such folder"], 1)
    assert [workers.ask(TEXTS) for _ in range(ENOUGH + 2)] == [here.ask(TEXTS)] * (ENOUGH + 2)
    workers.close()


def test_no_worker_outlasts_its_end(workers: Workers) -> None:
    (process,) = workers.processes
    workers.close()
    with pytest.raises(ProcessLookupError):
        os.kill(process, 0)
