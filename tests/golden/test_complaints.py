"""The check of requests against the service models finds what AWS would refuse."""

from typing import Any

import boto3
import pytest

from tests.golden.requests import Request, complaints, complaints_of_answer

CONFIG = {"EndpointConfigName": "toy", "ProductionVariants": [{"VariantName": "all", "InstanceType": "ml.m5.large"}]}


def request(service: str, operation: str, parameters: dict[str, Any]) -> Request:
    client = boto3.Session("a", "b", region_name="us-east-1").client(service)
    return Request(service, operation, parameters, client.meta.service_model.operation_model(operation))


def test_a_request_that_is_right_has_no_complaints() -> None:
    assert complaints(request("sagemaker", "CreateEndpointConfig", CONFIG)) == []


@pytest.mark.parametrize(
    ("service", "operation", "parameters", "why"),
    [
        ("sagemaker", "CreateEndpointConfig", {"EndpointConfigName": "toy"}, "ProductionVariants"),
        ("sagemaker", "CreateEndpointConfig", CONFIG | {"Colour": "red"}, "Colour"),
        ("sagemaker", "CreateEndpointConfig", CONFIG | {"EndpointConfigName": 7}, "EndpointConfigName"),
        ("sagemaker", "CreateEndpointConfig", CONFIG | {"EndpointConfigName": "a/b"}, "does not match"),
        ("sagemaker", "CreateEndpointConfig", CONFIG | {"EndpointConfigName": "a" * 64}, "more than 63"),
        ("sagemaker", "CreateEndpointConfig", CONFIG | {"Tags": [{"Key": "k", "Value": "v"}] * 51}, "more than 50"),
        (
            "sagemaker",
            "CreateEndpointConfig",
            CONFIG | {"ProductionVariants": [{"VariantName": "all", "InstanceType": "ml.huge"}]},
            "ProductionVariants[0].InstanceType is ml.huge",
        ),
        ("lambda", "CreateFunction", {"FunctionName": "f", "Role": "nobody", "Code": {}}, "Role is nobody"),
        ("iam", "GetRole", {"RoleName": ""}, "RoleName"),
    ],
)
def test_what_aws_would_refuse_is_complained_of(
    service: str, operation: str, parameters: dict[str, Any], why: str
) -> None:
    assert why in "\n".join(complaints(request(service, operation, parameters)))


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        ({"ModelArn": "arn:aws:sagemaker:us-east-1:123456789012:model/toy"}, ""),
        ({}, ""),
        ({"Error": {"Code": "ValidationException"}}, ""),
        ({"ModelArn": "toy"}, "ModelArn"),
        ({"ResponseMetadata": {}, "ModelArn": 7}, "ModelArn"),
    ],
)
def test_what_aws_would_not_answer_is_complained_of(answer: dict[str, Any], why: str) -> None:
    asked = request("sagemaker", "CreateModel", {"ModelName": "toy"})
    asked.answer.update(answer)
    found = "\n".join(complaints_of_answer(asked))
    assert why in found
    assert bool(found) == bool(why)
