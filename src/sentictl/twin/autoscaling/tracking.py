"""Target tracking: how many instances a variant should have, by how much each of them had to do lately.

As Application Auto Scaling's user guide has it: capacity is added soon after a metric is above its target, and taken
away only when it has been well below for a while.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

WELL_BELOW = 0.9  # of the target: the threshold of the alarm that AWS makes for scaling in
IN_SECONDS = 15 * 60.0  # for which the metric has to stay below that


@dataclass(frozen=True)
class Metric:
    """A predefined metric.

    Args:
        seconds: between two values of it.
        out_after: how many of them have to be above the target before capacity is added.
    """

    seconds: float
    out_after: int = 3

    @property
    def in_after(self) -> int:
        """How many values have to be below the target before capacity is taken away."""
        return round(IN_SECONDS / self.seconds)


INVOCATIONS = "SageMakerVariantInvocationsPerInstance"
CONCURRENCY = "SageMakerVariantConcurrentRequestsPerModelHighResolution"
METRICS = {INVOCATIONS: Metric(60.0), CONCURRENCY: Metric(10.0)}


def wanted(values: Sequence[float], target: float, count: int, metric: Metric) -> int:
    """Return how many instances there should be.

    Args:
        values: the metric's for each instance, oldest first, all since their number was last changed.
        target: what it should be.
        count: how many instances there are.
        metric: which one it is.
    """
    latest = values[-metric.out_after :]
    if len(latest) == metric.out_after and min(latest) > target:
        return math.ceil(count * latest[-1] / target)
    long = values[-metric.in_after :]
    if len(long) == metric.in_after and max(long) < WELL_BELOW * target:
        return min(count, math.ceil(count * max(long) / target))
    return count
