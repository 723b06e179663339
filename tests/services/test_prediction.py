"""Asking for predictions: batches that every route takes, and what goes wrong on the way."""

import json
import threading
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.errors import EndpointError, ModelError
from sentictl.services.prediction import ASK_AT_ONCE, MAX_BODY_BYTES, from_api, from_artifact, predict_each


@given(st.lists(st.text(max_size=5), max_size=150), st.integers(1, ASK_AT_ONCE))
def test_every_item_gets_its_own_answer_in_order(texts: list[str], at_once: int) -> None:
    sizes = []

    def ask(asked: Sequence[str]) -> list[dict[str, Any]]:
        sizes.append(len(asked))
        return [{"echo": text} for text in asked]

    items = [(number, text) for number, text in enumerate(texts)]
    answers = list(predict_each(ask, items, lambda item: item[1], at_once))
    assert [(item, answer["echo"]) for item, answer in answers] == [(item, item[1]) for item in items]
    assert all(0 < size <= at_once for size in sizes)


def test_long_reviews_are_asked_in_bodies_that_every_service_takes() -> None:
    bodies = []

    def ask(asked: Sequence[str]) -> list[dict[str, Any]]:
        bodies.append(sum(map(len, asked)))
        return [{} for _ in asked]

    assert len(list(predict_each(ask, ["x" * 900_000] * 10, str))) == 10
    assert max(bodies) <= MAX_BODY_BYTES


def test_answers_stream(tmp_path: Path) -> None:
    asked: list[str] = []

    def endless() -> Iterator[str]:
        while True:
            yield "a film"

    def ask(texts: Sequence[str]) -> list[dict[str, Any]]:
        asked.extend(texts)
        return [{} for _ in texts]

    next(predict_each(ask, endless(), str))
    assert len(asked) == ASK_AT_ONCE


def test_without_a_model_the_next_step_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as refusal:
        from_artifact(tmp_path / "absent")
    assert "sentictl train" in refusal.value.hint


@pytest.fixture
def api() -> Iterator[tuple[str, dict[str, Any]]]:
    """An address, and the answer that it gives: a dict with `status` and `body`."""
    answer: dict[str, Any] = {"status": 200, "body": b"[]"}

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            answer["asked"] = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(answer["status"])
            self.send_header("Content-Length", str(len(answer["body"])))
            self.end_headers()
            self.wfile.write(answer["body"])

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/", answer
    server.shutdown()
    server.server_close()


def test_the_api_is_asked_as_its_contract_says(api: tuple[str, dict[str, Any]]) -> None:
    url, answer = api
    answer["body"] = b'[{"label": "positive"}]'
    assert from_api(url)(["schön"]) == [{"label": "positive"}]
    assert answer["asked"] == {"reviews": ["schön"]}


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
        from_api(url)(["x"])


def test_an_api_that_is_not_there_is_told(api: tuple[str, dict[str, Any]]) -> None:
    with pytest.raises(EndpointError, match="does not answer"):
        from_api("http://127.0.0.1:9/")(["x"])
