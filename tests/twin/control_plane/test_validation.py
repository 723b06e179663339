"""Malformed calls of AWS's API: AWS's refusals, never an error of the twin's own or a connection that breaks."""

import json
import re

import pytest
import urllib3
from hypothesis import given, settings
from hypothesis import strategies as st

from sentictl.twin.core.environment import Access
from sentictl.twin.core.messages import authorization
from tests.twin.conftest import Cloud

HTTP = urllib3.PoolManager(retries=False)
JSON_RPC = "application/x-amz-json-1.1"
FORM = "application/x-www-form-urlencoded"


@pytest.fixture(scope="module")
def twin(cloud: Cloud) -> Access:
    """The twin's address and key."""
    return Access(cloud.url, cloud.key)


def call(
    twin: Access, service: str, body: bytes = b"", method: str = "POST", path: str = "/", **headers: str
) -> urllib3.BaseHTTPResponse:
    """A call as no SDK would send it; headers are named with underscores for hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    signed = {"authorization": authorization(service, "us-east-1", twin.key)}
    return HTTP.request(method, twin.url + path, body=body, headers=signed | named)


def code(answer: urllib3.BaseHTTPResponse) -> str:
    """AWS's code of an error, in whichever of its shapes."""
    in_xml = re.search(rb"<Code>(.+?)</Code>", answer.data)
    return in_xml[1].decode() if in_xml else str(answer.headers.get("x-amzn-ErrorType", ""))


@pytest.mark.parametrize(
    ("operation", "body", "expected"),
    [
        ("CreateModel", b"{not json", "SerializationException"),
        ("CreateModel", b"\xff\xfe{}", "SerializationException"),
        ("CreateModel", b"[" * 100_000, "SerializationException"),
        ("CreateModel", b"[]", "SerializationException"),
        ("CreateModel", b"3", "SerializationException"),
        ("CreateModel", b"", "ValidationException"),
        ("CreateModel", b"{}", "ValidationException"),
        ("CreateModel", b'{"ModelName": null}', "ValidationException"),
        ("CreateModel", b'{"ModelName": "a", "PrimaryContainer": 3}', "SerializationException"),
        ("CreateModel", b'{"ModelName": "a", "PrimaryContainer": {"Environment": [1]}}', "SerializationException"),
        ("CreateModel", b'{"ModelName": "a", "Tags": [{"Key": "a"}]}', "ValidationException"),
        ("CreateModel", b'{"ModelName": {}}', "SerializationException"),
        ("CreateModel", b'{"ModelName": true}', "SerializationException"),
        ("ListModels", b'{"MaxResults": "many"}', "SerializationException"),
        ("ListModels", b'{"NextToken": "elsewhere"}', "ValidationException"),
        ("ListTags", b'{"ResourceArn": "no ARN"}', "ValidationException"),
        ("Nonsense", b"{}", "UnknownOperationException"),
        ("", b"{}", "UnknownOperationException"),
    ],
)
def test_calls_of_a_json_service(twin: Access, operation: str, body: bytes, expected: str) -> None:
    answer = call(twin, "sagemaker", body, content_type=JSON_RPC, x_amz_target=f"SageMaker.{operation}")
    assert (answer.status, code(answer)) == (400, expected)
    assert answer.json()["__type"] == expected


@pytest.mark.parametrize("kind", ["text/plain", FORM, "application/json", ""])
def test_a_call_of_a_json_service_with_another_content_type(twin: Access, kind: str) -> None:
    answer = call(twin, "sagemaker", b"{}", content_type=kind, x_amz_target="SageMaker.ListModels")
    assert (answer.status, code(answer)) == (400, "UnknownOperationException")


@pytest.mark.parametrize(
    ("service", "body", "expected"),
    [
        ("iam", b"", "MissingAction"),
        ("iam", b"{}", "MissingAction"),
        ("iam", b"\xff\xfe", "MissingAction"),
        ("iam", b"Action=Nonsense", "InvalidAction"),
        ("iam", b"Action=GetRole", "ValidationException"),
        ("iam", b"Action=CreateRole&RoleName=malformed&AssumeRolePolicyDocument=x", "MalformedPolicyDocument"),
        ("iam", b"Action=CreateRole&RoleName=malformed&AssumeRolePolicyDocument=[]", "MalformedPolicyDocument"),
        ("iam", b'Action=CreatePolicy&PolicyName=x&PolicyDocument={"Statement":[1]}', "MalformedPolicyDocument"),
        ("sts", b"", "MissingAction"),
        ("sts", b"Action=Nonsense", "InvalidAction"),
    ],
)
def test_calls_of_a_service_that_takes_forms(twin: Access, service: str, body: bytes, expected: str) -> None:
    answer = call(twin, service, body, content_type=FORM)
    assert (answer.status, code(answer)) == (400, expected)


@pytest.mark.parametrize(
    ("service", "method", "path", "body", "status", "expected"),
    [
        ("lambda", "POST", "/2015-03-31/functions", b"{not json", 400, "SerializationException"),
        ("lambda", "POST", "/2015-03-31/functions", b"{}", 400, "ValidationException"),
        ("lambda", "POST", "/2015-03-31/functions", b'{"FunctionName": 3}', 400, "SerializationException"),
        ("lambda", "POST", "/2015-03-31/functions/x/policy", b"[]", 400, "SerializationException"),
        ("lambda", "PUT", "/2015-03-31/functions", b"{}", 404, "UnknownOperationException"),
        ("lambda", "GET", "/2017-03-31/tags/nothing", b"", 400, "InvalidParameterValueException"),
        ("lambda", "POST", "/nonsense", b"", 404, "UnknownOperationException"),
        ("apigateway", "POST", "/restapis", b"{not json", 400, "SerializationException"),
        ("apigateway", "POST", "/restapis", b"{}", 400, "ValidationException"),
        ("apigateway", "POST", "/restapis", b'{"name": "x", "tags": 4}', 400, "SerializationException"),
        ("apigateway", "PATCH", "/restapis/x", b'{"patchOperations": 3}', 400, "SerializationException"),
        ("apigateway", "POST", "/restapis?mode=import", b"{not json", 400, "BadRequestException"),
        ("apigateway", "POST", "/restapis?mode=import", b'{"info": {}, "paths": []}', 400, "BadRequestException"),
        ("apigateway", "POST", "/restapis?mode=import", b'{"info": {}, "paths": {"/": 1}}', 400, "BadRequestException"),
        ("scheduler", "POST", "/schedules/x", b"{not json", 400, "SerializationException"),
        ("scheduler", "POST", "/schedules/x", b"{}", 400, "ValidationException"),
        ("s3", "PUT", "/some-bucket", b"<not xml", 400, "MalformedXML"),
        ("s3", "PUT", "/some-bucket?policy", b"{not json", 400, "MalformedPolicy"),
        ("s3", "PUT", "/some-bucket?tagging", b"<Other/>", 400, "MalformedXML"),
        ("s3", "PUT", "/some-bucket?tagging", b"", 400, "MalformedXML"),
        ("s3", "POST", "/some-bucket?delete", b"<Delete>", 400, "MalformedXML"),
        ("s3", "POST", "/no-such-bucket/key?uploads", b"", 404, "NoSuchBucket"),
        ("s3", "POST", "/some-bucket", b"text", 412, "PreconditionFailed"),
        ("s3", "POST", "/", b"text", 405, "MethodNotAllowed"),
        ("s3", "PATCH", "/some-bucket", b"", 405, "MethodNotAllowed"),
        ("nonsense", "POST", "/", b"{}", 403, "InvalidSignatureException"),
    ],
)
def test_calls_of_a_rest_service(
    twin: Access, service: str, method: str, path: str, body: bytes, status: int, expected: str
) -> None:
    answer = call(twin, service, body, method, path)
    assert (answer.status, code(answer)) == (status, expected)


def test_an_operation_that_moto_does_not_have_is_named(twin: Access) -> None:
    target = "ServiceQuotasV20190624.UntagResource"
    body = b'{"ResourceARN": "arn:aws:servicequotas:us-east-1:123456789012:x", "TagKeys": []}'
    answer = call(twin, "servicequotas", body, content_type=JSON_RPC, x_amz_target=target)
    assert (answer.status, code(answer)) == (501, "NotImplemented")
    assert "untag_resource" in answer.json()["message"]


def test_a_service_that_moto_does_not_have_is_told(twin: Access) -> None:
    target, body = "AWSPriceListService.GetProducts", b'{"ServiceCode": "AmazonSageMaker"}'
    answer = call(twin, "pricing", body, content_type=JSON_RPC, x_amz_target=target)
    assert (answer.status, code(answer)) == (501, "NotImplemented")
    assert "this service" in answer.json()["message"]


SERVICES = ("apigateway", "iam", "lambda", "logs", "monitoring", "s3", "sagemaker", "scheduler", "sts", "tagging")
PATHS = (
    "/",
    "/restapis",
    "/2015-03-31/functions",
    "/2015-03-31/functions/f/invocations",
    "/bucket-f/key",
    "/schedules/s",
)
TARGETS = ("SageMaker.CreateEndpoint", "SageMaker.ListModels", "Logs_20140328.FilterLogEvents", "X.CreateModel", "")
documents = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, derandomize=True)
@given(
    service=st.sampled_from(SERVICES),
    method=st.sampled_from(["POST", "PUT", "GET", "PATCH"]),
    path=st.sampled_from(PATHS),
    target=st.sampled_from(TARGETS),
    kind=st.sampled_from([JSON_RPC, FORM, "application/cbor", "text/plain"]),
    body=st.binary(max_size=60) | documents.map(lambda document: json.dumps(document).encode()),
)
def test_no_call_breaks_the_twin(
    twin: Access, service: str, method: str, path: str, target: str, kind: str, body: bytes
) -> None:
    answer = call(twin, service, body, method, path, x_amz_target=target, content_type=kind)
    assert answer.status < 500 or answer.status == 501, answer.data
