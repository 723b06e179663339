"""AWS's own Lambda runtime client runs the zip that `wire-lambda` uploads, and the function calls over real HTTP.

The endpoint behind it is played: SageMaker's HTTP around the real inference.py on the toy artifact.
"""

import base64
import io
import json
import threading
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from sentictl.twin.core.environment import Access
from sentictl.twin.lambda_.runtime import ExecutionEnvironment, FunctionSpec
from tests.conformance.conftest import REGION, Submitted
from tests.model_code.scripts import load_script

GOOD = "The acting was wonderful. The plot was superb."
BAD = "The acting was dreadful. The plot was boring."
ACCENTS = "Très superb — 🎬"
JSON = "application/json"
TEXT = "text/plain"
LOG_STREAM = f"arn:aws:logs:{REGION}:111122223333:log-group:/aws/sagemaker/Endpoints/toy-local-endpoint"

Reply = tuple[int, Mapping[str, str], bytes] | None  # status, headers and body; None hangs up without an answer
Answerer = Callable[[bytes, str, str], Reply]


class Endpoint:
    """SageMaker's InvokeEndpoint on a free port.

    Attributes:
        next: what answers the next request instead of the model.
        hand_over: makes of a body what input_fn gets.
        paths: that were asked for.
    """

    def __init__(self, inference: ModuleType, model: Any) -> None:
        self._inference, self._model = inference, model
        self.next: Answerer | None = None
        self.hand_over: Callable[[bytes], Any] = bytes.decode
        self.paths: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Invoke", (_Invoke,), {"endpoint": self}))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def answer(self, path: str, body: bytes, content_type: str, accept: str) -> Reply:
        self.paths.append(path)
        answerer, self.next = self.next or self._predict, None
        return answerer(body, content_type, accept)

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()

    def _predict(self, body: bytes, content_type: str, accept: str) -> Reply:
        request = self._inference.input_fn(self.hand_over(body), content_type)
        answer, kind = self._inference.output_fn(self._inference.predict_fn(request, self._model), accept)
        return 200, {"Content-Type": kind}, answer.encode()


class _Invoke(BaseHTTPRequestHandler):
    endpoint: Endpoint
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        reply = self.endpoint.answer(self.path, body, self.headers["Content-Type"], self.headers["Accept"])
        if reply is None:
            self.close_connection = True
            return
        status, headers, content = reply
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Leave the tests' output alone."""


class Function:
    """The function in one execution environment, asked as API Gateway asks it."""

    def __init__(self, spec: FunctionSpec, code: Path, url: str) -> None:
        self.log: list[str] = []
        self._environment = ExecutionEnvironment(
            spec, code, Access(url, "key"), "2026/01/01/[$LATEST]test", self.log.append
        )

    def ask(self, body: str | bytes | None, content_type: str = TEXT, accept: str = "*/*") -> Any:
        """The proxy response; the function must not fail itself. Bytes go in as base64."""
        outcome = self._environment.invoke(json.dumps(proxy_event(body, content_type, accept)).encode())
        assert outcome.error is None, outcome.payload
        response = json.loads(outcome.payload)
        assert response["headers"]["Access-Control-Allow-Origin"] == "*"
        return response

    def refusal(self, body: str | bytes | None, content_type: str = TEXT) -> tuple[int, str]:
        """The status and the code of an answer that must be an error."""
        response = self.ask(body, content_type)
        return response["statusCode"], json.loads(response["body"])["error"]["code"]

    def close(self) -> None:
        self._environment.close()


def proxy_event(body: str | bytes | None, content_type: str, accept: str) -> dict[str, Any]:
    """The event of a POST to a REST API's root (payload format 1.0), with the members that AWS documents."""
    headers = {
        "Accept": accept,
        "Content-Type": content_type,
        "Host": "abcdef1234.execute-api.eu-west-1.amazonaws.com",
        "User-Agent": "curl/8.5.0",
        "X-Amzn-Trace-Id": "Root=1-67891233-abcdef012345678912345678",
        "X-Forwarded-For": "192.0.2.1",
        "X-Forwarded-Port": "443",
        "X-Forwarded-Proto": "https",
    }
    return {
        "resource": "/",
        "path": "/",
        "httpMethod": "POST",
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "pathParameters": None,
        "stageVariables": None,
        "requestContext": {
            "resourceId": "2gxmpl",
            "resourcePath": "/",
            "httpMethod": "POST",
            "path": "/prod/",
            "accountId": "111122223333",
            "protocol": "HTTP/1.1",
            "stage": "prod",
            "requestId": "79104EXAMPLEB723",
            "identity": {"sourceIp": "192.0.2.1", "userAgent": "curl/8.5.0", "apiKey": None},
            "apiId": "abcdef1234",
        },
        "body": base64.b64encode(body).decode() if isinstance(body, bytes) else body,
        "isBase64Encoded": isinstance(body, bytes),
    }


def refuses(status: int, kind: str, document: Mapping[str, Any]) -> Answerer:
    """An error as SageMaker's runtime API sends it: the kind in a header, the rest as JSON."""
    headers = {"Content-Type": JSON, "x-amzn-ErrorType": kind}
    return lambda *_: (status, headers, json.dumps(document).encode())


@pytest.fixture(scope="module")
def endpoint(toy_artifact: Path) -> Iterator[Endpoint]:
    inference = load_script("inference")
    played = Endpoint(inference, inference.model_fn(str(toy_artifact)))
    yield played
    played.close()


@pytest.fixture(scope="module")
def spec(submitted: Submitted) -> FunctionSpec:
    """The function as CreateFunction asks for it."""
    request = submitted.requests["CreateFunction"]
    return FunctionSpec(
        name=request["FunctionName"],
        region=REGION,
        arn=f"arn:aws:lambda:{REGION}:111122223333:function:{request['FunctionName']}",
        code_sha256="",
        handler=request["Handler"],
        runtime=request["Runtime"],
        role=request["Role"],
        timeout=request["Timeout"],
        memory_mb=request["MemorySize"],
        variables=tuple(request["Environment"]["Variables"].items()),
    )


@pytest.fixture(scope="module")
def code(submitted: Submitted, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that Lambda extracts the zip to."""
    folder = tmp_path_factory.mktemp("task")
    with zipfile.ZipFile(io.BytesIO(submitted.requests["CreateFunction"]["Code"]["ZipFile"])) as archive:
        archive.extractall(folder)
    return folder


@pytest.fixture(scope="module")
def function(spec: FunctionSpec, code: Path, endpoint: Endpoint) -> Iterator[Function]:
    running = Function(spec, code, endpoint.url)
    yield running
    running.close()


def test_a_cold_and_a_warm_environment_answer_the_same(spec: FunctionSpec, code: Path, endpoint: Endpoint) -> None:
    function = Function(spec, code, endpoint.url)
    try:
        cold, warm = function.ask(GOOD), function.ask(GOOD)
    finally:
        function.close()
    assert cold == warm
    assert cold["body"] == "1"
    reports = [line for line in function.log if line.startswith("REPORT")]
    assert ["Init Duration" in line for line in reports] == [True, False]


@pytest.mark.parametrize("convert", [str, str.encode])
@pytest.mark.parametrize(("review", "sentiment"), [(GOOD, "1"), (BAD, "0"), (ACCENTS, "1")])
def test_a_text_as_a_string_or_as_base64(function: Function, convert: Any, review: str, sentiment: str) -> None:
    response = function.ask(convert(review))
    assert (response["statusCode"], response["body"]) == (200, sentiment)
    assert response["headers"]["Content-Type"].startswith(TEXT)


@pytest.mark.parametrize("hand_over", [bytes, bytes.decode])
def test_the_endpoint_answers_whichever_way_its_container_hands_a_body_over(
    function: Function, endpoint: Endpoint, hand_over: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(endpoint, "hand_over", hand_over)
    answer = json.loads(function.ask(ACCENTS, accept=JSON)["body"])
    assert (answer["label"], answer["sentiment"], answer["model"]) == ("positive", 1, "toy")
    assert "explanation" not in answer


@pytest.mark.parametrize("convert", [str, str.encode])
def test_json_reviews_are_answered_in_order(function: Function, endpoint: Endpoint, convert: Any) -> None:
    response = function.ask(convert(json.dumps({"reviews": [BAD, GOOD, ACCENTS] * 20})), JSON)
    assert [answer["sentiment"] for answer in json.loads(response["body"])] == [0, 1, 1] * 20
    assert endpoint.paths[-1] == "/endpoints/toy-local-endpoint/invocations"


def test_an_explanation_comes_where_asked(function: Function) -> None:
    answer = json.loads(function.ask(json.dumps({"review": GOOD, "explain": True}), JSON)["body"])
    assert answer["explanation"]


@pytest.mark.parametrize(
    ("body", "content_type", "expected"),
    [
        (None, TEXT, (400, "empty_review")),
        (b"", TEXT, (400, "empty_review")),
        (b"\xff\xfe", TEXT, (400, "not_utf8")),
        (b'{"review": "\xff"}', JSON, (400, "not_utf8")),
        ("{", JSON, (400, "not_json")),
        ("a" * 50_001, TEXT, (413, "review_too_long")),
        ("good", "image/png", (415, "unsupported_media_type")),
    ],
)
def test_what_is_wrong_never_reaches_the_endpoint(
    function: Function, endpoint: Endpoint, body: Any, content_type: str, expected: tuple[int, str]
) -> None:
    asked = len(endpoint.paths)
    assert function.refusal(body, content_type) == expected
    assert len(endpoint.paths) == asked


MODEL_ERROR = {
    "ErrorCode": "INTERNAL_FAILURE_FROM_MODEL",
    "LogStreamArn": LOG_STREAM,
    "Message": f"Received server error (500) from primary with message {GOOD!r}",
    "OriginalMessage": GOOD,
    "OriginalStatusCode": 500,
}


@pytest.mark.parametrize(
    ("trouble", "expected"),
    [
        (refuses(424, "ModelError", MODEL_ERROR), (502, "model_error")),
        (refuses(400, "ValidationError", {"Message": "Endpoint toy not found."}), (503, "endpoint_unavailable")),
        (refuses(403, "AccessDeniedException", {"Message": "not authorized"}), (500, "endpoint_access")),
        (refuses(429, "ThrottlingException", {"Message": "Rate exceeded"}), (429, "throttled")),
        (lambda *_: (200, {"Content-Type": JSON}, b"no JSON"), (502, "model_error")),
    ],
)
def test_what_sagemaker_refuses_is_told(
    function: Function, endpoint: Endpoint, trouble: Answerer, expected: tuple[int, str]
) -> None:
    endpoint.next = trouble
    assert function.refusal(GOOD) == expected
    assert function.ask(GOOD)["body"] == "1"


def test_the_log_leads_to_the_containers_log_and_quotes_no_review(function: Function, endpoint: Endpoint) -> None:
    endpoint.next = refuses(424, "ModelError", MODEL_ERROR)
    before = len(function.log)
    function.ask(GOOD)
    log = "\n".join(function.log[before:])
    assert LOG_STREAM in log
    assert GOOD not in log


def test_a_connection_that_was_dropped_while_frozen_is_made_again(function: Function, endpoint: Endpoint) -> None:
    assert function.ask(GOOD)["body"] == "1"
    endpoint.next = lambda *_: None
    assert function.ask(BAD)["body"] == "0"


def test_a_slow_endpoint_is_given_up_before_lambda_gives_up(spec: FunctionSpec, code: Path, endpoint: Endpoint) -> None:
    variables = {**dict(spec.variables), "ENDPOINT_SECONDS": "2"}
    function = Function(replace(spec, variables=tuple(variables.items())), code, endpoint.url)
    given_up = threading.Event()

    def hang(*_: Any) -> None:
        given_up.wait(60)

    endpoint.next = hang
    try:
        assert function.refusal(GOOD) == (504, "endpoint_timeout")
        assert function.ask(GOOD)["body"] == "1"
    finally:
        given_up.set()
        function.close()
