"""How long the twin takes for what lasts minutes on AWS."""

import os

SPEED_VARIABLE = "SENTICTL_TWIN_SPEED"  # how many times quicker than on AWS; 1, if it is not set


def shortened(seconds: float) -> float:
    """Return the seconds that the twin waits where AWS waits so many."""
    return seconds / float(os.environ.get(SPEED_VARIABLE) or 1)
