"""Shadow variants and data capture."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.conftest import INFERENCE, Cloud, wait_for

# A model that ends its process when it is asked.
CRASHING = INFERENCE.replace("body, content_type = data", "body, content_type = data\n    os._exit(3)")


def shadowed(cloud: Cloud, *, files: dict[str, str] | None = None, broken: str = "") -> str:
    """An endpoint config whose shadow answers "two", if anything; returns its name."""
    served = cloud.endpoint_config()
    shadow = cloud.endpoint_config(files, WORD="two", BROKEN=broken)
    name = cloud.name("config")
    machine = {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName=name,
        ProductionVariants=[{"VariantName": "AllTraffic", "ModelName": served, **machine}],
        ShadowProductionVariants=[{"VariantName": "Shadow", "ModelName": shadow, **machine}],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{cloud.bucket}/{name}",
            "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            "CaptureContentTypeHeader": {"JsonContentTypes": ["application/json"]},
        },
    )
    return name


def serving(cloud: Cloud, config: str) -> str:
    name = cloud.endpoint(config)
    assert cloud.settled(name)["EndpointStatus"] == "InService"
    return name


def captured(cloud: Cloud, config: str, endpoint: str, variant: str) -> list[dict[str, Any]]:
    prefix = f"{config}/{endpoint}/{variant}/"
    found = cloud.s3.list_objects_v2(Bucket=cloud.bucket, Prefix=prefix).get("Contents", [])
    bodies = [cloud.s3.get_object(Bucket=cloud.bucket, Key=each["Key"])["Body"].read() for each in found]
    return [json.loads(line) for body in bodies for line in body.splitlines()]


def test_a_shadow_is_asked_the_same_and_answers_nobody(cloud: Cloud) -> None:
    config = shadowed(cloud)
    endpoint = serving(cloud, config)
    assert cloud.ask(endpoint, b'{"a": 1}', "application/json")["model"] == "one"
    (shadow,) = wait_for(lambda: captured(cloud, config, endpoint, "Shadow"))
    (served,) = wait_for(lambda: captured(cloud, config, endpoint, "AllTraffic"))
    assert shadow["eventMetadata"]["eventId"] == served["eventMetadata"]["eventId"]
    assert shadow["captureData"]["endpointInput"] == {
        "observedContentType": "application/json",
        "mode": "INPUT",
        "data": '{"a": 1}',
        "encoding": "JSON",
    }
    answers = [json.loads(each["captureData"]["endpointOutput"]["data"])["model"] for each in (served, shadow)]
    assert answers == ["one", "two"]


def test_it_is_described(cloud: Cloud) -> None:
    config = shadowed(cloud)
    endpoint = serving(cloud, config)
    told = cloud.sagemaker.describe_endpoint_config(EndpointConfigName=config)
    assert [variant["VariantName"] for variant in told["ShadowProductionVariants"]] == ["Shadow"]
    assert told["DataCaptureConfig"]["InitialSamplingPercentage"] == 100
    told = cloud.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert [variant["CurrentInstanceCount"] for variant in told["ShadowProductionVariants"]] == [1]
    assert [variant["VariantName"] for variant in told["ProductionVariants"]] == ["AllTraffic"]
    assert told["DataCaptureConfig"]["CaptureStatus"] == "Started"
    cloud.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=cloud.endpoint_config())
    wait_for(lambda: "ShadowProductionVariants" not in cloud.settled(endpoint))


def test_one_that_crashes_fails_nobody(cloud: Cloud) -> None:
    config = shadowed(cloud, files={"code/inference.py": CRASHING})
    endpoint = serving(cloud, config)
    assert [cloud.ask(endpoint)["model"] for _ in range(5)] == ["one"] * 5
    assert wait_for(lambda: len(captured(cloud, config, endpoint, "AllTraffic")) == 5)
    assert captured(cloud, config, endpoint, "Shadow") == []
    assert cloud.ask(endpoint)["model"] == "one"


def test_one_that_does_not_load_fails_the_endpoint(cloud: Cloud) -> None:
    found = cloud.settled(cloud.endpoint(shadowed(cloud, broken="yes")))
    assert found["EndpointStatus"] == "Failed"
    assert "weights are missing" in found["FailureReason"]


def test_captures_need_the_roles_leave(cloud: Cloud) -> None:
    config = cloud.name("config")
    model = cloud.name("model")
    data = cloud.sagemaker.describe_model(ModelName=cloud.endpoint_config())["PrimaryContainer"]
    allowed = {"Effect": "Allow", "Action": ["s3:GetObject", "s3:ListBucket", "logs:*", "ecr:*"], "Resource": "*"}
    role = cloud.role("sagemaker.amazonaws.com", policy=allowed)
    cloud.sagemaker.create_model(ModelName=model, ExecutionRoleArn=role, PrimaryContainer=data)
    cloud.sagemaker.create_endpoint_config(
        EndpointConfigName=config,
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": model,
                "InitialInstanceCount": 1,
                "InstanceType": "ml.m5.large",
            }
        ],
        DataCaptureConfig={
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{cloud.bucket}/{config}",
            "CaptureOptions": [{"CaptureMode": "Input"}],
        },
    )
    endpoint = serving(cloud, config)
    cloud.ask(endpoint)
    group = f"/aws/sagemaker/Endpoints/{endpoint}"
    wait_for(lambda: any("records are not kept" in line and "s3:PutObject" in line for line in cloud.lines(group)))
    assert captured(cloud, config, endpoint, "AllTraffic") == []


def test_what_aws_refuses(cloud: Cloud) -> None:
    model = cloud.endpoint_config()
    machine = {"InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    served = {"VariantName": "AllTraffic", "ModelName": model, **machine}
    shadow = {"VariantName": "Shadow", "ModelName": model, **machine}
    serverless = {
        "VariantName": "Shadow",
        "ModelName": model,
        "ServerlessConfig": {"MemorySizeInMB": 1024, "MaxConcurrency": 1},
    }
    refused: list[tuple[list[dict[str, Any]], str]] = [
        ([shadow, {**shadow, "VariantName": "Another"}], "one shadow variant"),
        ([serverless], "not supported with serverless"),
        ([{**shadow, "VariantName": "AllTraffic"}], "must be unique"),
        ([{**shadow, "ModelName": "unknown"}], "Could not find model"),
    ]
    for shadows, why in refused:
        with pytest.raises(ClientError, match=why):
            cloud.sagemaker.create_endpoint_config(
                EndpointConfigName=cloud.name("config"), ProductionVariants=[served], ShadowProductionVariants=shadows
            )
