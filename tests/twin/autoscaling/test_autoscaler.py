"""An endpoint that scales: more instances under load, fewer without, as the twin's clock has it."""

from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from sentictl.twin.core.clock import SPEED_VARIABLE
from tests.twin.autoscaling.test_targets import METRIC, place, put, register
from tests.twin.conftest import Cloud, wait_for

MINUTES_A_SECOND = 8  # so that a minute of AWS's is long enough for some requests on a busy machine


def counts(cloud: Cloud, endpoint: str) -> tuple[int, int]:
    (variant,) = cloud.sagemaker.describe_endpoint(EndpointName=endpoint)["ProductionVariants"]
    return variant["CurrentInstanceCount"], variant["DesiredInstanceCount"]


def under_load(cloud: Cloud, endpoint: str, goal: int) -> bool:
    for _ in range(5):
        assert cloud.ask(endpoint)["model"] == "one"
    return counts(cloud, endpoint) == (goal, goal)


def test_instances_come_with_the_load_stay_over_a_restart_and_go_without_it(
    own_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(SPEED_VARIABLE, str(60 * MINUTES_A_SECOND))
    daemon.start(own_home)
    cloud = Cloud(daemon.access(own_home))
    name = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(name)
    register(cloud, name, most=2)
    tracking: dict[str, Any] = {
        "TargetValue": 1.0,
        "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC},
        "ScaleOutCooldown": 60,
        "DisableScaleIn": True,
    }
    put(cloud, name, TargetTrackingScalingPolicyConfiguration=tracking)
    wait_for(lambda: under_load(cloud, name, 2))
    assert len(set(cloud.lines(f"/aws/sagemaker/Endpoints/{name}"))) >= 1
    activities = cloud.application_autoscaling.describe_scaling_activities(**place(name))["ScalingActivities"]
    assert activities[0]["Description"] == "Setting desired instance count to 2."
    assert activities[0]["StatusCode"] == "Successful"
    daemon.stop(own_home)
    daemon.start(own_home)
    again = Cloud(daemon.access(own_home))
    assert again.ask(name)["model"] == "one"
    assert counts(again, name) == (2, 2)
    put(again, name, TargetTrackingScalingPolicyConfiguration=tracking | {"DisableScaleIn": False})
    wait_for(lambda: counts(again, name) == (1, 1))
    assert len(again.application_autoscaling.describe_scaling_activities(**place(name))["ScalingActivities"]) == 2
    register(again, name, least=2)
    wait_for(lambda: counts(again, name) == (2, 2))  # below the minimum
    with pytest.raises(ClientError, match="must be deregistered"):
        again.sagemaker.update_endpoint(EndpointName=name, EndpointConfigName=larger(again))


def larger(cloud: Cloud) -> str:
    name = cloud.endpoint_config()
    (variant,) = cloud.sagemaker.describe_endpoint_config(EndpointConfigName=name)["ProductionVariants"]
    other = cloud.name("larger")
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName=other, ProductionVariants=[variant | {"InstanceType": "ml.m5.xlarge"}]
    )
    return other
