"""Waiting for something on AWS to reach a state."""

import time
from collections.abc import Callable
from typing import TypeVar

from sentictl.errors import AwsError

Value = TypeVar("Value")
Sleep = Callable[[float], None]


def poll(
    read: Callable[[], Value],
    done: Callable[[Value], bool],
    *,
    what: str,
    timeout: float,
    interval: float = 0.1,
    longest: float = 10,
    sleep: Sleep = time.sleep,
) -> Value:
    """Read until `done`, at intervals (seconds) that grow from `interval` to `longest`.

    Returns:
        The value that was done.

    Raises:
        AwsError: `timeout` seconds went by; `what` names what was waited for.
    """
    deadline = time.monotonic() + timeout
    while not done(value := read()):
        if time.monotonic() > deadline:
            raise AwsError(
                f"{what} is not ready after {timeout:.0f} s.", "Run the same command again: it goes on waiting."
            )
        sleep(interval)
        interval = min(interval * 1.5, longest)
    return value
