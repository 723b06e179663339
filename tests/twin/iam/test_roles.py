"""The roles in which SageMaker and Lambda act: who may assume them, and what is left undone that they do not allow."""

import json
import re
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.conftest import Cloud, wait_for
from tests.twin.lambda_.test_functions import invoke
from tests.twin.sagemaker.training.test_checkpoints import checkpoints
from tests.twin.sagemaker.training.test_jobs import said

PRINT = "print('validation_accuracy=0.9')"
IMAGE = "763104351884.dkr.ecr.us-east-1.amazonaws.com/pytorch:2"
DENIED = r"AccessDenied \(403\): User: arn:aws:sts::123456789012:assumed-role/role-\w+/SageMaker is not authorized"


def all_but(cloud: Cloud, *actions: str) -> str:
    """An execution role that denies some actions and allows all others."""
    role = cloud.role("sagemaker.amazonaws.com", policy={"Effect": "Allow", "Action": "*", "Resource": "*"})
    denied = {"Effect": "Deny", "Action": list(actions), "Resource": "*"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [denied]})
    cloud.iam.put_role_policy(RoleName=role.rpartition("/")[2], PolicyName="denied", PolicyDocument=document)
    return role


@pytest.mark.parametrize("service", ["", "lambda.amazonaws.com"])
def test_a_role_that_sagemaker_cannot_assume_is_refused(cloud: Cloud, service: str) -> None:
    role = cloud.role(service) if service else "arn:aws:iam::123456789012:role/gone"
    with pytest.raises(ClientError, match=rf"ValidationException.*Could not assume role {role}\."):
        cloud.train(PRINT, RoleArn=role)
    with pytest.raises(ClientError, match=rf"ValidationException.*Could not assume role {role}\."):
        cloud.sagemaker.create_model(ModelName=cloud.name("model"), ExecutionRoleArn=role)


def test_a_role_that_lambda_cannot_assume_is_refused(cloud: Cloud) -> None:
    with pytest.raises(ClientError, match=r"InvalidParameterValueException.*cannot be assumed by Lambda"):
        cloud.function("def handle(event, context): pass", Role=cloud.execution_role)


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("s3:ListBucket", rf"ClientError: Data download failed:{DENIED} to perform: s3:ListBucket"),
        ("s3:GetObject", rf"ClientError: Data download failed:{DENIED} to perform: s3:GetObject"),
        ("s3:PutObject", rf"ClientError: Artifact upload failed:{DENIED} to perform: s3:PutObject"),
        ("ecr:GetAuthorizationToken", "ClientError: Cannot pull algorithm container."),
        ("ecr:BatchGetImage", "ClientError: Cannot pull algorithm container."),
    ],
)
def test_what_a_job_cannot_do_without(cloud: Cloud, action: str, reason: str) -> None:
    algorithm = {"TrainingImage": IMAGE, "TrainingInputMode": "File"}
    job = cloud.trained(cloud.train(PRINT, RoleArn=all_but(cloud, action), AlgorithmSpecification=algorithm))
    assert job["TrainingJobStatus"] == "Failed"
    assert re.match(reason, job["FailureReason"])


def test_a_job_whose_checkpoints_cannot_be_kept_fails(cloud: Cloud) -> None:
    script = "import os, pathlib\npathlib.Path(os.environ['SM_CHECKPOINT_DIR'], 'a').write_text('1')"
    job = cloud.trained(cloud.train(script, RoleArn=all_but(cloud, "s3:PutObject"), **checkpoints(cloud, "kept")))
    assert re.match(f"ClientError: Checkpoints cannot be kept:{DENIED}", job["FailureReason"])


@pytest.mark.parametrize("action", ["logs:CreateLogStream", "logs:PutLogEvents", "logs:DescribeLogStreams"])
def test_a_job_without_a_log_goes_on(cloud: Cloud, action: str) -> None:
    job = cloud.trained(cloud.train(PRINT, RoleArn=all_but(cloud, action)))
    assert job["TrainingJobStatus"] == "Completed"
    assert len(job["FinalMetricDataList"]) == 1
    cloud.trained(cloud.train(PRINT))  # its log comes later than that of the first would have come
    assert said(cloud, job["TrainingJobName"]) == []


def test_a_job_without_metrics_goes_on(cloud: Cloud) -> None:
    job = cloud.trained(cloud.train(PRINT, RoleArn=all_but(cloud, "cloudwatch:PutMetricData")))
    assert job["TrainingJobStatus"] == "Completed"
    assert not job.get("FinalMetricDataList")
    assert said(cloud, job["TrainingJobName"]) == ["validation_accuracy=0.9"]


@pytest.mark.parametrize(
    ("action", "reason"),
    [
        ("s3:GetObject", "Could not access model data at s3://"),
        ("ecr:BatchGetImage", "The role '.+' does not have BatchGetImage permission for the image: '.+'"),
    ],
)
def test_what_an_endpoint_cannot_do_without(cloud: Cloud, action: str, reason: str) -> None:
    found = serve(cloud, all_but(cloud, action))
    assert found["EndpointStatus"] == "Failed"
    assert re.match(reason, found["FailureReason"])


def test_an_endpoint_without_a_log_serves(cloud: Cloud) -> None:
    found = serve(cloud, all_but(cloud, "logs:PutLogEvents"))
    assert found["EndpointStatus"] == "InService"
    assert cloud.lines(f"/aws/sagemaker/Endpoints/{found['EndpointName']}") == []


def serve(cloud: Cloud, role: str) -> dict[str, Any]:
    """An endpoint whose model runs in a role, once it has come to rest and its log would be there."""
    model = cloud.sagemaker.describe_model(ModelName=cloud.endpoint_config())
    name = cloud.name("model")
    container = model["PrimaryContainer"] | {"Image": IMAGE}
    cloud.sagemaker.create_model(ModelName=name, ExecutionRoleArn=role, PrimaryContainer=container)
    variant = {"VariantName": "A", "ModelName": name, "InitialInstanceCount": 1, "InstanceType": "ml.m5.large"}
    cloud.sagemaker.create_endpoint_config(EndpointConfigName=name, ProductionVariants=[variant])
    found = cloud.settled(cloud.endpoint(name))
    other = cloud.endpoint(cloud.endpoint_config())
    wait_for(lambda: cloud.lines(f"/aws/sagemaker/Endpoints/{other}"))
    return found


def test_a_function_without_a_log_answers(cloud: Cloud) -> None:
    silent, telling = (
        cloud.function("def handle(event, context):\n    print('called')\n    return 1", **changes)
        for changes in ({"Role": cloud.role("lambda.amazonaws.com")}, {})
    )
    assert [invoke(cloud, function)[0] for function in (silent, telling)] == [1, 1]
    wait_for(lambda: "called" in cloud.lines(f"/aws/lambda/{telling.rpartition(':')[2]}"))
    assert cloud.lines(f"/aws/lambda/{silent.rpartition(':')[2]}") == []
