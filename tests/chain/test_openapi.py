"""The API's OpenAPI document, held against the API: requests of every form, and an API that is imported from it."""

import json
from http import HTTPStatus
from typing import Any

import pytest
from openapi_schema_validator import OAS30Validator

from tests.chain.requests import Answer, ask
from tests.chain.shell import Shell

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"
BYTES = "application/octet-stream"


class Described:
    """A live API, and what its document says of it."""

    def __init__(self, live: Shell) -> None:
        self.url: str = live.json("up")["api_url"]
        self.document: dict[str, Any] = live.json("export", "--openapi")["document"]
        self._operations = self.document["paths"]["/"]

    def check(self, answer: Answer, verb: str = "post") -> None:
        """The answer is one of those that the document has: status, headers, content type and shape."""
        told = self._operations[verb]["responses"][str(answer.status)]
        optional = {"Retry-After"} if answer.status != HTTPStatus.SERVICE_UNAVAILABLE else set()
        assert {name.lower() for name in set(told["headers"]) - optional} <= {name.lower() for name in answer.headers}
        if "content" in told:
            kind = (answer.headers["Content-Type"] or "").partition(";")[0]
            self._validate(told["content"][kind]["schema"], answer.json if kind == JSON else answer.body.decode())
        if answer.status >= HTTPStatus.BAD_REQUEST:
            assert f"`{answer.json['error']['code']}`" in told["description"]

    def allows(self, kind: str, body: bytes) -> bool:
        """Whether the document has requests with such a body."""
        schema = self._operations["post"]["requestBody"]["content"][kind]["schema"]
        return bool(self._validator(schema).is_valid(json.loads(body) if kind == JSON else body.decode()))

    def _validate(self, schema: dict[str, Any], value: Any) -> None:
        self._validator(schema).validate(value)

    def _validator(self, schema: dict[str, Any]) -> Any:
        return OAS30Validator(schema | {"components": self.document["components"]})


@pytest.fixture(scope="module")
def api(live: Shell) -> Described:
    live.run("config", "set", "api.throttle_rate", "10000")  # the tests ask quickly
    return Described(live)


@pytest.mark.parametrize(
    ("kind", "accept", "body", "status"),
    [
        ("text/plain", "*/*", b"a wonderful film", 200),
        ("text/plain", JSON, b"a wonderful film", 200),
        (FORM, "text/plain", "ein schöner film & mehr".encode(), 200),
        (BYTES, f"{JSON}, */*", b"100% superb", 200),
        (JSON, "*/*", b'{"review": "a dreadful film"}', 200),
        (JSON, "text/plain", b'{"review": "superb but tedious", "explain": true}', 200),
        (JSON, JSON, b'{"reviews": ["superb", "tedious"]}', 200),
        (JSON, JSON, b'{"reviews": ["superb"], "explain": true}', 200),
        ("text/plain", "*/*", b" \n", 400),
        (JSON, JSON, b'{"review": ""}', 400),
        (JSON, JSON, b'{"review": 1}', 400),
        (JSON, JSON, b'{"review": "superb", "reviews": ["superb"]}', 400),
        (JSON, JSON, b'{"review": "superb", "explain": "yes"}', 400),
        (JSON, JSON, b'{"reviews": []}', 400),
        (JSON, JSON, b'{"reviews": "superb"}', 400),
        (JSON, JSON, b"null", 400),
        ("text/plain", "*/*", b"x" * 50_000, 200),
        ("text/plain", "*/*", b"x" * 50_001, 413),
        (JSON, JSON, json.dumps({"reviews": ["superb"] * 100}).encode(), 200),
        (JSON, JSON, json.dumps({"reviews": ["superb"] * 101}).encode(), 413),
    ],
)
def test_what_the_document_allows_is_answered_and_nothing_else(
    api: Described, kind: str, accept: str, body: bytes, status: int
) -> None:
    answer = ask(api.url, body=body, Content_Type=kind, Accept=accept)
    assert answer.status == status
    assert api.allows(kind, body) is (status == HTTPStatus.OK)
    api.check(answer)


@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("text/plain", b"\xff\xfe", 400),  # not UTF-8
        (JSON, b"{not json", 400),
        ("image/png", b"\x89PNG", 415),
        ("multipart/form-data; boundary=x", b"--x--", 415),
    ],
)
def test_what_no_schema_can_speak_of_is_refused_as_it_says(api: Described, kind: str, body: bytes, status: int) -> None:
    answer = ask(api.url, body=body, Content_Type=kind)
    assert answer.status == status
    api.check(answer)


def test_the_page_and_the_preflight_are_as_it_says(api: Described) -> None:
    page, preflight = ask(api.url, "GET"), ask(api.url, "OPTIONS", Origin="null", Access_Control_Request_Method="POST")
    assert (page.status, preflight.status) == (200, 200)
    api.check(page, "get")
    api.check(preflight, "options")


@pytest.mark.parametrize(("kind", "status"), [(JSON, 200), (f"{JSON}; charset=utf-8", 200), ("text/plain", 415)])
def test_a_preflight_with_a_body_is_answered_as_it_says(api: Described, kind: str, status: int) -> None:
    answer = ask(api.url, "OPTIONS", body=b"{}", Content_Type=kind)
    assert answer.status == status
    api.check(answer, "options")


def test_its_server_is_the_live_api(api: Described) -> None:
    assert api.document["servers"] == [{"url": api.url.rstrip("/")}]


def test_an_api_that_is_imported_from_it_is_the_same_api(live: Shell, api: Described) -> None:
    address = api.url.partition("/restapis")[0]
    gateway, functions = (live.client(name) for name in ("apigateway", "lambda"))
    imported = gateway.import_rest_api(body=json.dumps(api.document).encode(), failOnWarnings=True)
    gateway.create_deployment(restApiId=imported["id"], stageName="prod")
    url = f"{address}/restapis/{imported['id']}/prod/_user_request_/"
    refused = ask(url, body=b"a wonderful film")
    api.check(refused)
    assert refused.status == 503  # API Gateway may not call the function for an API that nobody told it of
    functions.add_permission(
        FunctionName="toy-local-predict",
        StatementId="imported",
        Action="lambda:InvokeFunction",
        Principal="apigateway.amazonaws.com",
        SourceArn=f"arn:aws:execute-api:us-east-1:123456789012:{imported['id']}/prod/POST/",
    )
    answered = ask(url, body=b"a wonderful film", Accept=JSON)
    page, preflight = ask(url, "GET"), ask(url, "OPTIONS", Origin="null", Access_Control_Request_Method="POST")
    for answer, verb in ((answered, "post"), (page, "get"), (preflight, "options")):
        assert answer.status == HTTPStatus.OK
        api.check(answer, verb)
    typed = ask(url, "OPTIONS", body=b"text", Content_Type="text/plain")
    api.check(typed, "options")
    assert typed.status == 415
    assert ask(url, body=b"\xff\xfe").json["error"]["code"] == "not_utf8"  # bodies arrive as bytes
    gateway.delete_rest_api(restApiId=imported["id"])


def test_without_an_endpoint_it_is_a_503_and_throttled_it_is_a_429(live: Shell, api: Described) -> None:
    live.run("down", "endpoint", "--yes")
    unavailable = ask(api.url, body=b"a wonderful film")
    live.run("config", "set", "api.throttle_rate", "0.01")
    live.run("config", "set", "api.throttle_burst", "1")
    live.run("wire-api")
    answers = [ask(api.url, body=b"a wonderful film") for _ in range(2)]
    assert [unavailable.status, answers[-1].status] == [503, 429]
    assert int(answers[-1].headers["Retry-After"]) > 0
    api.check(unavailable)
    api.check(answers[-1])
