"""Waiting for AWS: for something to reach a state, and for a new role to be known everywhere."""

import time
from collections.abc import Callable
from typing import TypeVar

from botocore.exceptions import ClientError

from sentictl.aws.errors import THROTTLED
from sentictl.errors import AwsError

Value = TypeVar("Value")
Sleep = Callable[[float], None]

# A new role cannot be assumed at once: for up to half a minute Lambda, SageMaker and Scheduler refuse it so.
ROLE_CODES = {"InvalidParameterValueException", "ValidationException"}
ROLE_WORDS = ("cannot be assumed", "could not assume role", "cannot assume", "to assume the role", "trust")


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
    return _again_while(_says_unknown_role, call, timeout, interval, sleep)


def once_not_throttled(
    call: Callable[[], Value], *, timeout: float = 180, interval: float = 5, sleep: Sleep = time.sleep
) -> Value:
    """Make a call that AWS takes only once in a while, again while it is throttled.

    Raises:
        ClientError: any other refusal, or still this one after `timeout` seconds.
    """
    return _again_while(_says_throttled, call, timeout, interval, sleep)


def _again_while(
    passing: Callable[[ClientError], bool], call: Callable[[], Value], timeout: float, interval: float, sleep: Sleep
) -> Value:
    deadline = time.monotonic() + timeout
    while True:
        try:
            return call()
        except ClientError as refusal:
            if not passing(refusal) or time.monotonic() > deadline:
                raise
        sleep(interval)


def _says_unknown_role(refusal: ClientError) -> bool:
    error = refusal.response["Error"]
    message = error["Message"].lower()
    return error["Code"] in ROLE_CODES and "role" in message and any(words in message for words in ROLE_WORDS)


def _says_throttled(refusal: ClientError) -> bool:
    return refusal.response["Error"]["Code"] in THROTTLED
