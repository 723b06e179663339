"""CloudWatch's figures of endpoints and functions."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

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
