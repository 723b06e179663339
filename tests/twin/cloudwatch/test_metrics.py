"""CloudWatch's count of an endpoint's invocations."""

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
