"""Asking for predictions: what is sent, what comes back, and what goes wrong on the way."""

import io
import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from sentictl.errors import AwsError, EndpointError
from sentictl.services.predict.clients import ASK_AT_ONCE, from_api, from_artifact, from_endpoint
from tests.listener import certificate, listening


@pytest.fixture
def api() -> Iterator[tuple[str, dict[str, Any]]]:
    """An address, and the answer that it gives: a dict with `status` and `body`, and refusals `busy` before it."""
    answer: dict[str, Any] = {"status": 200, "body": b"[]", "busy": []}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer["asked"] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            busy = answer["busy"].pop() if answer["busy"] else {}
            self.send_response(busy.get("status", answer["status"]))
            if busy:
                self.send_header("Retry-After", busy["again"])
            self.send_header("Content-Length", str(len(answer["body"])))
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", answer
    server.shutdown()
    server.server_close()


def test_the_api_is_asked_as_its_contract_says(api: tuple[str, dict[str, Any]]) -> None:
    url, answer = api
    answer["body"] = b'[{"label": "positive"}]'
    assert from_api(url, 100).ask(["schön"]) == [{"label": "positive", "undecided": False}]
    assert answer["asked"] == {"reviews": ["schön"], "explain": False}


@pytest.mark.parametrize(
    ("status", "body", "words"),
    [
        (503, b'{"error": {"code": "x", "message": "The endpoint sleeps."}}', "503: The endpoint sleeps."),
        (502, b"<html>Bad gateway</html>", "502: <html>Bad gateway"),
        (200, b"not json", "not JSON"),
        (200, b'{"error": {"code": "x", "message": "Too long."}}', "Too long."),
    ],
)
def test_what_the_api_refuses_is_told(api: tuple[str, dict[str, Any]], status: int, body: bytes, words: str) -> None:
    url, answer = api
    answer.update(status=status, body=body)
    with pytest.raises(EndpointError, match=words):
        from_api(url, 100).ask(["x"])


@pytest.mark.parametrize("status", [429, 503])
def test_an_api_that_is_busy_for_the_moment_is_asked_again(api: tuple[str, dict[str, Any]], status: int) -> None:
    url, answer = api
    answer.update(body=b'[{"label": "positive"}]', busy=[{"status": status, "again": "0"}] * 3)
    assert from_api(url, 100).ask(["x"]) == [{"label": "positive", "undecided": False}]
    assert not answer["busy"]


@pytest.mark.parametrize("again", ["5", "Sun, 29 Nov 2026 12:00:00 GMT"])
def test_an_api_that_is_busy_for_longer_is_told(api: tuple[str, dict[str, Any]], again: str) -> None:
    url, answer = api
    answer["busy"] = [{"status": 503, "again": again}]
    with pytest.raises(EndpointError, match="503"):
        from_api(url, 100).ask(["x"])


def test_an_api_that_stays_busy_is_told(api: tuple[str, dict[str, Any]]) -> None:
    url, answer = api
    answer["busy"] = [{"status": 429, "again": "0"}] * 100
    with pytest.raises(EndpointError, match="429"):
        from_api(url, 100).ask(["x"])
    assert answer["busy"]


def test_an_api_that_is_not_there_is_told(api: tuple[str, dict[str, Any]]) -> None:
    with pytest.raises(EndpointError, match="does not answer"):
        from_api("http://127.0.0.1:9/", 100).ask(["x"])


class Runtime:
    """Stands in for boto3's sagemaker-runtime client, and keeps what it was asked."""

    class exceptions:  # noqa: N801  (boto3's name)
        """What the client may raise."""

        ModelError = type("ModelError", (Exception,), {})

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        self.call = call
        return {"Body": io.BytesIO(b'[{"label": "positive"}]')}


@pytest.mark.parametrize("explain", [False, True])
def test_explanations_are_asked_for_by_every_route(api: tuple[str, dict[str, Any]], *, explain: bool) -> None:
    url, answer = api
    answer["body"] = b"[{}]"
    from_api(url, 100, explain=explain).ask(["x"])
    assert answer["asked"]["explain"] is explain
    client = Runtime()
    from_endpoint(client, "toy", explain=explain).ask(["x"])
    assert json.loads(client.call["Body"]) == {"reviews": ["x"], "explain": explain}


def test_the_api_is_never_asked_more_than_it_takes() -> None:
    assert from_api("http://127.0.0.1:9/", 3).at_once == 3
    assert from_api("http://127.0.0.1:9/", 1000).at_once == ASK_AT_ONCE
    assert from_api("http://127.0.0.1:9/", 1000, explain=True).at_once < ASK_AT_ONCE


def test_the_artifact_explains_where_asked(toy_artifact: Path) -> None:
    (answer,) = from_artifact(toy_artifact, explain=True).ask(["superb"])
    assert [word["word"] for word in answer["explanation"]["words"]] == ["superb"]
    assert "explanation" not in from_artifact(toy_artifact).ask(["superb"])[0]


def test_a_body_is_as_long_as_its_texts_in_utf8() -> None:
    client = Runtime()
    from_endpoint(client, "toy").ask(["фильм" * 1000])
    assert len(client.call["Body"]) < len(("фильм" * 1000).encode()) + 100
    from_endpoint(client, "toy").ask(["a \udcff b"])  # what a shell hands over of an argument that is not UTF-8
    assert json.loads(client.call["Body"])["reviews"] == ["a ? b"]


AWS = "https://abcdef.execute-api.eu-west-1.amazonaws.com/prod"
ELSEWHERE = "127.0.0.2"  # this machine, by a name that no rule of this machine's knows


def test_the_api_on_aws_is_asked_through_the_proxy_of_the_variables(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(502) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", proxy.url)
        with pytest.raises(EndpointError, match="502"):
            from_api(AWS, 100).ask(["x"])
        monkeypatch.setenv("NO_PROXY", "127.0.0.2")
        with pytest.raises(EndpointError, match="refused"):
            from_api(f"https://{ELSEWHERE}:9/", 100).ask(["x"])
    assert proxy.asked == ["CONNECT abcdef.execute-api.eu-west-1.amazonaws.com:443"]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_an_api_on_this_machine_is_asked_past_every_proxy(
    api: tuple[str, dict[str, Any]], host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    url, _ = api
    with listening(502) as proxy:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url)
        assert from_api(url.replace("127.0.0.1", host), 100).ask(["x"]) == []
    assert proxy.asked == []


@pytest.mark.parametrize("variable", ["AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"])
def test_the_certificates_of_a_variable_are_trusted(
    tmp_path: Path, variable: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", ELSEWHERE)
    for name in ("AWS_CA_BUNDLE", "REQUESTS_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    trusted, secret = certificate(tmp_path, ELSEWHERE)
    with listening(200, b'[{"label": "positive"}]', host=ELSEWHERE, secret=secret) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(EndpointError, match="CERTIFICATE_VERIFY_FAILED"):
            from_api(url, 100).ask(["x"])
        monkeypatch.setenv(variable, str(trusted))
        assert from_api(url, 100).ask(["x"]) == [{"label": "positive", "undecided": False}]


@pytest.mark.parametrize("content", [None, "no certificate"])
def test_certificates_that_cannot_be_read_are_named(
    tmp_path: Path, content: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    bundle = tmp_path / "certificates.pem"
    if content:
        bundle.write_text(content)
    monkeypatch.setenv("AWS_CA_BUNDLE", str(bundle))
    with pytest.raises(AwsError, match=r"certificates\.pem") as refusal:
        from_api(AWS, 100)
    assert refusal.value.hint.endswith("unset AWS_CA_BUNDLE")
