"""Who is let in: by an API key and its usage plan, or by a signature that IAM allows."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any
from unittest import mock

import botocore.auth
import pytest
import urllib3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.twin.apigateway.test_gateway import ECHO, HTTP, ORIGIN, Api, post
from tests.twin.conftest import Cloud, code_of

FORBIDDEN = {"message": "Forbidden"}


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return cloud.function(ECHO, Timeout=20)


def made(cloud: Cloud, function: str, **access: Any) -> Api:
    """An API in front of a function that answers its event, and its own errors with CORS."""
    api = Api.make(cloud)
    api.function(function, access=access)
    for family in ("DEFAULT_4XX", "DEFAULT_5XX"):
        api.gateway_response(
            family, responseParameters={f"gatewayresponse.header.{ORIGIN}": "method.request.header.Origin"}
        )
    api.deploy()
    return api


def plan_of(api: Api, **limits: Any) -> str:
    stages = [{"apiId": api.id, "stage": "prod"}]
    name = api.cloud.name("plan")
    return str(api.cloud.apigateway.create_usage_plan(name=name, apiStages=stages, tags={"of": name}, **limits)["id"])


def key_of(api: Api, *plans: str, enabled: bool = True) -> dict[str, Any]:
    key: dict[str, Any] = api.cloud.apigateway.create_api_key(name=api.cloud.name("key"), enabled=enabled)
    for plan in plans:
        api.cloud.apigateway.create_usage_plan_key(usagePlanId=plan, keyId=key["id"], keyType="API_KEY")
    return key


def told(answer: urllib3.BaseHTTPResponse) -> tuple[int, str, str]:
    return answer.status, answer.headers["x-amzn-ErrorType"], answer.json()["message"]


def test_a_key_opens_what_its_plan_covers(cloud: Cloud, function: str) -> None:
    api = made(cloud, function, apiKeyRequired=True)
    plan, other = plan_of(api), plan_of(made(cloud, function))
    key, disabled, elsewhere = key_of(api, plan), key_of(api, plan, enabled=False), key_of(api, other)
    answer = post(api.url, b"x", x_api_key=key["value"])
    assert answer.status == 201
    assert answer.json()["requestContext"]["identity"]["apiKeyId"] == key["id"]
    refused = (403, "ForbiddenException", "Forbidden")
    for sent in ({}, {"x_api_key": "x" * 40}, *({"x_api_key": k["value"]} for k in (disabled, elsewhere))):
        answer = post(api.url, b"x", origin="https://a.example", **sent)
        assert told(answer) == refused
        assert answer.headers[ORIGIN] == "https://a.example"
    patch = [{"op": "replace", "path": "/enabled", "value": "false"}]
    cloud.apigateway.update_api_key(apiKey=key["id"], patchOperations=patch)
    assert told(post(api.url, b"x", x_api_key=key["value"])) == refused
    patch[0]["value"] = "true"
    cloud.apigateway.update_api_key(apiKey=key["id"], patchOperations=patch)
    assert post(api.url, b"x", x_api_key=key["value"]).status == 201
    cloud.apigateway.delete_api_key(apiKey=key["id"])
    assert told(post(api.url, b"x", x_api_key=key["value"])) == refused


def test_each_key_has_a_quota_and_a_rate_of_its_own(cloud: Cloud, function: str) -> None:
    api = made(cloud, function, apiKeyRequired=True)
    plan = plan_of(api, quota={"limit": 2, "period": "DAY"}, throttle={"rateLimit": 0.001, "burstLimit": 3})
    one, two = key_of(api, plan), key_of(api, plan)
    answers = [post(api.url, b"x", x_api_key=one["value"]) for _ in range(4)]
    assert [answer.status for answer in answers] == [201, 201, 429, 429]
    assert told(answers[2]) == (429, "LimitExceededException", "Limit Exceeded")
    assert told(answers[3]) == (429, "TooManyRequestsException", "Too Many Requests")
    assert post(api.url, b"x", x_api_key=two["value"]).status == 201
    today = datetime.now(UTC).date()
    days = {"startDate": str(today - timedelta(1)), "endDate": str(today)}
    usage = cloud.apigateway.get_usage(usagePlanId=plan, **days)["items"]
    assert usage == {one["id"]: [[0, 2], [2, 0]], two["id"]: [[0, 2], [1, 1]]}
    patches = [
        {"op": "replace", "path": path, "value": value}
        for path, value in (("/quota/limit", "5"), ("/throttle/rateLimit", "2.5"), ("/throttle/burstLimit", "9"))
    ]
    changed = cloud.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=patches)
    assert changed["quota"] == {"limit": 5, "period": "DAY"}
    assert changed["throttle"] == {"rateLimit": 2.5, "burstLimit": 9}
    assert [post(api.url, b"x", x_api_key=one["value"]).status for _ in range(4)] == [201, 201, 201, 429]
    assert code_of(cloud.apigateway.delete_usage_plan, usagePlanId=plan) == "BadRequestException"
    stage = [{"op": "remove", "path": "/apiStages", "value": f"{api.id}:prod"}]
    cloud.apigateway.update_usage_plan(usagePlanId=plan, patchOperations=stage)
    assert told(post(api.url, b"x", x_api_key=two["value"]))[0] == 403
    cloud.apigateway.delete_usage_plan(usagePlanId=plan)


def test_values_are_told_only_on_request(cloud: Cloud, function: str) -> None:
    api = made(cloud, function, apiKeyRequired=True)
    key = key_of(api)
    assert "value" not in cloud.apigateway.get_api_key(apiKey=key["id"])
    listed = cloud.apigateway.get_api_keys(nameQuery=key["name"])["items"]
    assert [(each["id"], "value" in each) for each in listed] == [(key["id"], False)]


def signed(
    url: str,
    key: str,
    secret: str,
    token: str | None = None,
    *,
    region: str = "us-east-1",
    when: timedelta = timedelta(),
) -> dict[str, str]:
    request = AWSRequest("POST", url, data=b"x")
    moment = datetime.now(UTC) + when
    with mock.patch.object(botocore.auth, "get_current_datetime", return_value=moment.replace(tzinfo=None)):
        SigV4Auth(Credentials(key, secret, token), "execute-api", region).add_auth(request)
    return dict(request.headers.items())


def sent(api: Api, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    return HTTP.request("POST", api.url, body=b"x", headers=headers)


def user_of(cloud: Cloud, resource: str | None) -> tuple[str, str, str]:
    """A user who may invoke what an ARN names; the access key, its secret, and the user's name."""
    name = cloud.name("user")
    cloud.iam.create_user(UserName=name)
    if resource:
        allow(cloud, name, resource)
    key = cloud.iam.create_access_key(UserName=name)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"], name


def allow(cloud: Cloud, user: str, resource: str, effect: str = "Allow") -> None:
    statement = {"Effect": effect, "Action": "execute-api:Invoke", "Resource": resource}
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    cloud.iam.put_user_policy(UserName=user, PolicyName=effect, PolicyDocument=document)


def test_who_signs_is_let_in_as_iam_allows_it(cloud: Cloud, function: str) -> None:
    api = made(cloud, function, authorizationType="AWS_IAM")
    arn = f"arn:aws:execute-api:us-east-1:123456789012:{api.id}/prod/POST/"
    key, secret, user = user_of(cloud, arn)
    answer = sent(api, signed(api.url, key, secret))
    assert answer.status == 201
    assert answer.json()["requestContext"]["identity"]["userArn"] == f"arn:aws:iam::123456789012:user/{user}"
    assert sent(api, signed(api.url, cloud.key, "local")).status == 201  # the account's own
    other, other_secret, name = user_of(cloud, arn.replace("POST", "GET"))
    status, kind, message = told_of_iam(sent(api, signed(api.url, other, other_secret)))
    assert (status, kind) == (403, "AccessDeniedException")
    hidden = arn.replace("123456789012", "********9012")
    assert message == (
        f"User: arn:aws:iam::123456789012:user/{name} is not authorized to perform: execute-api:Invoke on resource: "
        f"{hidden} because no identity-based policy allows the execute-api:Invoke action"
    )
    allow(cloud, user, arn, "Deny")
    assert told_of_iam(sent(api, signed(api.url, key, secret)))[1] == "AccessDeniedException"
    cloud.iam.delete_user_policy(UserName=user, PolicyName="Deny")
    assert sent(api, signed(api.url, key, secret)).status == 201
    cloud.iam.update_access_key(UserName=user, AccessKeyId=key, Status="Inactive")
    assert told_of_iam(sent(api, signed(api.url, key, secret)))[1] == "UnrecognizedClientException"


def told_of_iam(answer: urllib3.BaseHTTPResponse) -> tuple[int, str, str]:
    return answer.status, answer.headers["x-amzn-ErrorType"], answer.json()["message"]


def test_a_session_of_a_role_comes_with_its_token(cloud: Cloud, function: str) -> None:
    api = made(cloud, function, authorizationType="AWS_IAM")
    policy = {"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": f"arn:aws:execute-api:*:*:{api.id}/*"}
    role = cloud.role("lambda.amazonaws.com", policy=policy)
    session = cloud.sts.assume_role(RoleArn=role, RoleSessionName="me")["Credentials"]
    keys = session["AccessKeyId"], session["SecretAccessKey"]
    assert sent(api, signed(api.url, *keys, session["SessionToken"])).status == 201
    for token in (None, session["SessionToken"] + "x"):
        assert told(sent(api, signed(api.url, *keys, token)))[1] == "UnrecognizedClientException"


def test_a_signature_that_does_not_hold(cloud: Cloud, function: str) -> None:
    api = made(cloud, function, authorizationType="AWS_IAM")
    key = cloud.key
    cases: list[tuple[dict[str, str], str, str]] = [
        ({}, "MissingAuthenticationTokenException", "Missing Authentication Token"),
        ({"Authorization": "Bearer x"}, "IncompleteSignatureException", "requires 'Credential'"),
        (signed(api.url, "AKIAUNKNOWN", "x"), "UnrecognizedClientException", "security token included in the request"),
        (signed(api.url, key, "wrong"), "InvalidSignatureException", "does not match the signature you provided"),
        (signed(api.url + "x", key, "local"), "InvalidSignatureException", "does not match the signature you provided"),
        (
            signed(api.url, key, "local", region="eu-west-1"),
            "InvalidSignatureException",
            "valid region, not 'eu-west-1'",
        ),
        (signed(api.url, key, "local", when=-timedelta(minutes=6)), "InvalidSignatureException", "Signature expired"),
        (signed(api.url, key, "local", when=timedelta(minutes=6)), "InvalidSignatureException", "not yet current"),
    ]
    for headers, kind, words in cases:
        answer = sent(api, headers | {"Origin": "https://a.example"})
        assert (told(answer)[:2], words in told(answer)[2]) == ((403, kind), True), told(answer)
        assert answer.headers[ORIGIN] == "https://a.example"


def test_keys_and_plans_have_tags(cloud: Cloud, function: str) -> None:
    api = made(cloud, function, apiKeyRequired=True)
    plan = plan_of(api)
    key = cloud.apigateway.create_api_key(name=cloud.name("key"), tags={"of": plan})
    arns = {f"arn:aws:apigateway:us-east-1::/usageplans/{plan}", f"arn:aws:apigateway:us-east-1::/apikeys/{key['id']}"}
    for arn in arns:
        cloud.apigateway.tag_resource(resourceArn=arn, tags={"more": plan})
        assert cloud.apigateway.get_tags(resourceArn=arn)["tags"]["more"] == plan
    found = cloud.resourcegroupstaggingapi.get_resources(TagFilters=[{"Key": "more", "Values": [plan]}])
    assert {entry["ResourceARN"] for entry in found["ResourceTagMappingList"]} == arns
