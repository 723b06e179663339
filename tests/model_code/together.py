"""Several processes that do something together, each a fork of this one."""

import multiprocessing
import pickle
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, TypeVar

import torch
from sentimodel.distributed import free_port, joined
from sentimodel.process_group import ProcessGroup, Worker

SECONDS = 120
Result = TypeVar("Result")


def together(size: int, work: Callable[[ProcessGroup], Result]) -> list[Result]:
    """What the work returns in each of so many processes, by their ranks. If one of them fails, so does this."""
    context, port = multiprocessing.get_context("fork"), free_port()
    started = []
    for rank in range(size):
        here, there = context.Pipe(duplex=False)
        process = context.Process(target=_do, args=(Worker(rank, size, rank, port=port), work, there), daemon=True)
        process.start()
        there.close()
        started.append((process, here))
    try:
        return [_result(here) for _, here in started]
    finally:
        for process, here in started:
            process.kill()
            process.join()
            here.close()


def _do(worker: Worker, work: Callable[[ProcessGroup], Any], there: Connection) -> None:
    with joined(worker, torch.device("cpu")) as group:
        result = work(group)
    there.send_bytes(pickle.dumps(result))  # plainly: torch would hand tensors over in shared memory


def _result(here: Connection) -> Any:
    assert here.poll(SECONDS), "a process did not answer"
    try:
        return pickle.loads(here.recv_bytes())
    except EOFError:
        raise AssertionError("a process failed: its stderr says why") from None
