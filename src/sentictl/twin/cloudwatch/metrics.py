"""CloudWatch's metric of endpoints: how often each was invoked. It is kept in memory, and begins anew with the twin."""

import threading
import time
from collections import Counter

from sentictl.twin.control_plane.control_plane import Call, ControlPlane, naive_utc

NAMESPACE = "AWS/SageMaker"
READERS = ("GetMetricStatistics", "GetMetricData", "ListMetrics")
SECONDS = 60  # SageMaker sends its metrics once a minute


class Invocations:
    """Counts invocations by the minute, and hands the counts to moto's CloudWatch when somebody asks it."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._counts: Counter[tuple[str, str, str, int]] = Counter()
        for operation in READERS:
            control.before["monitoring", operation] = self._hand_over

    def count(self, region: str, endpoint: str, variant: str) -> None:
        """Note one invocation, now."""
        with self._lock:
            self._counts[region, endpoint, variant, int(time.time()) // SECONDS] += 1

    def _hand_over(self, _call: Call) -> None:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        for (region, endpoint, variant, minute), count in counts.items():
            datum = {
                "MetricName": "Invocations",
                "Dimensions": [
                    {"Name": "EndpointName", "Value": endpoint},
                    {"Name": "VariantName", "Value": variant},
                ],
                "Timestamp": naive_utc(minute * SECONDS),
                "StatisticValues": {"Sum": count, "SampleCount": count, "Minimum": 1, "Maximum": 1},
                "Unit": "None",
            }
            self._control.backend("cloudwatch", region).put_metric_data(NAMESPACE, [datum])
