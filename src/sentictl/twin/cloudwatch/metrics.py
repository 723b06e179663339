"""CloudWatch's metrics of endpoints, and of what log lines tell: kept in memory, they begin anew with the twin."""

import math
import re
import threading
import time
from array import array
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

from moto.cloudwatch.models import Statistics
from moto.cloudwatch.responses import CloudWatchResponse

from sentictl.twin.control_plane.control_plane import Call, ControlPlane, naive_utc, seconds

SAGEMAKER = "AWS/SageMaker"
API_GATEWAY = "AWS/ApiGateway"
LAMBDA = "AWS/Lambda"
READERS = ("GetMetricStatistics", "GetMetricData", "ListMetrics")
PERCENTILE = re.compile(r"p(\d+(?:\.\d+)?)")
SECONDS = 60  # SageMaker sends its metrics once a minute
MOST_VALUES = 20_000  # the last ones of each series, of which alarms are evaluated


@dataclass(frozen=True)
class Series:
    """What the values that are told together have in common: exactly these dimensions, and no others."""

    region: str
    namespace: str
    metric: str
    dimensions: frozenset[tuple[str, str]]


@dataclass(slots=True)
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


class LastValues:
    """The last values of a series with their times, in 16 bytes each: there may be many of many series."""

    def __init__(self) -> None:
        self._times, self._values = array("d"), array("d")
        self._next = 0  # place, once all are taken

    def __iter__(self) -> Iterator[tuple[float, float]]:
        """Yield each value after its time, in seconds since the epoch, oldest first."""
        for place in (*range(self._next, len(self._times)), *range(self._next)):
            yield self._times[place], self._values[place]

    def add(self, when: float, value: float) -> None:
        """Take in one more, in the place of the oldest where there are `MOST_VALUES`."""
        if len(self._times) < MOST_VALUES:
            self._times.append(when)
            self._values.append(value)
            return
        self._times[self._next], self._values[self._next] = when, value
        self._next = (self._next + 1) % MOST_VALUES


@dataclass
class Kept:
    """What is kept of a series: the sum of all values, the last ones with their times, and minutes new to moto."""

    total: float = 0.0
    values: LastValues = field(default_factory=LastValues)
    minutes: dict[int, Minute] = field(default_factory=dict)


class Metrics:
    """Keeps values, tells them to alarms, and hands them by the minute to moto's CloudWatch when somebody asks it."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._lock = threading.Lock()
        self._kept: dict[Series, Kept] = {}
        response: Any = CloudWatchResponse
        if response.get_metric_statistics is not _asking:
            _of_moto["get_metric_statistics"] = response.get_metric_statistics
            response.get_metric_statistics = _asking
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
                    kept.values.add(now, value)
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

    def _statistics(
        self,
        backend: Any,
        region: str,
        namespace: str,
        metric: str,
        begin: Any,
        end: Any,
        period: int,
        names: list[str],
        dimensions: list[dict[str, str]],
        **_unit: Any,
    ) -> list[Any]:
        """Return what GetMetricStatistics tells: of exactly these dimensions, in periods from the asked beginning on.

        Percentiles are of the last values alone, all else is of what moto has, too.
        """
        named = {dimension["Name"]: dimension["Value"] for dimension in dimensions}
        data: dict[int, list[Any]] = {}
        for datum in backend.metric_data:
            told = (datum.namespace, datum.name, {each.name: each.value for each in datum.dimensions})
            if told == (namespace, metric, named) and begin <= datum.timestamp < end:
                data.setdefault(int((datum.timestamp - begin).total_seconds()) // period, []).append(datum)
        found = []
        for number, members in sorted(data.items()):
            when = begin + number * timedelta(seconds=period)
            statistics: Any = Statistics(names, when, members[0].unit)
            statistics.metric_data = members
            since = seconds(when) or 0.0
            values = self.values(region, namespace, metric, named, since, since + period)
            asked = backend.percentiles if values else []
            statistics.extended_statistics = {each: percentile(values, float(each[1:])) for each in asked} or None
            found.append(statistics)
        return found

    def _hand_over(self, call: Call) -> None:
        backend = self._control.backend("cloudwatch", call.region)
        backend.get_metric_statistics = partial(self._statistics, backend, call.region)
        with self._lock:
            told = {series: kept.minutes for series, kept in self._kept.items() if kept.minutes}
            for kept in self._kept.values():
                kept.minutes = {}
        for series, minutes in told.items():
            data = [_datum(series, number, minute) for number, minute in minutes.items()]
            self._control.backend("cloudwatch", series.region).put_metric_data(series.namespace, data)


def percentile(values: Sequence[float], percent: float) -> float:
    """Return the value that so many percent of the values do not exceed (nearest rank)."""
    place = math.ceil(len(values) * percent / 100)
    return sorted(values)[max(place, 1) - 1]


def _asking(response: Any) -> Any:
    """Answer GetMetricStatistics as moto does, which passes no percentiles on."""
    response.cloudwatch_backend.percentiles = response._get_param("ExtendedStatistics") or []
    return _of_moto["get_metric_statistics"](response)


_of_moto: dict[str, Any] = {}  # its own method


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
