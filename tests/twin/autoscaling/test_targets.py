"""Application Auto Scaling's API on the twin: what is registered, what is refused, and what ends with the endpoint."""

import json
import time
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.conftest import Cloud, code_of, wait_for

DIMENSION = "sagemaker:variant:DesiredInstanceCount"
METRIC = "SageMakerVariantInvocationsPerInstance"


@pytest.fixture(scope="module")
def endpoint(cloud: Cloud) -> str:
    name = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(name)
    return name


def place(endpoint: str) -> dict[str, str]:
    resource = f"endpoint/{endpoint}/variant/AllTraffic"
    return {"ServiceNamespace": "sagemaker", "ResourceId": resource, "ScalableDimension": DIMENSION}


def register(cloud: Cloud, endpoint: str, least: int = 1, most: int = 3, **changes: Any) -> str:
    wanted = {**place(endpoint), "MinCapacity": least, "MaxCapacity": most, **changes}
    arn: str = cloud.application_autoscaling.register_scalable_target(**wanted)["ScalableTargetARN"]
    return arn


def put(cloud: Cloud, endpoint: str, **changes: Any) -> None:
    tracking = {"TargetValue": 100.0, "PredefinedMetricSpecification": {"PredefinedMetricType": METRIC}}
    wanted = {
        "PolicyName": "ours",
        "PolicyType": "TargetTrackingScaling",
        "TargetTrackingScalingPolicyConfiguration": tracking,
    }
    cloud.application_autoscaling.put_scaling_policy(**place(endpoint), **wanted | changes)


def registered(cloud: Cloud, endpoint: str) -> list[dict[str, Any]]:
    found = cloud.application_autoscaling.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[place(endpoint)["ResourceId"]]
    )
    targets: list[dict[str, Any]] = found["ScalableTargets"]
    return targets


def test_a_variant_is_registered_changed_tagged_and_taken_out_again(cloud: Cloud, endpoint: str) -> None:
    client = cloud.application_autoscaling
    arn = register(cloud, endpoint, Tags={"of": "ours"})
    assert register(cloud, endpoint, most=2) == arn
    (target,) = registered(cloud, endpoint)
    assert (target["MinCapacity"], target["MaxCapacity"], target["ScalableTargetARN"]) == (1, 2, arn)
    client.tag_resource(ResourceARN=arn, Tags={"more": "x"})
    client.untag_resource(ResourceARN=arn, TagKeys=["of"])
    assert client.list_tags_for_resource(ResourceARN=arn)["Tags"] == {"more": "x"}
    put(cloud, endpoint)
    (policy,) = client.describe_scaling_policies(**place(endpoint))["ScalingPolicies"]
    assert policy["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 100
    client.delete_scaling_policy(**place(endpoint), PolicyName="ours")
    assert code_of(client.delete_scaling_policy, **place(endpoint), PolicyName="ours") == "ObjectNotFoundException"
    client.deregister_scalable_target(**place(endpoint))
    assert registered(cloud, endpoint) == []
    assert code_of(client.deregister_scalable_target, **place(endpoint)) == "ObjectNotFoundException"
    assert code_of(client.list_tags_for_resource, ResourceARN=arn) == "ResourceNotFoundException"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"MinCapacity": 0}, "less than the minimum of 1"),
        ({"MinCapacity": 4}, "Maximum capacity cannot be less than minimum capacity"),
        ({"ResourceId": "endpoint/unknown/variant/AllTraffic"}, "Could not find endpoint"),
        ({"ResourceId": "table/films"}, "Unsupported service namespace, resource type or scalable dimension"),
        ({"ScalableDimension": "sagemaker:variant:DesiredProvisionedConcurrency"}, "Unsupported"),
    ],
)
def test_what_cannot_scale_so_is_refused(cloud: Cloud, endpoint: str, changes: dict[str, Any], message: str) -> None:
    with pytest.raises(ClientError, match=f"ValidationException.*{message}"):
        register(cloud, endpoint, **changes)
    assert registered(cloud, endpoint) == []


def test_an_unknown_variant_and_half_a_capacity_are_refused(cloud: Cloud, endpoint: str) -> None:
    client = cloud.application_autoscaling
    other = place(endpoint) | {"ResourceId": f"endpoint/{endpoint}/variant/Other"}
    assert code_of(client.register_scalable_target, **other, MinCapacity=1, MaxCapacity=2) == "ValidationException"
    assert code_of(client.register_scalable_target, **place(endpoint), MinCapacity=1) == "ValidationException"


def test_a_policy_needs_a_target_a_known_metric_and_a_value(cloud: Cloud, endpoint: str) -> None:
    with pytest.raises(ClientError, match=r"ObjectNotFoundException.*No scalable target registered"):
        put(cloud, endpoint)
    register(cloud, endpoint)
    metric = {"PredefinedMetricSpecification": {"PredefinedMetricType": METRIC}}
    for tracking in (
        {
            "TargetValue": 1.0,
            "PredefinedMetricSpecification": {"PredefinedMetricType": "ECSServiceAverageCPUUtilization"},
        },
        {"TargetValue": 0.0, **metric},
    ):
        with pytest.raises(ClientError, match="ValidationException"):
            put(cloud, endpoint, TargetTrackingScalingPolicyConfiguration=tracking)
    with pytest.raises(ClientError, match="TargetTrackingScaling alone"):
        put(cloud, endpoint, PolicyType="StepScaling")
    cloud.application_autoscaling.deregister_scalable_target(**place(endpoint))


def test_the_instances_of_what_is_registered_stay_of_their_type(cloud: Cloud, endpoint: str) -> None:
    register(cloud, endpoint)
    (before,) = cloud.sagemaker.describe_endpoint_config(
        EndpointConfigName=cloud.settled(endpoint)["EndpointConfigName"]
    )["ProductionVariants"]
    configs = {}
    for name, change in {"larger": {"InstanceType": "ml.m5.xlarge"}, "same": {}}.items():
        configs[name] = cloud.name(name)
        cloud.sagemaker.create_endpoint_config(EndpointConfigName=configs[name], ProductionVariants=[before | change])
    with pytest.raises(ClientError, match="must be deregistered as scalable targets"):
        cloud.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs["larger"])
    cloud.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs["same"])
    assert cloud.settled(endpoint)["EndpointConfigName"] == configs["same"]
    cloud.application_autoscaling.deregister_scalable_target(**place(endpoint))
    cloud.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=configs["larger"])
    assert cloud.settled(endpoint)["EndpointConfigName"] == configs["larger"]


def test_a_schedule_deletes_what_scales_only_in_a_role_that_may_end_that(cloud: Cloud) -> None:
    name = cloud.endpoint(cloud.endpoint_config())
    cloud.settled(name)
    register(cloud, name)
    deletes = {"Effect": "Allow", "Action": "sagemaker:DeleteEndpoint", "Resource": "*"}
    ends = {
        "Effect": "Allow",
        "Action": "application-autoscaling:DeregisterScalableTarget",
        "Resource": "*",
        "Condition": {"StringEquals": {"application-autoscaling:service-namespace": "sagemaker"}},
    }
    role = cloud.role("scheduler.amazonaws.com", policy=deletes)
    schedule = {
        "Name": name,
        "ScheduleExpression": f"at({datetime.fromtimestamp(time.time(), UTC):%Y-%m-%dT%H:%M:%S})",
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "ActionAfterCompletion": "DELETE",
        "Target": {
            "Arn": "arn:aws:scheduler:::aws-sdk:sagemaker:deleteEndpoint",
            "RoleArn": role,
            "Input": json.dumps({"EndpointName": name}),
        },
    }
    cloud.scheduler.create_schedule(**schedule)
    wait_for(lambda: not cloud.scheduler.list_schedules(NamePrefix=name)["Schedules"])
    assert registered(cloud, name)
    assert cloud.settled(name)["EndpointStatus"] == "InService"
    document = json.dumps({"Version": "2012-10-17", "Statement": [deletes, ends]})
    cloud.iam.put_role_policy(RoleName=role.rpartition("/")[2], PolicyName="inline", PolicyDocument=document)
    cloud.scheduler.create_schedule(**schedule)
    wait_for(lambda: not registered(cloud, name))
    assert code_of(cloud.sagemaker.describe_endpoint, EndpointName=name) == "ValidationException"
