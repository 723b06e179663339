"""The figures of the last hours: requests, errors and latency as CloudWatch has them, verdicts as the log has them.

The verdicts are counted in the function's own log lines, which costs nothing beside the log: as metrics of CloudWatch
they would cost $0.30 a month each.
"""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from sentictl.errors import UsageError
from sentictl.lifecycle.resource import Context
from sentictl.services.monitoring.alarms import API, api_dimensions
from sentictl.services.resources.logs import FunctionLogGroup, read_events
from sentictl.services.web.rest_api import api_id

SINCE = timedelta(hours=24)
MINUTE = timedelta(minutes=1)
PERIODS = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 15, 30, 60, 180, 360, 1440))
MOST_BY_DEFAULT = 60  # figures in a row, as a terminal has room for
MOST = 1440  # of a row at all, as one answer of CloudWatch holds
# CloudWatch keeps minutes for 15 days, 5 minutes for 63, and hours for 455:
# https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/cloudwatch_concepts.html
KEPT = ((timedelta(days=15), MINUTE), (timedelta(days=63), 5 * MINUTE), (timedelta(days=455), 60 * MINUTE))
COUNTS = {"requests": "Count", "failed": "5XXError", "refused": "4XXError"}
PERCENTILES = ("p50", "p99")
VERDICTS = ("positive", "negative", "undecided")
VERDICT_LINES = "{ $.positive >= 0 }"
MOST_LINES = 100_000  # of a log that are read, which takes about a minute on AWS

Row = Sequence[float | None]


@dataclass(frozen=True)
class Measurements:
    """The figures of some time, a row of one value for each period, oldest first.

    Args:
        begin: when the first period begins.
        period: how long each is.
        rows: by name: "requests", "failed" (5xx) and "refused" (4xx) are counts; "p50" and "p99" milliseconds, None
            where nobody asked; "positive", "negative" and "undecided" count reviews.
        whole: whether all verdicts were counted; False where there are more log lines than are read.
    """

    begin: datetime
    period: timedelta
    rows: Mapping[str, Row]
    whole: bool = True

    @property
    def end(self) -> datetime:
        return self.begin + self.period * len(self.rows["requests"])

    @property
    def is_empty(self) -> bool:
        """Whether nobody asked. The log knows of a request a minute or two before CloudWatch's metrics do."""
        return not any(map(self.total, ("requests", *VERDICTS)))

    def total(self, name: str) -> float:
        """Return the sum of a row of counts."""
        return sum(value or 0 for value in self.rows[name])

    def share(self, name: str) -> float:
        """Return the share of the requests that failed or were refused, or of the reviews that got a verdict."""
        whole = sum(map(self.total, VERDICTS)) if name in VERDICTS else self.total("requests")
        return self.total(name) / whole if whole else 0.0

    def highest(self, name: str) -> float | None:
        """Return the highest value of a row; None where it has none."""
        return max((value for value in self.rows[name] if value is not None), default=None)

    def usual(self, name: str) -> float | None:
        """Return the mean of a row, each value counted as often as there were requests; None where there were none."""
        pairs = [
            (value, count or 0)
            for value, count in zip(self.rows[name], self.rows["requests"], strict=True)
            if value is not None
        ]
        asked = sum(count for _, count in pairs)
        return sum(value * count for value, count in pairs) / asked if asked else None

    def document(self) -> dict[str, Any]:
        return {
            "begin": self.begin.isoformat(),
            "end": self.end.isoformat(),
            "period_seconds": int(self.period.total_seconds()),
            "totals": {name: round(self.total(name)) for name in ("requests", "failed", "refused", *VERDICTS)},
            "latency_ms": {"p50": self.usual("p50"), "p99_highest": self.highest("p99")},
            "verdicts_whole": self.whole,
            "rows": {name: list(row) for name, row in self.rows.items()},
        }


def measure_traffic(context: Context, since: timedelta, period: timedelta | None) -> Measurements:
    """Return the figures of the last hours.

    Args:
        context: the project and environment.
        since: how far to look back.
        period: of each figure; None for what makes some dozens of them.

    Raises:
        UsageError: CloudWatch has no such figures.
        MissingStepError: there is no API yet.
    """
    api_id(context)
    chosen = period or next((each for each in PERIODS if since / each <= MOST_BY_DEFAULT), PERIODS[-1])
    _check(since, chosen)
    seconds = int(chosen.total_seconds())
    end = datetime.fromtimestamp(math.ceil(datetime.now(UTC).timestamp() / seconds) * seconds, UTC)
    count = math.ceil(since / chosen)
    begin = end - count * chosen
    rows: dict[str, list[float | None]] = {
        **{name: [0.0] * count for name in (*COUNTS, *VERDICTS)},
        **{name: [None] * count for name in PERCENTILES},
    }
    for name, when, value in _figures(context, begin, end, seconds):
        place = (when - begin) // chosen
        if 0 <= place < count:
            rows[name][place] = value
    whole = _count_verdicts(context, rows, begin, end, chosen)
    return Measurements(begin, chosen, rows, whole)


def _check(since: timedelta, period: timedelta) -> None:
    if period < MINUTE or period % MINUTE:
        raise UsageError(f"CloudWatch has no figures of {period}.", "Give whole minutes: --period 5m")
    finest = next((finest for kept, finest in KEPT if since <= kept), None)
    if finest is None:
        raise UsageError("CloudWatch forgets figures after 455 days.", "Look back less far: --since 24h")
    if period % finest:
        told = f"{finest // MINUTE} minutes"
        raise UsageError(
            f"So long ago, CloudWatch has one figure for {told}.", f"Give a multiple: --period {finest // MINUTE}m"
        )
    if period > since or since / period > MOST:
        raise UsageError(
            f"That would be {since / period:g} figures in a row; there are 1 to {MOST:,}.",
            "Give a period in between: sentictl metrics --since 24h --period 5m",
        )


def _figures(context: Context, begin: datetime, end: datetime, seconds: int) -> Iterator[tuple[str, datetime, float]]:
    """Yield each figure that CloudWatch has: its row, when its period begins, and its value."""
    for name, metric in COUNTS.items():
        for point in _points(context, metric, begin, end, seconds, Statistics=["Sum"]):
            yield name, point["Timestamp"], point["Sum"]
    for point in _points(context, "Latency", begin, end, seconds, ExtendedStatistics=list(PERCENTILES)):
        for name in PERCENTILES:
            yield name, point["Timestamp"], point["ExtendedStatistics"][name]


def _points(
    context: Context, metric: str, begin: datetime, end: datetime, seconds: int, **statistics: list[str]
) -> list[dict[str, Any]]:
    points: list[dict[str, Any]] = context.environment.client("cloudwatch").get_metric_statistics(
        Namespace=API,
        MetricName=metric,
        Dimensions=api_dimensions(context),
        StartTime=begin,
        EndTime=end,
        Period=seconds,
        **statistics,
    )["Datapoints"]
    return points


def _count_verdicts(
    context: Context, rows: Mapping[str, list[float | None]], begin: datetime, end: datetime, period: timedelta
) -> bool:
    """Add the verdicts that the function's log tells to the rows. Returns whether the log was read to its end."""
    lines = read_events(context, FunctionLogGroup(context).name, since=begin, until=end, pattern=VERDICT_LINES)
    for read, event in enumerate(lines):
        if read == MOST_LINES:
            return False
        told = _verdicts(event["message"])
        place = (datetime.fromtimestamp(event["timestamp"] / 1000, UTC) - begin) // period
        for name in VERDICTS if told and 0 <= place < len(rows[VERDICTS[0]]) else ():
            rows[name][place] = (rows[name][place] or 0) + told[name]
    return True


def _verdicts(line: str) -> dict[str, float]:
    """Return how many reviews got each verdict, by a line of the log; nothing where it tells of none."""
    try:
        told = json.loads(line)
        return {name: float(told[name]) for name in VERDICTS}
    except (ValueError, RecursionError, KeyError, TypeError):
        return {}
