"""Doing something as another user of this machine, which takes root."""

import json
import os
import traceback
from collections.abc import Callable
from typing import Any

import pytest

NOBODY = 65534
needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")


def as_another_user(work: Callable[[], Any]) -> Any:
    """Call a function in a child process that belongs to another user, and return its answer.

    Args:
        work: imports nothing that is not imported already, since the other user may not be able to read it; what it
            returns must fit into JSON.
    """
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.setgroups([])
            os.setgid(NOBODY)
            os.setuid(NOBODY)
            answer = {"answer": work()}
        except BaseException:  # noqa: BLE001  (this is the end of a process)
            answer = {"problem": traceback.format_exc()}
        os.write(writing, json.dumps(answer).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as stream:
        told = json.load(stream)
    os.waitpid(pid, 0)
    assert "answer" in told, told["problem"]
    return told["answer"]
