"""Rough weather, asked by clients that do not ask again."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from sentictl.twin import daemon
from tests.twin.conftest import Cloud, zipped

TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole"}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    home = tmp_path_factory.mktemp("rough") / "twin"
    yield home
    daemon.destroy(home)


@pytest.fixture(scope="module")
def cloud(home: Path) -> Cloud:
    """A twin in rough weather."""
    daemon.start(home, weather="rough")
    return Cloud(daemon.access(home))


def refusals(call: Any, **arguments: Any) -> list[str]:
    """The codes with which a call is refused until it is taken."""
    codes = []
    for _ in range(5):
        try:
            call(**arguments)
        except ClientError as refusal:
            codes.append(refusal.response["Error"]["Code"])
        else:
            return codes
    pytest.fail(f"it is refused for ever: {codes}")


def new_role(cloud: Cloud, name: str, service: str) -> str:
    trust = {"Version": "2012-10-17", "Statement": [{**TRUST, "Principal": {"Service": service}}]}
    role = cloud.iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(trust))
    return str(role["Role"]["Arn"])


def test_a_new_role_is_not_known_everywhere(cloud: Cloud) -> None:
    new_role(cloud, "one", "lambda.amazonaws.com")
    assert refusals(cloud.iam.get_role, RoleName="one") == ["NoSuchEntity"]
    statement = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    put = {"RoleName": "one", "PolicyName": "p", "PolicyDocument": policy}
    assert refusals(cloud.iam.put_role_policy, **put) == ["NoSuchEntity"]
    assert refusals(cloud.iam.put_role_policy, **put) == []
    cloud.iam.delete_role_policy(RoleName="one", PolicyName="p")
    assert refusals(cloud.iam.delete_role, RoleName="one") == ["DeleteConflict", "DeleteConflict"]


def test_a_new_role_cannot_be_assumed_by_the_function_that_it_is_for(cloud: Cloud) -> None:
    arn = new_role(cloud, "two", "lambda.amazonaws.com")
    new_role(cloud, "two-longer", "lambda.amazonaws.com")
    arguments = {"FunctionName": "f", "Runtime": "python3.11", "Handler": "f.f", "Role": arn}
    code = {"ZipFile": zipped({"f.py": "def f(*_): return 1"})}
    client = getattr(cloud, "lambda")
    assert refusals(client.create_function, **arguments, Code=code) == ["InvalidParameterValueException"] * 2
    update = {"FunctionName": "f", "MemorySize": 256}
    client.update_function_code(FunctionName="f", ZipFile=code["ZipFile"])
    assert refusals(client.update_function_configuration, **update) == ["ResourceConflictException"]


def test_a_new_bucket_is_not_known_everywhere_and_a_deleted_one_blocks_its_name(cloud: Cloud) -> None:
    cloud.s3.create_bucket(Bucket="a-bucket")
    assert refusals(cloud.s3.head_bucket, Bucket="a-bucket") == ["404"]
    block = {"Bucket": "a-bucket", "PublicAccessBlockConfiguration": {"BlockPublicPolicy": True}}
    assert refusals(cloud.s3.put_public_access_block, **block) == ["NoSuchBucket"]
    cloud.s3.delete_public_access_block(Bucket="a-bucket")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::a-bucket/*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    assert refusals(cloud.s3.put_bucket_policy, Bucket="a-bucket", Policy=policy) == ["AccessDenied"] * 2
    cloud.s3.delete_bucket(Bucket="a-bucket")
    assert refusals(cloud.s3.create_bucket, Bucket="a-bucket") == ["OperationAborted"] * 2


def test_an_endpoint_does_not_find_its_new_config(cloud: Cloud) -> None:
    model: dict[str, Any] = {"ModelName": "m", "PrimaryContainer": {"Image": "pytorch-inference"}}
    model["ExecutionRoleArn"] = new_role(cloud, "four", "sagemaker.amazonaws.com")
    assert refusals(cloud.sagemaker.create_model, **model) == ["ValidationException"]
    variant = {"VariantName": "v", "ModelName": "m", "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    cloud.sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])
    create = {"EndpointName": "e", "EndpointConfigName": "c"}
    assert refusals(cloud.sagemaker.create_endpoint, **create) == ["ValidationException"] * 2


def test_what_is_deleted_is_listed_by_its_tags_still(cloud: Cloud) -> None:
    tags = {"project": "gone"}
    cloud.logs.create_log_group(logGroupName="/gone", tags=tags)
    tagging = cloud.resourcegroupstaggingapi
    cloud.logs.delete_log_group(logGroupName="/gone")
    listed = tagging.get_resources(TagFilters=[{"Key": "project", "Values": ["gone"]}])["ResourceTagMappingList"]
    assert [entry["ResourceARN"].partition(":log-group:")[2].rstrip(":*") for entry in listed] == ["/gone"]
    assert refusals(cloud.logs.create_log_group, logGroupName="/gone") == ["OperationAbortedException"]


def test_the_weather_can_change_while_the_twin_runs(cloud: Cloud, home: Path) -> None:
    assert daemon.start(home, weather="calm").url == cloud.url
    new_role(cloud, "three", "lambda.amazonaws.com")
    assert refusals(cloud.iam.get_role, RoleName="three") == []
