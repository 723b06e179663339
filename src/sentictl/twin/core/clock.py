"""How long the twin takes for what lasts minutes on AWS, and how time passes."""

import os
import time

SPEED_VARIABLE = "SENTICTL_TWIN_SPEED"  # how many times quicker than on AWS; 1, if it is not set


def shortened(seconds: float) -> float:
    """Return the seconds that the twin waits where AWS waits so many."""
    return seconds / float(os.environ.get(SPEED_VARIABLE) or 1)


def steady_seconds() -> float:
    """Return seconds that only go forward, however the clock is set, also while the machine sleeps.

    That is CLOCK_BOOTTIME on Linux, and CLOCK_MONOTONIC on macOS, where `time.monotonic` leaves the sleep out.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))
