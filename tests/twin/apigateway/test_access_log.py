"""Access logs: the account's role for them, and the line that each request leaves."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.twin.apigateway.test_gateway import ECHO, HTTP, ORIGIN, Api, post
from tests.twin.conftest import Cloud, code_of, wait_for

WRITING = [
    *("logs:CreateLogGroup", "logs:CreateLogStream", "logs:DescribeLogGroups", "logs:DescribeLogStreams"),
    *("logs:PutLogEvents", "logs:GetLogEvents", "logs:FilterLogEvents"),
]
VARIABLES = (
    *("requestId", "requestTimeEpoch", "httpMethod", "resourcePath", "path", "status", "responseLength"),
    *("responseLatency", "integrationStatus", "integrationLatency", "awsEndpointRequestId", "error.responseType"),
    *("identity.sourceIp", "identity.apiKeyId", "no.such.variable"),
)
FORMAT = json.dumps({name: f"$context.{name}" for name in VARIABLES})


def writing(actions: list[str]) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": actions, "Resource": "*"}


def give(cloud: Cloud, role: str) -> None:
    operation = {"op": "replace", "path": "/cloudwatchRoleArn", "value": role}
    cloud.apigateway.update_account(patchOperations=[operation])


def log_to(api: Api, group: str, form: str = FORMAT) -> None:
    arn = f"arn:aws:logs:us-east-1:123456789012:log-group:{group}"
    operations = [
        {"op": "replace", "path": "/accessLogSettings/destinationArn", "value": arn},
        {"op": "replace", "path": "/accessLogSettings/format", "value": form},
    ]
    api.cloud.apigateway.update_stage(restApiId=api.id, stageName="prod", patchOperations=operations)


@pytest.fixture
def allowed(cloud: Cloud) -> Iterator[str]:
    """The account's role for the logs of API Gateway, for one test."""
    role = cloud.role("apigateway.amazonaws.com", policy=writing(WRITING))
    give(cloud, role)
    yield role
    give(cloud, "")


def test_an_account_takes_only_a_role_in_which_logs_can_be_written(cloud: Cloud) -> None:
    roles = (
        cloud.role("lambda.amazonaws.com", policy=writing(WRITING)),
        cloud.role("apigateway.amazonaws.com", policy=writing(WRITING[:-1])),
        "arn:aws:iam::123456789012:role/nobody",
    )
    for role in roles:
        with pytest.raises(ClientError, match="does not have required permissions"):
            give(cloud, role)
    assert not cloud.apigateway.get_account().get("cloudwatchRoleArn")


def test_a_stage_logs_only_where_the_account_has_a_role_and_lines_have_an_id(cloud: Cloud) -> None:
    api = Api.make(cloud)
    api.function(cloud.function(ECHO))
    api.deploy()
    with pytest.raises(ClientError, match="CloudWatch Logs role ARN must be set in account settings"):
        log_to(api, "/aws/apigateway/x")
    give(cloud, cloud.role("apigateway.amazonaws.com", policy=writing(WRITING)))
    try:
        assert code_of(lambda: log_to(api, "/aws/apigateway/x", "$context.status")) == "BadRequestException"
    finally:
        give(cloud, "")


def test_each_request_leaves_a_line(cloud: Cloud, allowed: str) -> None:
    api, group = Api.make(cloud), f"/aws/apigateway/{cloud.name('log')}"
    function = cloud.function(ECHO)
    api.function(function)
    url = api.deploy()
    post(url, b"secret before")
    log_to(api, group)
    fine = post(url, b"secret text")
    crashed = post(f"{url}?answer=raise", b"secret text")
    lost = HTTP.request("GET", f"{url}nowhere")
    lines = [json.loads(line) for line in wait_for(lambda: cloud.lines(group))]
    assert len(lines) == 3
    by_id = {line["requestId"]: line for line in lines}
    said, failed, missed = (by_id[answer.headers["x-amzn-RequestId"]] for answer in (fine, crashed, lost))
    assert fine.headers[ORIGIN] == "*"
    assert (said["status"], said["integrationStatus"], said["httpMethod"], said["path"]) == (
        "201",
        "201",
        "POST",
        "/prod/",
    )
    assert said["responseLength"] == str(len(fine.data))
    assert int(said["responseLatency"]) >= int(said["integrationLatency"]) >= 0
    assert fine.json()["requestContext"]["requestId"] == said["requestId"]
    assert (said["identity.sourceIp"], said["identity.apiKeyId"], said["no.such.variable"]) == ("127.0.0.1", "-", "-")
    assert (failed["status"], failed["error.responseType"], failed["integrationStatus"]) == ("502", "DEFAULT_5XX", "-")
    assert (missed["status"], missed["error.responseType"]) == ("403", "MISSING_AUTHENTICATION_TOKEN")
    assert (missed["resourcePath"], missed["awsEndpointRequestId"]) == ("-", "-")
    assert "secret" not in json.dumps(lines)
    of_lambda = cloud.lines(f"/aws/lambda/{function.rpartition(':')[2]}")
    for line in (said, failed):
        assert any(line["awsEndpointRequestId"] in written for written in of_lambda)


def test_nothing_is_written_when_the_role_is_taken_away(cloud: Cloud, allowed: str) -> None:
    api, group = Api.make(cloud), f"/aws/apigateway/{cloud.name('log')}"
    api.function(cloud.function(ECHO))
    url = api.deploy()
    log_to(api, group)
    give(cloud, "")
    assert post(url, b"text").status == 201
    assert cloud.lines(group) == []
