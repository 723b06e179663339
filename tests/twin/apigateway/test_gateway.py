"""APIs: proxy events, mocks, objects from S3, and the errors that the gateway makes itself."""

import base64
import gc
import json
import weakref
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import Mock
from urllib.parse import urlencode

import pytest
import urllib3
from botocore.exceptions import ClientError

from sentictl.twin.apigateway.gateway import Gateway
from sentictl.twin.apigateway.routes import Deployment
from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.control_plane.journal import Journal
from sentictl.twin.control_plane.weather import Weather
from sentictl.twin.core.messages import Request, authorization
from tests.twin.conftest import Cloud

ORIGIN = "Access-Control-Allow-Origin"
ECHO = """
import json
def handle(event, context):
    wanted = (event["queryStringParameters"] or {}).get("answer")
    if wanted == "raise":
        raise ValueError("cannot")
    if wanted == "sleep":
        import time; time.sleep(5)
    if wanted:
        return json.loads(wanted)
    return {"statusCode": 201, "headers": {"X-Kind": "echo", ORIGIN: "*"}, "body": json.dumps(event)}
""".replace("ORIGIN", repr(ORIGIN))
HTTP = urllib3.PoolManager()


@dataclass
class Api:
    """A REST API in the making."""

    cloud: Cloud
    id: str
    root: str

    @classmethod
    def make(cls, cloud: Cloud, **settings: Any) -> "Api":
        created = cloud.apigateway.create_rest_api(name=cloud.name("api"), **settings)
        return cls(cloud, created["id"], created["rootResourceId"])

    @property
    def url(self) -> str:
        return f"{self.cloud.url}/restapis/{self.id}/prod/_user_request_/"

    def resource(self, part: str) -> str:
        created = self.cloud.apigateway.create_resource(restApiId=self.id, parentId=self.root, pathPart=part)
        return str(created["id"])

    def method(
        self, verb: str, *, resource: str = "", access: dict[str, Any] | None = None, **integration: Any
    ) -> dict[str, str]:
        where = {"restApiId": self.id, "resourceId": resource or self.root, "httpMethod": verb}
        access = {"authorizationType": "NONE"} | (access or {})
        self.cloud.apigateway.put_method(**where, **access)
        self.cloud.apigateway.put_integration(**where, **integration)
        return where

    def answer(self, where: dict[str, str], status: str, headers: dict[str, str], **integration: Any) -> None:
        parameters = {f"method.response.header.{name}": value for name, value in headers.items()}
        self.cloud.apigateway.put_method_response(
            **where, statusCode=status, responseParameters=dict.fromkeys(parameters, False)
        )
        self.cloud.apigateway.put_integration_response(
            **where, statusCode=status, responseParameters=parameters, **integration
        )

    def function(self, function: str, *, permitted: bool = True, verb: str = "POST", **integration: Any) -> None:
        uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
        self.method(verb, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri, **integration)
        if permitted:
            getattr(self.cloud, "lambda").add_permission(
                FunctionName=function,
                StatementId=f"{self.id}-{verb}",
                Action="lambda:InvokeFunction",
                Principal="apigateway.amazonaws.com",
                SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{self.id}/*/{verb}/",
            )

    def gateway_response(self, kind: str, **settings: Any) -> None:
        self.cloud.apigateway.put_gateway_response(restApiId=self.id, responseType=kind, **settings)

    def deploy(self) -> str:
        self.cloud.apigateway.create_deployment(restApiId=self.id, stageName="prod")
        return self.url


@pytest.fixture(scope="module")
def function(cloud: Cloud) -> str:
    return cloud.function(ECHO, Timeout=20)


@pytest.fixture(scope="module")
def echo(cloud: Cloud, function: str) -> str:
    """The address of an API in front of a function that answers its event."""
    api = Api.make(cloud)
    api.function(function)
    for family in ("DEFAULT_4XX", "DEFAULT_5XX"):
        api.gateway_response(family, responseParameters={f"gatewayresponse.header.{ORIGIN}": "'*'"})
    return api.deploy()


def post(url: str, body: bytes = b"", **headers: str) -> urllib3.BaseHTTPResponse:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return HTTP.request("POST", url, body=body, headers=named)


def test_the_event_of_a_proxy_integration(echo: str) -> None:
    answer = post(echo + "?a=1&a=2&b=", "ein Film, schön".encode(), content_type="text/plain", x_mine="yes")
    assert (answer.status, answer.headers["X-Kind"]) == (201, "echo")
    event = answer.json()
    assert event["body"] == "ein Film, schön"
    assert event["isBase64Encoded"] is False
    assert (event["httpMethod"], event["path"], event["resource"]) == ("POST", "/", "/")
    assert event["queryStringParameters"] == {"a": "2", "b": ""}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""]}
    assert event["headers"]["Content-Type"] == "text/plain"
    assert event["multiValueHeaders"]["X-Mine"] == ["yes"]
    context = event["requestContext"]
    assert (context["stage"], context["path"]) == ("prod", "/prod/")
    assert context["identity"]["sourceIp"] == "127.0.0.1"
    assert context["requestId"] == answer.headers["x-amzn-RequestId"]


def test_a_body_that_is_not_utf8_arrives_unharmed(echo: str) -> None:
    event = post(echo, b"caf\xe9").json()
    assert event["isBase64Encoded"] is True
    assert base64.b64decode(event["body"]) == b"caf\xe9"


def test_binary_media_types(cloud: Cloud, function: str) -> None:
    api = Api.make(cloud, binaryMediaTypes=["application/octet-stream"])
    api.function(function)
    url = api.deploy()
    assert post(url, b"plain", content_type="application/octet-stream").json()["isBase64Encoded"] is True
    encoded = {"statusCode": 200, "body": base64.b64encode(b"\x00\xff").decode(), "isBase64Encoded": True}
    wanted = f"{url}?{urlencode({'answer': json.dumps(encoded)})}"
    assert post(wanted, accept="application/octet-stream").data == b"\x00\xff"
    assert post(wanted).data == base64.b64encode(b"\x00\xff")


@pytest.mark.parametrize(
    "answer",
    ['"text"', "{}", '{"statusCode":"ok"}', '{"statusCode":200,"body":{}}', '{"statusCode":200,"headers":[]}', "raise"],
)
def test_malformed_answers_of_a_function(echo: str, answer: str) -> None:
    response = HTTP.request("POST", f"{echo}?answer={answer}")
    assert (response.status, response.json()) == (502, {"message": "Internal server error"})
    assert response.headers[ORIGIN] == "*"


def test_a_missing_permission_shows(cloud: Cloud, function: str) -> None:
    api = Api.make(cloud)
    api.function(function, permitted=False)
    answer = post(api.deploy())
    assert (answer.status, answer.json()) == (500, {"message": "Internal server error"})


def test_a_permission_is_for_one_method_only(cloud: Cloud, function: str) -> None:
    api = Api.make(cloud)
    api.function(function)
    api.function(function, verb="PUT", permitted=False)
    url = api.deploy()
    assert post(url).status == 201
    assert HTTP.request("PUT", url).status == 500


def test_unknown_methods_paths_and_apis(cloud: Cloud, echo: str) -> None:
    for answer in (HTTP.request("GET", echo), post(echo + "elsewhere")):
        assert (answer.status, answer.json()) == (403, {"message": "Missing Authentication Token"})
        assert answer.headers["x-amzn-ErrorType"] == "MissingAuthenticationTokenException"
        assert answer.headers[ORIGIN] == "*"
    for url in (f"{cloud.url}/restapis/unknown/prod/_user_request_/", echo.replace("/prod/", "/test/")):
        answer = post(url)
        assert (answer.status, answer.json()) == (403, {"message": "Forbidden"})


def test_the_gateway_responses_that_nobody_defined_are_listed_as_well(cloud: Cloud) -> None:
    api = Api.make(cloud)
    api.gateway_response("THROTTLED", statusCode="503")
    api.gateway_response("DEFAULT_5XX", responseParameters={"gatewayresponse.header.X-Family": "'5xx'"})
    listed = {each["responseType"]: each for each in cloud.apigateway.get_gateway_responses(restApiId=api.id)["items"]}
    assert len(listed) == 21
    assert [kind for kind, each in listed.items() if not each["defaultResponse"]] == ["THROTTLED", "DEFAULT_5XX"]
    assert listed["THROTTLED"]["statusCode"] == "503"
    assert listed["QUOTA_EXCEEDED"]["statusCode"] == "429"
    assert "statusCode" not in listed["DEFAULT_4XX"]
    assert listed["AUTHORIZER_FAILURE"]["responseParameters"] == {"gatewayresponse.header.X-Family": "'5xx'"}
    assert not listed["QUOTA_EXCEEDED"].get("responseParameters")
    assert "$context.error.messageString" in listed["DEFAULT_4XX"]["responseTemplates"]["application/json"]


def test_a_specific_gateway_response_wins(cloud: Cloud, function: str) -> None:
    api = Api.make(cloud)
    api.function(function)
    template = '{"error":{"message":$context.error.messageString,"api":"$context.apiId"}}'
    api.gateway_response("DEFAULT_4XX", responseParameters={"gatewayresponse.header.X-Family": "'4xx'"})
    api.gateway_response(
        "MISSING_AUTHENTICATION_TOKEN",
        statusCode="404",
        responseParameters={"gatewayresponse.header.X-Own": "'yes'"},
        responseTemplates={"application/json": template},
    )
    answer = HTTP.request("GET", api.deploy())
    assert answer.status == 404
    assert answer.json() == {"error": {"message": "Missing Authentication Token", "api": api.id}}
    assert answer.headers["X-Own"] == "yes"
    assert "X-Family" not in answer.headers


def test_payloads_over_the_limit(echo: str) -> None:
    answer = post(echo, b"x" * (10 * 1024 * 1024 + 1))
    assert answer.status == 413
    assert answer.headers[ORIGIN] == "*"


def test_an_integration_that_takes_too_long(cloud: Cloud, function: str) -> None:
    api = Api.make(cloud)
    api.function(function, timeoutInMillis=300)
    answer = HTTP.request("POST", api.deploy() + "?answer=sleep")
    assert (answer.status, answer.json()) == (504, {"message": "Endpoint request timed out"})


def test_throttling_outlives_a_deployment(cloud: Cloud) -> None:
    api = Api.make(cloud)
    where = api.method("GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.answer(where, "200", {})
    api.gateway_response("THROTTLED", responseParameters={f"gatewayresponse.header.{ORIGIN}": "'*'"})
    api.deploy()
    limits = {"rateLimit": "0.001", "burstLimit": "3"}
    patches = [{"op": "replace", "path": f"/*/*/throttling/{name}", "value": limit} for name, limit in limits.items()]
    cloud.apigateway.update_stage(restApiId=api.id, stageName="prod", patchOperations=patches)
    url = api.deploy()
    answers = [HTTP.request("GET", url) for _ in range(4)]
    assert [answer.status for answer in answers] == [200, 200, 200, 429]
    assert answers[-1].headers[ORIGIN] == "*"


def test_a_preflight_is_answered_by_a_mock(cloud: Cloud) -> None:
    api = Api.make(cloud)
    where = api.method("OPTIONS", type="MOCK", requestTemplates={"application/json": '{"statusCode": 204}'})
    api.answer(where, "204", {ORIGIN: "'*'", "Access-Control-Allow-Methods": "'POST,OPTIONS'"})
    answer = HTTP.request("OPTIONS", api.deploy(), headers={"Origin": "null"})
    assert (answer.status, answer.data) == (204, b"")
    assert answer.headers[ORIGIN] == "*"
    assert answer.headers["Access-Control-Allow-Methods"] == "POST,OPTIONS"


def test_mock_templates(cloud: Cloud) -> None:
    api = Api.make(cloud)
    where = api.method(
        "POST",
        type="MOCK",
        passthroughBehavior="NEVER",
        requestTemplates={"application/json": '{"statusCode": 404}'},
    )
    api.answer(where, "200", {})
    templates = {"text/html": "<p>$context.stage</p>"}
    api.answer(where, "404", {}, selectionPattern=r"4\d{2}", responseTemplates=templates)
    url = api.deploy()
    answer = post(url)
    assert (answer.status, answer.data) == (404, b"<p>prod</p>")
    assert post(url, b"x", content_type="text/plain").status == 415


def test_headers_that_the_method_does_not_declare_are_refused(cloud: Cloud) -> None:
    api = Api.make(cloud)
    where = api.method("OPTIONS", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    cloud.apigateway.put_method_response(**where, statusCode="200")
    parameters = {f"method.response.header.{ORIGIN}": "'*'"}
    with pytest.raises(ClientError, match="Invalid mapping expression"):
        cloud.apigateway.put_integration_response(**where, statusCode="200", responseParameters=parameters)


def s3_api(cloud: Cloud, key: str, role: str) -> str:
    api = Api.make(cloud)
    uri = f"arn:aws:apigateway:us-east-1:s3:path/{cloud.bucket}/{key}"
    where = api.method("GET", type="AWS", integrationHttpMethod="GET", uri=uri, credentials=role)
    api.answer(where, "200", {"Content-Type": "integration.response.header.Content-Type", ORIGIN: "'*'"})
    api.answer(where, "404", {"Content-Type": "'text/plain'"}, selectionPattern=r"4\d{2}")
    return api.deploy()


def reader(cloud: Cloud) -> str:
    policy = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{cloud.bucket}/*"}
    return cloud.role("apigateway.amazonaws.com", policy=policy)


def test_a_page_from_s3(cloud: Cloud) -> None:
    page = "<h1>schön</h1>".encode()
    cloud.s3.put_object(Bucket=cloud.bucket, Key="site/index.html", Body=page, ContentType="text/html; charset=utf-8")
    url = s3_api(cloud, "site/index.html", reader(cloud))
    answer = HTTP.request("GET", url)
    assert (answer.status, answer.data) == (200, page)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8"
    assert answer.headers[ORIGIN] == "*"


def test_a_missing_object_is_mapped_by_its_pattern(cloud: Cloud) -> None:
    assert HTTP.request("GET", s3_api(cloud, "nothing.html", reader(cloud))).status == 404


def test_what_no_pattern_fits_is_mapped_by_the_answer_without_one(cloud: Cloud) -> None:
    cloud.upload("there.html", b"page")
    for key, status in (("there.html", 200), ("nothing.html", 502)):
        api = Api.make(cloud)
        uri = f"arn:aws:apigateway:us-east-1:s3:path/{cloud.bucket}/{key}"
        where = api.method("GET", type="AWS", integrationHttpMethod="GET", uri=uri, credentials=reader(cloud))
        api.answer(where, "200", {}, selectionPattern=r"2\d{2}")
        api.answer(where, "502", {"Content-Type": "integration.response.header.Content-Type"})
        answer = HTTP.request("GET", api.deploy())
        assert answer.status == status
    assert answer.headers["Content-Type"] == "application/xml"


def test_the_role_is_what_counts(cloud: Cloud) -> None:
    cloud.upload("page.html", b"page")
    assert HTTP.request("GET", s3_api(cloud, "page.html", cloud.role("apigateway.amazonaws.com"))).status == 404
    assert HTTP.request("GET", s3_api(cloud, "page.html", cloud.role("lambda.amazonaws.com"))).status == 500


def test_changes_need_a_deployment(cloud: Cloud) -> None:
    api = Api.make(cloud)
    where = api.method("GET", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.answer(where, "200", {})
    url = api.deploy()
    cloud.apigateway.delete_method(**where)
    assert HTTP.request("GET", url).status == 200
    api.method("PUT", type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    api.deploy()
    assert HTTP.request("GET", url).status == 403


def test_path_parameters(cloud: Cloud, function: str) -> None:
    api = Api.make(cloud)
    uri = f"arn:aws:apigateway:us-east-1:lambda:path/2015-03-31/functions/{function}/invocations"
    keywords: dict[str, Any] = {"type": "AWS_PROXY", "integrationHttpMethod": "POST", "uri": uri}
    keywords["credentials"] = cloud.role("apigateway.amazonaws.com")
    api.method("ANY", resource=api.resource("{proxy+}"), **keywords)
    event = HTTP.request("DELETE", api.deploy() + "a/b").json()
    assert (event["resource"], event["pathParameters"]) == ("/{proxy+}", {"proxy": "a/b"})


def test_a_deployment_can_be_deleted_once_its_stage_serves_another(cloud: Cloud) -> None:
    api = Api.make(cloud)
    api.function(cloud.function(ECHO))
    url = api.deploy()
    (first,) = (entry["id"] for entry in cloud.apigateway.get_deployments(restApiId=api.id)["items"])
    with pytest.raises(ClientError, match=r"BadRequestException.*Active stages"):
        cloud.apigateway.delete_deployment(restApiId=api.id, deploymentId=first)
    api.deploy()
    cloud.apigateway.delete_deployment(restApiId=api.id, deploymentId=first)
    assert len(cloud.apigateway.get_deployments(restApiId=api.id)["items"]) == 1
    assert HTTP.request("POST", url).status == 201


def test_what_was_deployed_is_let_go_of_with_its_api(tmp_path: Path) -> None:
    control = ControlPlane(Journal(tmp_path), Weather(tmp_path / "weather"))
    Gateway(control, *[Mock()] * 5)
    headers = {"authorization": authorization("apigateway", "us-east-1"), "content-type": "application/json"}

    def call(method: str, path: str, **body: str) -> Any:
        answer = control.handle(Request.make(method, f"/restapis{path}", "", headers, json.dumps(body).encode()))
        assert answer.ok, answer.get_data()
        return json.loads(answer.get_data() or b"null")

    api = call("POST", "", name="a")
    where = f"/{api['id']}/resources/{api['rootResourceId']}/methods/GET"
    call("PUT", where, authorizationType="NONE")
    call("PUT", f"{where}/integration", type="MOCK")
    call("POST", f"/{api['id']}/deployments", stageName="prod")
    held = [weakref.ref(each) for each in gc.get_objects() if isinstance(each, Deployment)]
    assert all(each() for each in held)
    assert held
    call("DELETE", f"/{api['id']}")
    gc.collect()
    assert not any(each() for each in held)
    control.journal.close()
