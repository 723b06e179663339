"""Waiting for AWS: for something to reach a state, and for a new role to be known everywhere."""

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from sentictl.errors import AwsError

Value = TypeVar("Value")
Sleep = Callable[[float], None]

# A new role cannot be assumed at once: for up to half a minute Lambda and SageMaker refuse it in these words.
ROLE_CODES = {"InvalidParameterValueException", "ValidationException"}
ROLE_WORDS = ("cannot be assumed", "could not assume role", "cannot assume", "trust")


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


def once_role_is_known(
    call: Callable[[], Value], *, timeout: float = 60, interval: float = 1, sleep: Sleep = time.sleep
) -> Value:
    """Make a call that passes a role which may be seconds old, again while AWS cannot assume it yet.

    Raises:
        ClientError: any other refusal, or still this one after `timeout` seconds.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            return call()
        except ClientError as refusal:
            error = refusal.response["Error"]
            message = error["Message"].lower()
            unknown_role = error["Code"] in ROLE_CODES and "role" in message and any(w in message for w in ROLE_WORDS)
            if not unknown_role or time.monotonic() > deadline:
                raise
        sleep(interval)
