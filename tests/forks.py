"""Work done in a forked process, which may be killed at it."""

import itertools
import os
import signal
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

STEPS = ("open", "fdopen", "fchmod", "fsync", "close", "replace", "rename", "unlink", "mkdir")


def ends(work: Callable[[], object]) -> int:
    """Do it in a forked process; returns its exit code: 0, 1 if it raised, or the negative number of its signal."""
    process = os.fork()
    if process == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])


def killed_at_every_step(work: Callable[[], object]) -> Iterator[int]:
    """Do it again and again, killed before its first system call on files, after it, before the second, and so on.

    Yields the step's number after each kill, and ends when the work came through alive.
    """
    for step in itertools.count():
        if ends(partial(_with_kill_at, step, work)) != -signal.SIGKILL:
            return
        yield step


def _with_kill_at(step: int, work: Callable[[], object]) -> None:
    passed = iter(range(step))

    def tick() -> None:
        if next(passed, None) is None:
            os.kill(os.getpid(), signal.SIGKILL)

    def between_ticks(call: Callable[..., Any]) -> Callable[..., Any]:
        def watched(*arguments: Any, **named: Any) -> Any:
            tick()
            answer = call(*arguments, **named)
            tick()
            return answer

        return watched

    with pytest.MonkeyPatch.context() as patch:
        for name in STEPS:
            patch.setattr(os, name, between_ticks(getattr(os, name)))
        work()
