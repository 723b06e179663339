"""The API's contract, through the entry point that Lambda calls."""

import base64
import io
import json
import time
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.response import StreamingBody
from botocore.stub import Stubber
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

URL = "https://runtime.sagemaker.eu-west-1.amazonaws.com/endpoints/x/invocations"
ARN = "arn:aws:sagemaker:eu-west-1:123456789012:endpoint/reviews-local-endpoint"
FORM = "application/x-www-form-urlencoded"
JSON = "application/json"
API_REQUEST = "11111111-2222-3333-4444-555555555555"

FIXED_HEADERS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, OPTIONS, POST",
    "Access-Control-Allow-Headers": "Accept, Content-Type",
    "Access-Control-Expose-Headers": "Retry-After, x-amzn-RequestId",
    "Cache-Control": "no-store",
    "Vary": "Accept",
    "X-Content-Type-Options": "nosniff",
}

Post = Callable[..., "Answer"]


class Answer:
    """A proxy response that has been checked for what every answer must have."""

    def __init__(self, response: dict[str, Any]) -> None:
        assert set(response) == {"statusCode", "headers", "body", "isBase64Encoded"}
        assert isinstance(response["statusCode"], int)
        assert isinstance(response["body"], str)
        assert response["isBase64Encoded"] is False
        self.status: int = response["statusCode"]
        self.headers: dict[str, str] = response["headers"]
        self.body: str = response["body"]
        assert all(isinstance(value, str) for value in self.headers.values())
        assert FIXED_HEADERS.items() <= self.headers.items()
        assert self.headers["Content-Type"] in ("text/plain; charset=utf-8", "application/json; charset=utf-8")
        if self.status >= 400:
            assert self.is_json
            assert set(self.json) == {"error"}
            assert set(self.json["error"]) == {"code", "message", "request_id"}
            assert self.json["error"]["request_id"] == API_REQUEST
            assert self.json["error"]["message"].endswith(".")

    @property
    def is_json(self) -> bool:
        return self.headers["Content-Type"].startswith(JSON)

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def error(self) -> str:
        code: str = self.json["error"]["code"]
        return code


def proxy_event(body: str | bytes | None, headers: dict[str, str] | None, method: str = "POST") -> dict[str, Any]:
    """An event of a REST API with proxy integration; bytes go in as base64."""
    return {
        "resource": "/",
        "path": "/",
        "httpMethod": method,
        "headers": headers,
        "multiValueHeaders": headers and {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "requestContext": {"stage": "prod", "requestId": API_REQUEST},
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


@pytest.fixture
def post(handler: ModuleType, endpoint: Any) -> Post:
    def send(
        body: str | bytes | None, content_type: str = "", accept: str = "", method: str = "POST", encoding: str = ""
    ) -> Answer:
        headers = {"Content-Type": content_type, "Accept": accept, "Content-Encoding": encoding}
        event = proxy_event(body, {name: value for name, value in headers.items() if value}, method)
        return Answer(handler.lambda_handler(event, SimpleNamespace(aws_request_id="request-1")))

    return send


@pytest.mark.parametrize(
    "content_type", ["", "text/plain", "text/plain;charset=UTF-8", "text/html", FORM, FORM + "; x=y"]
)
@pytest.mark.parametrize("accept", ["", "*/*", "text/plain"])
@pytest.mark.parametrize(("review", "expected"), [("a good film", "1"), ("a dull film", "0")])
def test_a_text_is_answered_with_one_or_zero(
    post: Post, content_type: str, accept: str, review: str, expected: str
) -> None:
    answer = post(review, content_type, accept)
    assert (answer.status, answer.body) == (200, expected)
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_a_form_is_taken_as_it_is(post: Post, endpoint: Any) -> None:
    post("100%25+good=yes & <br />", FORM)
    assert endpoint.last_request == {"reviews": ["100%25+good=yes & <br />"], "explain": False}


@pytest.mark.parametrize(
    ("accept", "is_json"),
    [
        ("application/json", True),
        ("APPLICATION/JSON", True),
        ("application/json; charset=utf-8", True),
        ("text/html,application/json;q=0.9", True),
        ("application/json, */*", True),
        ("application/json, text/javascript, */*; q=0.01", True),
        ("application/*", True),
        ("text/plain;q=0, */*", True),
        ("text/plain;q=0.2, application/json;q=0.3", True),
        ("text/*;q=0.5, application/json;q=0.7", True),
        ("application/json, text/plain, */*", False),
        ("application/json;q=0.5, */*", False),
        ("text/*, application/json;q=0.9", False),
        ("text/html", False),
        ("image/png", False),
        ("application/json;q=0", False),
        ("text/plain;q=0", False),
        ("text/*;q=0", False),
        ("*/*;q=0", False),
        ("application/json;q=nan", False),
        ("application/json;q=-1", False),
        (",;,", False),
    ],
)
def test_accept_decides_the_answer_to_a_text(post: Post, accept: str, is_json: bool) -> None:
    answer = post("a good film", "text/plain", accept)
    assert answer.status == 200
    assert answer.is_json is is_json
    assert (answer.json["sentiment"] if is_json else answer.body) == (1 if is_json else "1")


def test_header_names_are_case_insensitive(handler: ModuleType, endpoint: Any) -> None:
    event = proxy_event('{"review": "good"}', {"cOnTeNt-tYpE": JSON})
    assert Answer(handler.lambda_handler(event, None)).is_json
    event = proxy_event("good", {"ACCEPT": JSON})
    assert Answer(handler.lambda_handler(event, None)).is_json


def test_repeated_accept_headers_count_together(handler: ModuleType, endpoint: Any) -> None:
    event = proxy_event("good", {})
    event["headers"], event["multiValueHeaders"] = {"Accept": "text/html"}, {"Accept": [JSON, "text/html"]}
    assert Answer(handler.lambda_handler(event, None)).is_json


@pytest.mark.parametrize(
    "content_type", [JSON, JSON + ";charset=utf-8", "Application/Vnd.Reviews+JSON", FORM, "", "text/plain"]
)
@pytest.mark.parametrize("accept", ["", "*/*", "text/plain", "application/json"])
def test_a_json_body_gets_json(post: Post, content_type: str, accept: str) -> None:
    answer = post('{"review": "a good film"}', content_type, accept)
    assert answer.status == 200
    assert answer.json == {"label": "positive", "sentiment": 1, "probability": 0.97, "model": "reviews-1"}


def test_an_explanation_comes_where_asked(post: Post, endpoint: Any) -> None:
    answer = post('{"review": "good", "explain": true}', JSON)
    word = {"word": "good", "start": 0, "end": 4, "contribution": 0.4}
    assert answer.json["explanation"] == {"words": [word], "phrases": []}
    assert "explanation" not in post('{"review": "good", "explain": false}', JSON).json


def test_a_list_of_reviews_gets_a_list(post: Post, endpoint: Any) -> None:
    answer = post('{"reviews": ["good", "dull", "so good"]}', JSON)
    assert [prediction["sentiment"] for prediction in answer.json] == [1, 0, 1]
    assert len(endpoint.calls) == 1
    assert [one["sentiment"] for one in post('{"reviews": ["dull"]}', JSON).json] == [0]


@pytest.mark.parametrize("text", ['{"rating": 1} was my good vote', '{"rating": "good"}', "{good", '["good"]'])
def test_a_text_that_resembles_json_stays_a_text(post: Post, endpoint: Any, text: str) -> None:
    assert post(text, "text/plain").body == "1"
    assert endpoint.last_request["reviews"] == [text]


@pytest.mark.parametrize("content_type", ["", FORM, "application/octet-stream"])
def test_bytes_are_read_as_utf8(post: Post, endpoint: Any, content_type: str) -> None:
    assert post("très good 🎬".encode(), content_type).body == "1"
    assert endpoint.last_request["reviews"] == ["très good 🎬"]
    post("\ufeffgood".encode(), content_type)
    assert endpoint.last_request["reviews"] == ["good"]


@pytest.mark.parametrize(
    ("body", "content_type", "status", "code"),
    [
        (None, "", 400, "empty_review"),
        ("", "text/plain", 400, "empty_review"),
        (" \n\t\u3000", FORM, 400, "empty_review"),
        (None, JSON, 400, "empty_review"),
        (b"", JSON, 400, "empty_review"),
        ("caf\u00e9".encode("latin-1"), "text/plain", 400, "not_utf8"),
        (b'{"review": "\xff"}', JSON, 400, "not_utf8"),
        ("half \ud800", "text/plain", 400, "not_utf8"),
        ('{"review": "\\ud800"}', JSON, 400, "not_utf8"),
        ("good", JSON, 400, "not_json"),
        ('{"review": "good"', JSON, 400, "not_json"),
        ("[" * 200_000, JSON, 400, "not_json"),
        ("null", JSON, 400, "invalid_request"),
        ("{}", JSON, 400, "invalid_request"),
        ('"good"', JSON, 400, "invalid_request"),
        ('["good"]', JSON, 400, "invalid_request"),
        ('{"review": "good", "reviews": ["good"]}', JSON, 400, "invalid_request"),
        ('{"review": 5}', JSON, 400, "invalid_request"),
        ('{"review": null}', JSON, 400, "invalid_request"),
        ('{"review": ["good"]}', JSON, 400, "invalid_request"),
        ('{"review": "good", "explain": "yes"}', JSON, 400, "invalid_request"),
        ('{"review": "good", "explain": 1}', JSON, 400, "invalid_request"),
        ('{"review": " "}', JSON, 400, "empty_review"),
        ('{"reviews": "good"}', JSON, 400, "invalid_request"),
        ('{"reviews": ["good", 5]}', JSON, 400, "invalid_request"),
        ('{"reviews": []}', JSON, 400, "empty_review"),
        ('{"reviews": ["good", ""]}', JSON, 400, "empty_review"),
        ("g" * 1001, "", 413, "review_too_long"),
        (json.dumps({"review": "g" * 1001}), JSON, 413, "review_too_long"),
        (json.dumps({"reviews": ["good", "g" * 1001]}), JSON, 413, "review_too_long"),
        (json.dumps({"reviews": ["good"] * 6}), JSON, 413, "too_many_reviews"),
        ("good", "image/png", 415, "unsupported_media_type"),
        ("good", "multipart/form-data; boundary=x", 415, "unsupported_media_type"),
    ],
)
@pytest.mark.parametrize("accept", ["text/plain", JSON])
def test_bad_requests_are_refused_without_asking_the_model(
    post: Post, endpoint: Any, body: str | bytes | None, content_type: str, status: int, code: str, accept: str
) -> None:
    answer = post(body, content_type, accept)
    assert (answer.status, answer.error) == (status, code)
    assert endpoint.calls == []


def test_the_limits_themselves_are_allowed(post: Post) -> None:
    assert post("🎬" * 1000).status == 200
    assert post(json.dumps({"reviews": ["good"] * 5}), JSON).status == 200


def test_a_message_names_the_review_that_is_wrong(post: Post) -> None:
    answer = post('{"reviews": ["good", "good", ""]}', JSON)
    assert answer.json["error"]["message"] == '"reviews"[2] is empty.'


def test_broken_base64_is_refused(handler: ModuleType, endpoint: Any) -> None:
    event = proxy_event("not base64!", None) | {"isBase64Encoded": True}
    assert Answer(handler.lambda_handler(event, None)).error == "not_utf8"


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "PATCH", "OPTIONS"])
def test_other_methods_are_refused(post: Post, endpoint: Any, method: str) -> None:
    answer = post("good", method=method)
    assert (answer.status, answer.error) == (405, "method_not_allowed")
    assert answer.headers["Allow"] == "OPTIONS, POST"
    assert endpoint.calls == []


def test_a_bare_event_is_a_post(handler: ModuleType, endpoint: Any) -> None:
    assert Answer(handler.lambda_handler({"body": "good"}, None)).body == "1"
    assert "CustomAttributes" not in endpoint.calls[-1]


def test_a_request_that_did_not_come_through_an_api_has_lambdas_id(handler: ModuleType, endpoint: Any) -> None:
    answer = handler.lambda_handler({"body": ""}, SimpleNamespace(aws_request_id="invocation-1"))
    assert json.loads(answer["body"])["error"]["request_id"] == "invocation-1"


def client_error(code: str, status: int, message: str = "", **fields: Any) -> ClientError:
    response = {"Error": {"Code": code, "Message": message}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(response | fields, "InvokeEndpoint")


def test_outside_of_its_hours_the_model_is_closed_and_the_hours_are_told(
    handler: ModuleType,
    post: Post,
    endpoint: Any,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(handler, "HOURS", "mon-fri 08:00 to mon-fri 19:00, Europe/Berlin")
    endpoint.outcomes = [
        client_error("ValidationError", 400, f"Endpoint {ARN} not found."),
        client_error("Strange", 418),
    ]
    answer = post("good")
    assert (answer.status, answer.error) == (503, "closed")
    assert "mon-fri 08:00 to mon-fri 19:00, Europe/Berlin" in answer.json["error"]["message"]
    assert "Retry-After" not in answer.headers
    assert json.loads(capsys.readouterr().out)["detail"] == f"ValidationError: Endpoint {ARN} not found."
    assert post("good").error == "endpoint_error"


@pytest.mark.parametrize(
    ("outcome", "status", "code", "retry_after"),
    [
        (client_error("ModelError", 424, f"see {ARN}", OriginalStatusCode=500), 502, "model_error", None),
        (client_error("ModelError", 424, f"see {ARN}", OriginalStatusCode=503), 503, "endpoint_unavailable", "5"),
        (client_error("ModelError", 424, f"see {ARN}", OriginalStatusCode=429), 503, "endpoint_unavailable", "5"),
        (client_error("ValidationError", 400, f"Endpoint {ARN} not found."), 503, "endpoint_unavailable", "5"),
        (client_error("ServiceUnavailable", 503), 503, "endpoint_unavailable", "5"),
        (client_error("ModelNotReadyException", 429), 503, "endpoint_unavailable", "5"),
        (client_error("InternalFailure", 500), 503, "endpoint_unavailable", "5"),
        (client_error("ThrottlingException", 400, "Rate exceeded"), 429, "throttled", "1"),
        (client_error("Throttling", 400), 429, "throttled", "1"),
        (client_error("TooManyRequestsException", 429), 429, "throttled", "1"),
        (client_error("AccessDeniedException", 403, f"not authorized: {ARN}"), 500, "endpoint_access", None),
        (client_error("ExpiredTokenException", 403, "expired"), 500, "endpoint_access", None),
        (client_error("UnrecognizedClientException", 403), 500, "endpoint_access", None),
        (client_error("Strange", 418, ARN), 502, "endpoint_error", None),
        (client_error("KMSAccessDeniedException", 400), 500, "endpoint_access", None),
        (ClientError({}, "InvokeEndpoint"), 502, "endpoint_error", None),
        (NoCredentialsError(), 500, "endpoint_access", None),
        (ReadTimeoutError(endpoint_url=URL), 504, "endpoint_timeout", "5"),
        (ConnectTimeoutError(endpoint_url=URL), 504, "endpoint_timeout", "5"),
        (EndpointConnectionError(endpoint_url=URL), 503, "endpoint_unavailable", "5"),
        (RuntimeError("the review was good"), 500, "internal_error", None),
        (b"not json", 502, "model_error", None),
        (b"\xff", 502, "model_error", None),
        (b"[" * 200_000, 502, "model_error", None),
        (b"[]", 502, "model_error", None),
        (b'"positive"', 502, "model_error", None),
        (b'[{"label": "positive"}]', 502, "model_error", None),
        (b'[{"sentiment": 2}]', 502, "model_error", None),
        (b'{"error": "strange"}', 502, "model_error", None),
        (b'{"error": {"code": "too_many_words", "message": "Too many."}}', 413, "too_many_words", None),
        (b'{"error": {"code": "no_words", "message": "Nothing to read."}}', 400, "no_words", None),
        (b'{"error": {}}', 400, "model_refused", None),
    ],
)
def test_endpoint_trouble_becomes_a_clear_answer(
    post: Post, endpoint: Any, outcome: bytes | Exception, status: int, code: str, retry_after: str | None
) -> None:
    endpoint.outcomes = [outcome]
    answer = post("good")
    assert (answer.status, answer.error) == (status, code)
    assert answer.headers.get("Retry-After") == retry_after
    assert "arn:" not in answer.body
    assert "good" not in answer.body


def test_a_connection_that_was_dropped_is_made_again_once(post: Post, endpoint: Any) -> None:
    endpoint.outcomes = [ConnectionClosedError(endpoint_url=URL)]
    assert post("good").body == "1"
    endpoint.outcomes = [ConnectionClosedError(endpoint_url=URL), ConnectionClosedError(endpoint_url=URL)]
    assert post("good").error == "endpoint_unavailable"


def test_numbers_that_json_does_not_have_are_never_sent(post: Post, endpoint: Any) -> None:
    endpoint.outcomes = [b'[{"sentiment": 1, "probability": NaN}]']
    assert post("good", accept=JSON).error == "internal_error"


def test_the_log_says_what_happened_and_never_the_review(
    post: Post, endpoint: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    post(json.dumps({"reviews": ["secret good", "secret"]}), JSON)
    endpoint.outcomes = [
        client_error("ModelError", 424, "secret", OriginalStatusCode=500, LogStreamArn=ARN),
        client_error("AccessDeniedException", 403, f"not authorized: {ARN}"),
        RuntimeError("secret"),
    ]
    for _ in range(3):
        post("secret good")
    post("  ")
    output = capsys.readouterr().out
    assert "secret" not in output
    fine, model, access, internal, empty = (json.loads(line) for line in output.splitlines())
    assert fine.pop("milliseconds") >= 0
    named = {"request_id": API_REQUEST, "invocation": "request-1"}
    verdicts = {"positive": 1, "negative": 1, "undecided": 0}
    assert fine == named | verdicts | {"reviews": 2, "characters": 17, "status": 200}
    assert {call["CustomAttributes"] for call in endpoint.calls} == {API_REQUEST}  # so the endpoint's log has it, too
    assert (model["status"], model["error"]) == (502, "model_error")
    assert ARN in model["detail"]
    assert "sagemaker:InvokeEndpoint" in access["detail"]
    assert ARN in access["detail"]
    kind, *frames = internal["detail"].splitlines()
    assert kind == "RuntimeError"
    assert all(frame.startswith("  ") for frame in frames)
    assert "invoke_endpoint" in internal["detail"]
    assert (empty["status"], empty["error"], empty["reviews"]) == (400, "empty_review", 0)


@pytest.mark.parametrize(
    ("outcome", "detail"),
    [
        (client_error("Throttling", 400, "Rate exceeded"), "Throttling: Rate exceeded"),
        (client_error("TooManyRequestsException", 429), "TooManyRequestsException: "),
        (client_error("InternalFailure", 500, "Try again"), "InternalFailure: Try again"),
        (client_error("Strange", 418, "A teapot"), "Strange: A teapot"),
        (client_error("ModelError", 424, OriginalStatusCode=500, LogStreamArn=ARN), f"status 500, see {ARN}"),
        (client_error("ModelError", 424, OriginalStatusCode=503, LogStreamArn=ARN), f"status 503, see {ARN}"),
        (EndpointConnectionError(endpoint_url=URL), "EndpointConnectionError"),
        (b"not json", "not JSON"),
        (b"[]", "not a list of 1"),
        (b"[{}]", "a prediction without a sentiment of 0 or 1"),
    ],
)
def test_the_log_has_what_went_wrong_behind_the_answer(
    post: Post, endpoint: Any, capsys: pytest.CaptureFixture[str], outcome: bytes | Exception, detail: str
) -> None:
    endpoint.outcomes = [outcome]
    answer = post("good")
    record = json.loads(capsys.readouterr().out)
    assert (record["error"], record["detail"]) == (answer.error, detail)


def test_the_log_has_the_milliseconds_to_a_tenth(
    post: Post, handler: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clock = iter([5.0, 5.0123456])
    monkeypatch.setattr(handler, "time", SimpleNamespace(perf_counter=lambda: next(clock)))
    post("good")
    assert json.loads(capsys.readouterr().out)["milliseconds"] == 12.3


def test_the_log_counts_the_undecided_apart(
    post: Post, handler: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handler, "METRICS_NAMESPACE", "sentictl")
    post(json.dumps({"reviews": ["good", "good perhaps", "perhaps", "dull", "dull"]}), JSON)
    record = told_metrics(capsys)
    assert [record[name] for name in ("positive", "negative", "undecided", "Undecided")] == [1, 2, 2, 0.4]


def test_a_model_of_ones_own_without_probabilities_makes_no_metrics(
    post: Post, endpoint: Any, handler: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(handler, "METRICS_NAMESPACE", "sentictl")
    endpoint.outcomes = [b'[{"sentiment": 1}]', b'[{"sentiment": 1, "probability": 0.9}]']
    post("good")
    assert "_aws" not in told_metrics(capsys)
    post("good")
    assert told_metrics(capsys)["Model"] == "-"


def test_a_message_of_the_models_reaches_the_caller(post: Post, endpoint: Any) -> None:
    told = {"code": "no_words", "message": "Nothing to read."}
    endpoint.outcomes = [json.dumps({"error": told}).encode()]
    assert told.items() <= post("good").json["error"].items()


def test_the_real_client_takes_the_call_and_gives_up_before_api_gateway(handler: ModuleType) -> None:
    config = handler.CLIENT.meta.config
    assert config.connect_timeout + config.read_timeout < 29
    assert config.retries["total_max_attempts"] == 1
    answer = b'[{"label": "positive", "sentiment": 1, "probability": 0.9, "model": "m"}]'
    expected = {
        "EndpointName": "reviews-local-endpoint",
        "ContentType": JSON,
        "Accept": JSON,
        "Body": '{"reviews": ["très good"], "explain": false}'.encode(),
        "CustomAttributes": API_REQUEST,
    }
    with Stubber(handler.CLIENT) as stubber:
        body = StreamingBody(io.BytesIO(answer), len(answer))
        stubber.add_response("invoke_endpoint", {"Body": body}, expected)
        assert Answer(handler.lambda_handler(proxy_event("très good", None), None)).body == "1"
        stubber.add_client_error("invoke_endpoint", "ModelError", modeled_fields={"OriginalStatusCode": 500})
        assert Answer(handler.lambda_handler(proxy_event("good", None), None)).error == "model_error"


header_values = st.one_of(
    st.sampled_from(["*/*", "text/plain", JSON, JSON + ";q=0.5", FORM, "application/x+json", "image/png"]),
    st.text(max_size=40),
)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=7) | st.dictionaries(st.sampled_from(["review", "reviews", "explain"]), inner)
    ),
    max_leaves=12,
)
bodies = st.one_of(st.none(), st.text(), st.binary(), json_values.map(json.dumps))
any_text = st.text(st.characters(), max_size=60)  # lone surrogates included


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    body=bodies | any_text,
    headers=st.none() | st.dictionaries(st.sampled_from(["Accept", "content-type", "X-Other"]), header_values),
    method=st.sampled_from(["POST", "POST", "POST", "OPTIONS", "GET"]),
)
def test_whatever_comes_the_answer_is_valid(
    handler: ModuleType, endpoint: Any, body: str | bytes | None, headers: dict[str, str] | None, method: str
) -> None:
    answer = Answer(handler.lambda_handler(proxy_event(body, headers, method), None))
    assert answer.status in (200, 400, 405, 413, 415)
    assert (answer.status == 405) == (method != "POST")


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(outcome=st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_whatever_the_model_says_the_answer_is_valid(handler: ModuleType, endpoint: Any, outcome: bytes) -> None:
    endpoint.outcomes = [outcome]
    answer = Answer(handler.lambda_handler(proxy_event("good", {"Accept": JSON}), None))
    assert answer.status in (400, 502)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(text=st.integers(0, 1000), detail=st.integers(0, 1000))
def test_the_higher_quality_wins(handler: ModuleType, endpoint: Any, text: int, detail: int) -> None:
    accept = f"text/plain;q={text / 1000:.3f}, application/json;q={detail / 1000:.3f}"
    answer = Answer(handler.lambda_handler(proxy_event("good", {"Accept": accept}), None))
    assert answer.is_json is (detail > text)


def told_metrics(capsys: pytest.CaptureFixture[str]) -> dict[str, Any]:
    record: dict[str, Any] = json.loads(capsys.readouterr().out.splitlines()[-1])
    return record


def test_answers_are_no_metrics_unless_that_is_asked_for(post: Post, capsys: pytest.CaptureFixture[str]) -> None:
    post("a good film")
    assert "_aws" not in told_metrics(capsys)


def test_answers_become_metrics_without_the_review(
    post: Post, handler: ModuleType, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handler, "METRICS_NAMESPACE", "sentictl")
    post(json.dumps({"reviews": ["a good film", "a film"]}), JSON)
    record = told_metrics(capsys)
    (directive,) = record["_aws"]["CloudWatchMetrics"]
    assert directive["Namespace"] == "sentictl"
    assert directive["Dimensions"] == [["Endpoint"], ["Endpoint", "Model"]]
    assert abs(record["_aws"]["Timestamp"] / 1000 - time.time()) < 3600
    names = [metric["Name"] for metric in directive["Metrics"]]
    assert {name: record[name] for name in names} == {"Undecided": 0.0, "Probability": pytest.approx(0.505)}
    assert (record["Endpoint"], record["Model"]) == ("reviews-local-endpoint", "reviews-1")
    assert "film" not in json.dumps(record)
