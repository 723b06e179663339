"""CloudWatch's alarms: what moto keeps, evaluated on the twin's metrics once a minute and whenever somebody asks.

One whose state changes tells the topics that it names. Known are alarms on one metric, and those on the parts of metric
math that a project's own alarms use. As on AWS, a period without data counts as the alarm says:
https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/alarm-evaluation.html

But a period that began before the twin did, whose metrics begin with it, is not known to have been without data.
"""

import logging
import re
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.cloudwatch.metrics import PERCENTILE, Metrics, percentile
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.clock import shortened, steady_seconds
from sentictl.twin.sns.topics import Topics

logger = logging.getLogger("sentictl.twin")

ALARM, OK, INSUFFICIENT = "ALARM", "OK", "INSUFFICIENT_DATA"
SERVICE = "cloudwatch.amazonaws.com"
LONG = 86_400.0  # seconds, after which data that do not come are a fact of their own
EVERY = 60.0  # seconds between two evaluations
CONDITION = re.compile(r"IF\((\w+) >= ([0-9.]+), (.+)\)")
FILLED = re.compile(r"FILL\((\w+), ([0-9.]+)\)")
DISTANCE = re.compile(r"ABS\((\w+) - (\w+|[0-9.]+)\)")
NUMBER = re.compile(r"[0-9]+(\.[0-9]+)?")
STATISTICS: Mapping[str, Callable[[Sequence[float]], float]] = {
    "Average": lambda values: sum(values) / len(values),
    "Sum": sum,
    "Minimum": min,
    "Maximum": max,
    "SampleCount": len,
}
COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "GreaterThanThreshold": lambda value, threshold: value > threshold,
    "GreaterThanOrEqualToThreshold": lambda value, threshold: value >= threshold,
    "LessThanThreshold": lambda value, threshold: value < threshold,
    "LessThanOrEqualToThreshold": lambda value, threshold: value <= threshold,
}


class Alarms:
    """The alarms of all regions."""

    def __init__(self, control: ControlPlane, metrics: Metrics, logs: LogStreams, topics: Topics) -> None:
        self._control = control
        self._metrics = metrics
        self._logs = logs
        self._topics = topics
        self._begun = steady_seconds()
        self._known: dict[tuple[str, str], Any] = {}
        control.before["monitoring", "DescribeAlarms"] = self._describe
        control.after["monitoring", "PutMetricAlarm"] = self._put
        control.after["monitoring", "DeleteAlarms"] = self._deleted

    def start(self) -> None:
        """Evaluate all alarms from now on, again and again."""
        threading.Thread(target=self._run, daemon=True).start()

    def _run(self) -> None:
        while True:
            time.sleep(shortened(EVERY))
            with self._control.lock:
                for region in self._control.regions("monitoring"):
                    self._evaluate(region)

    def states(self, region: str, names: Sequence[str]) -> dict[str, str]:
        """Return the states of alarms as they are now, without those that are not there."""
        with self._control.lock:
            self._evaluate(region)
            alarms = self._control.backend("cloudwatch", region).alarms
            return {name: alarms[name].state_value for name in names if name in alarms}

    def _describe(self, call: Call) -> None:
        self._evaluate(call.region)

    def _put(self, call: Call) -> None:
        """A new alarm has no state yet, and one that is changed keeps its own; moto says of each that it is OK."""
        for name, alarm in self._control.backend("cloudwatch", call.region).alarms.items():
            known = self._known.get((call.region, name))
            if known is not alarm:
                alarm.state_value = known.state_value if known else INSUFFICIENT
            self._known[call.region, name] = alarm

    def _deleted(self, call: Call) -> None:
        """Forget the tags of what is gone, which moto keeps."""
        backend = self._control.backend("cloudwatch", call.region)
        gone = [key for key in self._known if key[0] == call.region and key[1] not in backend.alarms]
        for key in gone:
            backend.tagger.delete_all_tags_for_resource(self._known.pop(key).alarm_arn)

    def _evaluate(self, region: str) -> None:
        self._logs.flush()
        for alarm in self._control.backend("cloudwatch", region).alarms.values():
            state, why = self._state(region, alarm)
            if state != alarm.state_value:
                before = alarm.state_value
                alarm.update_state(why, "{}", state)
                self._tell(region, alarm, before)

    def _tell(self, region: str, alarm: Any, before: str) -> None:
        """Tell the topics that an alarm names for its new state."""
        actions = {ALARM: alarm.alarm_actions, OK: alarm.ok_actions}.get(alarm.state_value, [])
        subject = f'{alarm.state_value}: "{alarm.name}" in {region}'
        lines = [
            alarm.description or "",
            "",
            f"Alarm:  {alarm.name}",
            f"State:  {before} -> {alarm.state_value}",
            f"Reason: {alarm.state_reason}",
            f"Time:   {time.strftime('%A %d %B, %Y %H:%M:%S UTC', time.gmtime())}",
        ]
        for action in actions if alarm.actions_enabled else ():
            if not self._topics.publish(action, SERVICE, alarm.alarm_arn, subject, "\n".join(lines)):
                logger.warning("alarm %s: %s is no topic that lets CloudWatch publish", alarm.name, action)

    def _state(self, region: str, alarm: Any) -> tuple[str, str]:
        """Return an alarm's state, and why it is that."""
        period = shortened(_period(alarm))
        now = time.time()
        count = int(alarm.evaluation_periods)
        ends = [now - number * period for number in range(count)]
        age = steady_seconds() - self._begun
        known = [age >= number * period or not _awaited(alarm) for number in range(1, count + 1)]
        values = [
            self._value(region, alarm, end - period, end, fills=sure) for end, sure in zip(ends, known, strict=True)
        ]
        points = [
            _breaches(alarm, value) if value is not None or sure else None
            for value, sure in zip(values, known, strict=True)
        ]
        if all(point is None for point in points):
            kept = alarm.treat_missing_data == "ignore"
            return (alarm.state_value, alarm.state_reason) if kept else (INSUFFICIENT, "Unchecked: no data")
        needed = int(alarm.datapoints_to_alarm or count)
        breaching = [value for value, point in zip(values, points, strict=True) if point]
        if len(breaching) < needed:
            return OK, f"Threshold not crossed: {len(breaching)} of {count} datapoints, {needed} are needed"
        told = ", ".join("no data" if value is None else f"{value:g}" for value in breaching)
        return ALARM, f"Threshold crossed: {len(breaching)} datapoints [{told}] against {float(alarm.threshold):g}"

    def _value(self, region: str, alarm: Any, begin: float, end: float, *, fills: bool) -> float | None:
        """Return what an alarm compares, of the values between two times; None where there are too few for it.

        Where it `fills`, what an expression has for missing values stands for them.
        """
        if not alarm.metric_data_queries:
            statistic = alarm.extended_statistic or alarm.statistic
            return self._measure(region, alarm.namespace, alarm.metric_name, alarm.dimensions, statistic, begin, end)
        measured: dict[str, float | None] = {}
        for query in alarm.metric_data_queries:
            if query.metric_stat:
                of = query.metric_stat.metric
                measured[query.id] = self._measure(
                    region, of.namespace, of.metric_name, of.dimensions, query.metric_stat.stat, begin, end
                )
        (expression,) = (query.expression for query in alarm.metric_data_queries if query.expression)
        filled = FILLED.fullmatch(expression)
        if filled is None:
            return _calculate(expression, measured)
        instead = float(filled[2]) if fills else None
        found = _calculate(filled[1], measured)
        return instead if found is None else found

    def _measure(
        self,
        region: str,
        namespace: str,
        metric: str,
        dimensions: Sequence[Any],
        statistic: str,
        begin: float,
        end: float,
    ) -> float | None:
        named = {dimension.name: dimension.value for dimension in dimensions}
        values = self._metrics.values(region, namespace, metric, named, begin, end)
        if not values:
            return None
        found = PERCENTILE.fullmatch(statistic)
        return percentile(values, float(found[1])) if found else float(STATISTICS[statistic](values))


def _awaited(alarm: Any) -> bool:
    """Tell whether an alarm waits for days for data that do not come."""
    return alarm.treat_missing_data == "breaching" and int(alarm.evaluation_periods) * _period(alarm) >= LONG


def _period(alarm: Any) -> float:
    statistics = [query.metric_stat for query in alarm.metric_data_queries if query.metric_stat]
    return float(statistics[0].period if statistics else alarm.period)


def _breaches(alarm: Any, value: float | None) -> bool | None:
    """Return whether a period's value goes over an alarm's threshold; None where there is nothing to be said."""
    if value is not None:
        return COMPARISONS[alarm.comparison_operator](value, float(alarm.threshold))
    return {"breaching": True, "notBreaching": False}.get(alarm.treat_missing_data or "missing")


def _calculate(expression: str, measured: Mapping[str, float | None]) -> float | None:
    """Return the value of an expression of metric math; None where a metric in it has none, or it is not known here."""
    if expression in measured:
        return measured[expression]
    if condition := CONDITION.fullmatch(expression):
        compared = measured.get(condition[1])
        return _calculate(condition[3], measured) if compared is not None and compared >= float(condition[2]) else None
    if distance := DISTANCE.fullmatch(expression):
        one, other = (_calculate(side, measured) for side in distance.groups())
        return None if one is None or other is None else abs(one - other)
    return float(expression) if NUMBER.fullmatch(expression) else None
