"""Waiting for the twin, where all is over in seconds."""

from typing import Any

LONGEST = 0.25  # seconds between two looks; on AWS they grow to ten


def look_often() -> None:
    """From now on what this process waits for is looked at several times a second."""
    from sentictl.aws import waiters

    poll: Any = waiters.poll
    poll.__kwdefaults__["longest"] = LONGEST
