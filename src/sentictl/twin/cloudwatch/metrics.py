"""CloudWatch's metrics of endpoints, and of what log lines tell: kept in memory, they begin anew with the twin."""

import copy
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from sentictl.twin.control_plane.control_plane import Call, ControlPlane, naive_utc

SAGEMAKER = "AWS/SageMaker"
READERS = ("GetMetricStatistics", "GetMetricData", "ListMetrics")
SECONDS = 60  # SageMaker sends its metrics once a minute
MOST_VALUES = 20_000  # the last ones of each series, of which alarms are evaluated


@dataclass(frozen=True)
class Series:
    """What the values that are told together have in common: exactly these dimensions, and no others."""

    region: str
    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]


@dataclass
class Minute:
    """The values of one minute of a series, as CloudWatch sums them up."""

    total: float = 0.0
    count: int = 0
    least: float = float("inf")
    most: float = float("-inf")

    def add(self, value: float) -> None:
        """Take in one more value."""
        self.total += value
        self.count += 1
        self.least, self.most = min(self.least, value), max(self.most, value)


@dataclass
class Kept:
    """What is kept of a series: the sum of all values, the last ones with their times, and minutes new to moto."""

    total: float = 0.0
    values: deque[tuple[float, float]] = field(default_factory=lambda: deque(maxlen=MOST_VALUES))
    minutes: dict[int, Minute] = field(default_factory=dict)


class Metrics:
    """Keeps values, tells them to alarms, and hands them by the minute to moto's CloudWatch when somebody asks it."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._kept: dict[Series, Kept] = {}
        for operation in READERS:
            control.before["monitoring", operation] = self._hand_over

    def put(self, region: str, namespace: str, sets: Iterable[Mapping[str, str]], values: Mapping[str, float]) -> None:
        """Note values of several metrics, now.

        Args:
            region: where they are noted.
            namespace: such as `AWS/SageMaker`.
            sets: the sets of dimensions under each of which they are told, by the dimensions' names.
            values: by the metrics' names.
        """
        now = time.time()
        with self._lock:
            for dimensions in sets:
                for metric, value in values.items():
                    series = Series(region, namespace, metric, frozenset(dimensions.items()))
                    kept = self._kept.setdefault(series, Kept())
                    kept.total += value
                    kept.values.append((now, value))
                    kept.minutes.setdefault(int(now) // SECONDS, Minute()).add(value)

    def values(
        self, region: str, namespace: str, metric: str, dimensions: Mapping[str, str], begin: float, end: float
    ) -> list[float]:
        """Return the values of a metric between two times, in seconds since the epoch."""
        with self._lock:
            kept = self._kept.get(Series(region, namespace, metric, frozenset(dimensions.items())), Kept())
            return [value for when, value in kept.values if begin < when <= end]

    def total(self, region: str, namespace: str, metric: str, dimensions: Mapping[str, str]) -> float:
        """Return the sum of all values of a metric since the twin was started."""
        with self._lock:
            kept = self._kept.get(Series(region, namespace, metric, frozenset(dimensions.items())), Kept())
            return kept.total

    def _hand_over(self, call: Call) -> None:
        backend = self._control.backend("cloudwatch", call.region)
        backend.get_metric_statistics = partial(_exact_statistics, backend)
        with self._lock:
            told = {series: kept.minutes for series, kept in self._kept.items() if kept.minutes}
            for kept in self._kept.values():
                kept.minutes = {}
        for series, minutes in told.items():
            data = [_datum(series, number, minute) for number, minute in minutes.items()]
            self._control.backend("cloudwatch", series.region).put_metric_data(series.namespace, data)


def _exact_statistics(backend: Any, *asked: Any, dimensions: list[dict[str, str]], **more: Any) -> Any:
    """Return what moto's GetMetricStatistics does, of the values with these dimensions and no others besides."""
    view = copy.copy(backend)
    view.metric_data = [datum for datum in backend.metric_data if len(datum.dimensions) == len(dimensions)]
    return type(backend).get_metric_statistics(view, *asked, dimensions=dimensions, **more)


def _datum(series: Series, number: int, minute: Minute) -> dict[str, object]:
    return {
        "MetricName": series.metric,
        "Dimensions": [{"Name": name, "Value": value} for name, value in sorted(series.dimensions)],
        "Timestamp": naive_utc(number * SECONDS),
        "StatisticValues": {
            "Sum": minute.total,
            "SampleCount": minute.count,
            "Minimum": minute.least,
            "Maximum": minute.most,
        },
        "Unit": "None",
    }
