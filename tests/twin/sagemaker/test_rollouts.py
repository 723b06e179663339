"""UpdateEndpoint with a DeploymentConfig: traffic shifted in steps, watched by alarms, and rolled back."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from sentictl.twin.core.clock import SPEED_VARIABLE
from sentictl.twin.sagemaker.rollouts import DeploymentRefusedError, rollout
from tests.twin.autoscaling.test_autoscaler import counts
from tests.twin.autoscaling.test_targets import register
from tests.twin.conftest import INFERENCE, Cloud, wait_for

FAILING = {"code/inference.py": INFERENCE.replace('if body == b"raise"', "if True")}
SPEED = 600  # a minute takes a tenth of a second


def routing(kind: str, wait: int = 0, **sizes: int) -> dict[str, Any]:
    """A traffic routing configuration whose sizes are in percent of the instances."""
    members = {name: {"Type": "CAPACITY_PERCENT", "Value": value} for name, value in sizes.items()}
    return {"Type": kind, "WaitIntervalInSeconds": wait, **members}


def blue_green(traffic: dict[str, Any], *alarms: str, **policy: int) -> dict[str, Any]:
    deployment: dict[str, Any] = {"BlueGreenUpdatePolicy": {"TrafficRoutingConfiguration": traffic, **policy}}
    if alarms:
        deployment["AutoRollbackConfiguration"] = {"Alarms": [{"AlarmName": name} for name in alarms]}
    return deployment


@pytest.mark.parametrize(
    ("traffic", "instances", "shares"),
    [
        (routing("ALL_AT_ONCE"), 1, (1.0,)),
        (routing("CANARY", CanarySize=25), 4, (0.25, 1.0)),
        (routing("CANARY", CanarySize=10), 2, (0.5, 1.0)),
        (routing("LINEAR", LinearStepSize=25), 4, (0.25, 0.5, 0.75, 1.0)),
        (routing("LINEAR", LinearStepSize=40), 5, (0.4, 0.8, 1.0)),
        (routing("LINEAR", LinearStepSize=34), 3, pytest.approx((1 / 3, 2 / 3, 1.0))),
    ],
)
def test_steps_are_of_whole_instances(traffic: dict[str, Any], instances: int, shares: tuple[float, ...]) -> None:
    assert rollout(blue_green(traffic), instances).shares == shares


@pytest.mark.parametrize(
    ("deployment", "why"),
    [
        (blue_green(routing("CANARY")), "CanarySize must be specified"),
        (blue_green(routing("CANARY", CanarySize=51)), "between 1 and 50 percent"),
        (blue_green(routing("LINEAR", LinearStepSize=9)), "between 10 and 50 percent"),
        (blue_green(routing("LINEAR", CanarySize=20)), "cannot be specified with"),
        (blue_green(routing("ALL_AT_ONCE", wait=3601)), "WaitIntervalInSeconds must be between 0 and 3600"),
        (blue_green(routing("ALL_AT_ONCE"), MaximumExecutionTimeoutInSeconds=599), "between 600 and 28800"),
        (
            blue_green(routing("CANARY", wait=600, CanarySize=20), MaximumExecutionTimeoutInSeconds=1200),
            "larger than the total waiting time",
        ),
        (blue_green(routing("ALL_AT_ONCE"), *map(str, range(11))), "1 to 10 alarms"),
        (
            {
                **blue_green(routing("ALL_AT_ONCE")),
                "RollingUpdatePolicy": {
                    "MaximumBatchSize": {"Type": "INSTANCE_COUNT", "Value": 1},
                    "WaitIntervalInSeconds": 0,
                },
            },
            "Only one of",
        ),
    ],
)
def test_what_aws_allows_in_no_deployment(deployment: dict[str, Any], why: str) -> None:
    with pytest.raises(DeploymentRefusedError, match=why):
        rollout(deployment, 2)


def start(home: Path) -> Cloud:
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv(SPEED_VARIABLE, str(SPEED))
        daemon.start(home)
    return Cloud(daemon.access(home))


@pytest.fixture(scope="module")
def hasty_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("hasty") / "local"
    yield home
    daemon.destroy(home)


@pytest.fixture(scope="module")
def hasty(hasty_home: Path) -> Cloud:
    """A twin in which a minute takes a tenth of a second."""
    return start(hasty_home)


@pytest.fixture
def endpoint(hasty: Cloud) -> str:
    """An endpoint of two instances, in service."""
    name = hasty.endpoint(hasty.endpoint_config(instances=2))
    assert hasty.settled(name)["EndpointStatus"] == "InService"
    return name


def alarm_on(cloud: Cloud, endpoint: str, **changes: Any) -> str:
    """An alarm that goes off when one request in ten fails."""
    name = cloud.name("alarm")
    dimensions = {"EndpointName": endpoint, "VariantName": "AllTraffic"}
    request = {
        "Namespace": "AWS/SageMaker",
        "MetricName": "Invocation5XXErrors",
        "Dimensions": [{"Name": key, "Value": value} for key, value in dimensions.items()],
        "Statistic": "Average",
        "Period": 60,
        "EvaluationPeriods": 1,
        "Threshold": 0.1,
        "ComparisonOperator": "GreaterThanThreshold",
        "TreatMissingData": "notBreaching",
    }
    cloud.cloudwatch.put_metric_alarm(AlarmName=name, **{**request, **changes})
    return name


def update(cloud: Cloud, endpoint: str, config: str, deployment: dict[str, Any]) -> None:
    cloud.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config, DeploymentConfig=deployment)


def described(cloud: Cloud, endpoint: str) -> dict[str, Any]:
    found: dict[str, Any] = cloud.sagemaker.describe_endpoint(EndpointName=endpoint)
    return found


@contextmanager
def visitors(cloud: Cloud, endpoint: str) -> Iterator[list[str]]:
    """Ask an endpoint all the time. Yields the models that answered, or why none did."""
    answers: list[str] = []
    over = threading.Event()

    def ask() -> None:
        while not over.is_set():
            try:
                answers.append(cloud.ask(endpoint)["model"])
            except ClientError as problem:
                answers.append(f"failed: {problem}")

    asking = threading.Thread(target=ask)
    asking.start()
    try:
        yield answers
    finally:
        over.set()
        asking.join()


def test_what_scales_does_not_while_a_rollout_is_on_its_way_and_keeps_its_number(hasty: Cloud, endpoint: str) -> None:
    register(hasty, endpoint)
    retained = {"EndpointName": endpoint, "RetainAllVariantProperties": True}
    canary = blue_green(routing("CANARY", wait=600, CanarySize=50))
    one = hasty.endpoint_config(instances=1, WORD="two")
    hasty.sagemaker.update_endpoint(**retained, EndpointConfigName=one, DeploymentConfig=canary)
    register(hasty, endpoint, least=3)  # more than there are
    while "PendingDeploymentSummary" in (found := described(hasty, endpoint)):
        (variant,) = found["ProductionVariants"]
        assert (variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]) == (2, 2)
    wait_for(lambda: counts(hasty, endpoint) == (3, 3))
    register(hasty, endpoint, least=1)
    another = hasty.endpoint_config(instances=1, WORD="three")
    hasty.sagemaker.update_endpoint(**retained, EndpointConfigName=another, DeploymentConfig=canary)
    assert hasty.settled(endpoint)["EndpointConfigName"] == another
    assert counts(hasty, endpoint) == (3, 3)


def test_a_linear_rollout_that_passes(hasty: Cloud, endpoint: str) -> None:
    config = hasty.endpoint_config(instances=2, WORD="two")
    deployment = blue_green(routing("LINEAR", wait=600, LinearStepSize=50), alarm_on(hasty, endpoint))
    with visitors(hasty, endpoint) as answers:
        update(hasty, endpoint, config, deployment)
        wait_for(lambda: "two" in answers)
        under_way = described(hasty, endpoint)
        pending = under_way["PendingDeploymentSummary"]
        assert (under_way["EndpointStatus"], pending["EndpointConfigName"]) == ("Updating", config)
        assert pending["ProductionVariants"][0]["VariantStatus"][0]["Status"] == "Baking"
        assert under_way["EndpointConfigName"] != config
        with pytest.raises(ClientError, match="Cannot update in-progress endpoint"):
            update(hasty, endpoint, config, deployment)
        found = hasty.settled(endpoint)
        last = len(answers)
        wait_for(lambda: len(answers) > last + 5)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", config)
    assert found["LastDeploymentConfig"] == deployment
    assert "PendingDeploymentSummary" not in found
    assert set(answers) == {"one", "two"}
    assert set(answers[last + 1 :]) == {"two"}


def test_a_canary_that_an_alarm_rolls_back(hasty: Cloud, endpoint: str) -> None:
    before = described(hasty, endpoint)["EndpointConfigName"]
    alarm = alarm_on(hasty, endpoint)
    config = hasty.endpoint_config(FAILING, instances=2)
    with visitors(hasty, endpoint) as answers:
        update(hasty, endpoint, config, blue_green(routing("CANARY", wait=3600, CanarySize=50), alarm))
        found = hasty.settled(endpoint)
        last = len(answers)
        wait_for(lambda: len(answers) > last + 5)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert alarm in found["FailureReason"]
    assert any("failed" in answer for answer in answers)
    assert set(answers[last + 1 :]) == {"one"}


def test_an_alarm_set_by_hand_rolls_back_and_fails_no_request(hasty: Cloud, endpoint: str) -> None:
    before = described(hasty, endpoint)["EndpointConfigName"]
    abort = alarm_on(hasty, endpoint, MetricName="Nothing", TreatMissingData="ignore")
    config = hasty.endpoint_config(instances=2, WORD="two")
    with visitors(hasty, endpoint) as answers:
        update(hasty, endpoint, config, blue_green(routing("CANARY", wait=3600, CanarySize=50), abort))
        wait_for(lambda: "two" in answers)
        hasty.cloudwatch.set_alarm_state(AlarmName=abort, StateValue="ALARM", StateReason="enough")
        found = hasty.settled(endpoint)
        last = len(answers)
        wait_for(lambda: len(answers) > last + 5)
    assert found["EndpointConfigName"] == before
    assert set(answers) == {"one", "two"}
    assert set(answers[last + 1 :]) == {"one"}


def test_an_alarm_that_has_gone_off_before_ends_it_at_once(hasty: Cloud, endpoint: str) -> None:
    before = described(hasty, endpoint)["EndpointConfigName"]
    alarm = alarm_on(hasty, endpoint, MetricName="Nothing", TreatMissingData="ignore")
    hasty.cloudwatch.set_alarm_state(AlarmName=alarm, StateValue="ALARM", StateReason="of the last time")
    update(hasty, endpoint, hasty.endpoint_config(instances=2), blue_green(routing("ALL_AT_ONCE"), alarm))
    assert hasty.settled(endpoint)["EndpointConfigName"] == before


def test_metrics_are_told_by_endpoint_config(hasty: Cloud, endpoint: str) -> None:
    config = described(hasty, endpoint)["EndpointConfigName"]
    with pytest.raises(ClientError):
        hasty.ask(endpoint, b"raise")
    hasty.ask(endpoint)
    now = datetime.now(UTC)

    def total(metric: str, **dimensions: str) -> float:
        points = hasty.cloudwatch.get_metric_statistics(
            Namespace="AWS/SageMaker",
            MetricName=metric,
            Dimensions=[{"Name": name, "Value": value} for name, value in dimensions.items()],
            StartTime=now - timedelta(hours=1),
            EndTime=now + timedelta(minutes=1),
            Period=3600,
            Statistics=["Sum"],
        )["Datapoints"]
        return float(sum(point["Sum"] for point in points))

    whole = {"EndpointName": endpoint, "VariantName": "AllTraffic"}
    assert total("Invocations", **whole) == 2
    assert total("Invocations", **whole, EndpointConfigName=config) == 2
    assert total("Invocation5XXErrors", **whole, EndpointConfigName=config) == 1
    assert total("Invocations", **whole, EndpointConfigName="another") == 0


def test_what_aws_refuses(hasty: Cloud, endpoint: str) -> None:
    config = hasty.endpoint_config(instances=2)
    for deployment, why in (
        (blue_green(routing("ALL_AT_ONCE"), "unknown"), "Could not find the alarm"),
        (blue_green(routing("CANARY", CanarySize=60)), "between 1 and 50 percent"),
    ):
        with pytest.raises(ClientError, match=why):
            update(hasty, endpoint, config, deployment)
    assert described(hasty, endpoint)["EndpointStatus"] == "InService"


def test_the_execution_role_has_to_see_the_alarms(hasty: Cloud, endpoint: str) -> None:
    config = hasty.endpoint_config(instances=2)
    alarm = alarm_on(hasty, endpoint)
    blind = hasty.role("sagemaker.amazonaws.com", policy={"Effect": "Allow", "Action": "s3:*", "Resource": "*"})
    model = hasty.sagemaker.describe_model(ModelName=config)["PrimaryContainer"]
    other = hasty.name("model")
    hasty.sagemaker.create_model(ModelName=other, ExecutionRoleArn=blind, PrimaryContainer=model)
    (variant,) = hasty.sagemaker.describe_endpoint_config(EndpointConfigName=config)["ProductionVariants"]
    hasty.sagemaker.create_endpoint_config(
        EndpointConfigName=other, ProductionVariants=[{**variant, "ModelName": other}]
    )
    with pytest.raises(ClientError, match="not authorized to perform cloudwatch:DescribeAlarms"):
        update(hasty, endpoint, other, blue_green(routing("ALL_AT_ONCE"), alarm))


def test_a_twin_that_ends_in_the_middle_of_it_goes_back(hasty: Cloud, hasty_home: Path, endpoint: str) -> None:
    before = described(hasty, endpoint)["EndpointConfigName"]
    abort = alarm_on(hasty, endpoint, MetricName="Nothing", TreatMissingData="ignore")
    config = hasty.endpoint_config(instances=2, WORD="two")
    update(hasty, endpoint, config, blue_green(routing("CANARY", wait=3600, CanarySize=50), abort))
    wait_for(lambda: hasty.ask(endpoint)["model"] == "two")
    daemon.stop(hasty_home)
    again = start(hasty_home)
    found = again.settled(endpoint)
    assert (found["EndpointStatus"], found["EndpointConfigName"]) == ("InService", before)
    assert "rolled back" in found["FailureReason"]
    assert again.ask(endpoint)["model"] == "one"
    update(again, endpoint, config, blue_green(routing("ALL_AT_ONCE"), abort))
    assert again.settled(endpoint)["EndpointConfigName"] == config
