"""CloudWatch's figures of endpoints and functions."""

import tracemalloc
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sentictl.twin.cloudwatch.metrics import MOST_VALUES, Metrics
from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather
from tests.twin.conftest import Cloud


def stat(endpoint: str) -> dict[str, Any]:
    dimensions = [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]
    return {"Namespace": "AWS/SageMaker", "MetricName": "Invocations", "Dimensions": dimensions}


def span(days: int) -> dict[str, Any]:
    now = datetime.now(UTC)
    return {"StartTime": now - timedelta(days=days), "EndTime": now + timedelta(minutes=1)}


@pytest.mark.parametrize("period", [3600, 86400])
def test_invocations_are_counted(cloud: Cloud, period: int) -> None:
    endpoint, idle = (cloud.endpoint(cloud.endpoint_config()) for _ in range(2))
    cloud.settled(endpoint)
    for _ in range(3):
        cloud.ask(endpoint)
    arguments = {"Period": period, "Statistics": ["Sum"], **span(7)}
    found = cloud.cloudwatch.get_metric_statistics(**stat(endpoint), **arguments)["Datapoints"]
    assert sum(point["Sum"] for point in found) == 3
    cloud.ask(endpoint)
    query = {"Id": "asked", "MetricStat": {"Metric": stat(endpoint), "Period": period, "Stat": "Sum"}}
    (answer,) = cloud.cloudwatch.get_metric_data(MetricDataQueries=[query], **span(2))["MetricDataResults"]
    assert sum(answer["Values"]) == 4
    assert cloud.cloudwatch.get_metric_statistics(**stat(idle), **arguments)["Datapoints"] == []


def test_a_functions_runs_errors_and_times_are_told(cloud: Cloud) -> None:
    function = cloud.function("def handle(event, context):\n    return 1 / event\n")
    for divisor in (b"1", b"0", b"2"):
        getattr(cloud, "lambda").invoke(FunctionName=function, Payload=divisor)
    of = [{"Name": "FunctionName", "Value": function.rpartition(":")[2]}]

    def points(metric: str, **asked: list[str]) -> list[dict[str, Any]]:
        stat = {"Namespace": "AWS/Lambda", "MetricName": metric, "Dimensions": of, "Period": 86_400, **span(1)}
        told: list[dict[str, Any]] = cloud.cloudwatch.get_metric_statistics(**stat, **asked)["Datapoints"]
        return told

    sums = {name: points(name, Statistics=["Sum"])[0]["Sum"] for name in ("Invocations", "Errors", "Throttles")}
    assert sums == {"Invocations": 3, "Errors": 1, "Throttles": 0}
    (point,) = points("Duration", ExtendedStatistics=["p50", "p99"])
    assert 0 < point["ExtendedStatistics"]["p50"] <= point["ExtendedStatistics"]["p99"]


def test_the_last_values_are_kept_in_few_bytes_each(tmp_path: Path) -> None:
    journal = Journal(tmp_path)
    metrics, of = Metrics(ControlPlane(journal, Weather(tmp_path / "weather"))), {"Endpoint": "e"}
    tracemalloc.start()
    for number in range(MOST_VALUES + 5):
        metrics.put("us-east-1", "N", [of], {"M": number / 2})
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    journal.close()
    found = metrics.values("us-east-1", "N", "M", of, 0.0, float("inf"))
    assert found == [number / 2 for number in range(5, MOST_VALUES + 5)]
    assert held < 25 * MOST_VALUES
