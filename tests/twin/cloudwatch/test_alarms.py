"""CloudWatch's alarms: their states as AWS would tell them."""

import json
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import pytest

from sentictl.twin.cloudwatch.alarms import Alarms
from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.cloudwatch.metrics import Metrics
from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather
from tests.twin.conftest import Cloud, wait_for

ABOVE = {"EvaluationPeriods": 1, "ComparisonOperator": "GreaterThanThreshold"}
TELLING = """
import json, time
def handle(event, context):
    print(json.dumps({
        "_aws": {"Timestamp": int(time.time() * 1000), "CloudWatchMetrics": [{
            "Namespace": event["namespace"], "Dimensions": [["Endpoint"], ["Endpoint", "Model"]],
            "Metrics": [{"Name": "Probability"}]}]},
        "Endpoint": "e", "Model": event["model"], "Probability": event["value"]}))
    print('{"_aws": "of no such format"}')
"""


def put(cloud: Cloud, **changes: Any) -> str:
    name = cloud.name("alarm")
    request = {"Statistic": "Average", "Period": 60, "Threshold": 0.5, "Dimensions": [], "MetricName": "M", **ABOVE}
    cloud.cloudwatch.put_metric_alarm(AlarmName=name, Namespace="test", **{**request, **changes})
    return name


def state(cloud: Cloud, alarm: str) -> str:
    (found,) = cloud.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"]
    return str(found["StateValue"])


def failing_endpoint(cloud: Cloud) -> str:
    """An endpoint of which two requests in three failed."""
    endpoint = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(endpoint)
    cloud.ask(endpoint)
    for _ in range(2):
        with pytest.raises(cloud.sagemaker_runtime.exceptions.ModelError):
            cloud.ask(endpoint, b"raise")
    return endpoint


def of(endpoint: str) -> list[dict[str, str]]:
    return [{"Name": "EndpointName", "Value": endpoint}, {"Name": "VariantName", "Value": "AllTraffic"}]


@pytest.mark.parametrize(
    ("missing", "expected"),
    [("notBreaching", "OK"), ("breaching", "ALARM"), ("missing", "INSUFFICIENT_DATA"), ("ignore", "INSUFFICIENT_DATA")],
)
def test_without_data_it_is_as_the_alarm_says(cloud: Cloud, missing: str, expected: str) -> None:
    assert state(cloud, put(cloud, TreatMissingData=missing)) == expected


def test_a_state_that_is_set_stays_only_where_missing_data_is_ignored(cloud: Cloud) -> None:
    kept, other = put(cloud, TreatMissingData="ignore"), put(cloud, TreatMissingData="notBreaching")
    for alarm in (kept, other):
        cloud.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="by hand")
    assert (state(cloud, kept), state(cloud, other)) == ("ALARM", "OK")
    cloud.cloudwatch.put_metric_alarm(
        AlarmName=kept, Namespace="test", MetricName="M", Statistic="Sum", Period=60, Threshold=1, **ABOVE
    )
    assert state(cloud, kept) == "INSUFFICIENT_DATA"  # of a changed alarm the state stays until it is evaluated


def test_an_alarm_on_an_endpoints_metrics(cloud: Cloud) -> None:
    endpoint = failing_endpoint(cloud)
    common = {"Namespace": "AWS/SageMaker", "Dimensions": of(endpoint)}

    def alarm(metric: str, threshold: float, **changes: Any) -> str:
        name = cloud.name("alarm")
        request = {"Statistic": "Average", "Period": 300, **ABOVE, **common, **changes}
        if "ExtendedStatistic" in changes:
            del request["Statistic"]
        cloud.cloudwatch.put_metric_alarm(AlarmName=name, MetricName=metric, Threshold=threshold, **request)
        return state(cloud, name)

    assert alarm("Invocation5XXErrors", 0.6) == "ALARM"
    assert alarm("Invocation5XXErrors", 0.7) == "OK"
    assert alarm("Invocations", 2.5, Statistic="Sum") == "ALARM"
    assert alarm("ModelLatency", 1, ExtendedStatistic="p99") == "ALARM"
    assert alarm("ModelLatency", 60e6, ExtendedStatistic="p99") == "OK"
    assert alarm("Invocation5XXErrors", 0.6, EvaluationPeriods=2) == "OK"  # only one of two periods


def query(namespace: str, expression: str, **dimensions: str) -> list[dict[str, Any]]:
    metric = {
        "Namespace": namespace,
        "MetricName": "Probability",
        "Dimensions": [{"Name": name, "Value": value} for name, value in dimensions.items()],
    }
    statistics = {"value": "Average", "requests": "SampleCount"}
    return [
        {"Id": "watched", "Expression": expression, "ReturnData": True},
        *(
            {"Id": name, "MetricStat": {"Metric": metric, "Period": 300, "Stat": statistic}, "ReturnData": False}
            for name, statistic in statistics.items()
        ),
    ]


def test_an_alarm_on_what_a_function_tells_in_its_log(cloud: Cloud) -> None:
    namespace, function = cloud.name("metrics"), cloud.function(TELLING)

    def tell(model: str, value: float) -> None:
        payload: Mapping[str, Any] = {"namespace": namespace, "model": model, "value": value}
        getattr(cloud, "lambda").invoke(FunctionName=function, Payload=json.dumps(payload))

    def alarm(expression: str, **dimensions: str) -> str:
        name = cloud.name("alarm")
        metrics = query(namespace, expression, **dimensions)
        cloud.cloudwatch.put_metric_alarm(
            AlarmName=name, Metrics=metrics, Threshold=0.15, TreatMissingData="notBreaching", **ABOVE
        )
        return name

    far = alarm("IF(requests >= 2, ABS(value - 0.600))", Endpoint="e", Model="new")
    near = alarm("IF(requests >= 2, ABS(value - 0.900))", Endpoint="e", Model="new")
    never = alarm("IF(requests >= 2, ABS(value - value))", Endpoint="e", Model="new")
    both = alarm("IF(requests >= 3, value)", Endpoint="e")
    tell("new", 0.9)
    assert state(cloud, far) == "OK"  # one request says nothing
    tell("new", 0.9)
    tell("old", 0.1)
    wait_for(lambda: state(cloud, far) == "ALARM")
    assert [state(cloud, alarm) for alarm in (near, never, both)] == ["OK", "OK", "ALARM"]


def test_a_deleted_alarm_leaves_no_tags(cloud: Cloud) -> None:
    alarm = put(cloud, Tags=[{"Key": "whose", "Value": "ours"}])
    arn = cloud.cloudwatch.describe_alarms(AlarmNames=[alarm])["MetricAlarms"][0]["AlarmArn"]
    assert cloud.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"]
    cloud.cloudwatch.delete_alarms(AlarmNames=[alarm])
    assert cloud.cloudwatch.list_tags_for_resource(ResourceARN=arn)["Tags"] == []


def test_an_expression_fills_a_period_without_data(cloud: Cloud) -> None:
    metrics = [
        {"Id": "filled", "Expression": "FILL(value, 0)", "ReturnData": True},
        next(each for each in query(cloud.name("metrics"), "", Endpoint="e") if each["Id"] == "value"),
    ]
    name = cloud.name("alarm")
    below = {"Threshold": 1, "ComparisonOperator": "LessThanThreshold", "EvaluationPeriods": 2}
    cloud.cloudwatch.put_metric_alarm(AlarmName=name, Metrics=metrics, TreatMissingData="missing", **below)
    assert state(cloud, name) == "ALARM"


def test_days_without_data_are_known_also_where_the_clock_was_set_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The clock is set back by three days, and then a day and a half go by."""
    day, region = 86_400, "eu-north-1"
    control = ControlPlane(Journal(tmp_path), Weather(tmp_path / "weather"))
    metrics = Metrics(control)
    alarms = Alarms(control, metrics, LogStreams(control, metrics), Mock())
    control.backend("cloudwatch", region).put_metric_alarm(
        name="idle",
        description="",
        namespace="test",
        metric_name="M",
        statistic="Sum",
        period=day,
        evaluation_periods=1,
        comparison_operator="LessThanThreshold",
        threshold=1,
        treat_missing_data="breaching",
        alarm_actions=[],
        dimensions=[],
    )
    assert alarms.states(region, ["idle"]) == {"idle": "INSUFFICIENT_DATA"}
    now, steady = time.time(), time.clock_gettime
    monkeypatch.setattr(time, "time", lambda: now - 1.5 * day)
    monkeypatch.setattr(time, "clock_gettime", lambda clock: steady(clock) + 1.5 * day)
    assert alarms.states(region, ["idle"]) == {"idle": "ALARM"}
    control.journal.close()
