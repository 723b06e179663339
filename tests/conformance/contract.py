"""The table that each container has to answer: which request is answered by what.

A module with a fixture `server` imports all of it, and so runs these tests against its own. What differs between the
containers stands there.
"""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from sentimodel.predictor import Predictor

from sentictl.services.batch.records import MB, record_of
from sentictl.services.predict.rows import InputRow
from tests.conformance.server import JSON, Server

GOOD = "The acting was wonderful. The plot was superb."
BAD = "The acting was dreadful. The plot was boring."
MIXED = "Très superb — 🎬 <br />but the ending isn't."
TEXT = "text/plain"
JSON_LINES = "application/jsonlines"
TOLERANCE = 1e-5


@pytest.fixture(scope="module")
def expected(toy_artifact: Path) -> dict[str, Any]:
    """What the same artifact answers on this machine, by review."""
    reviews = (GOOD, BAD, MIXED)
    return dict(zip(reviews, Predictor.load(toy_artifact).predict(reviews), strict=True))


def check(answer: Any, prediction: Any) -> None:
    """Whether an answer about one review is what the artifact says."""
    assert (answer["label"], answer["sentiment"]) == (prediction.label, prediction.sentiment)
    assert (answer["model"], answer["probability"]) == ("toy", pytest.approx(prediction.probability, abs=TOLERANCE))


@pytest.mark.parametrize("review", [GOOD, BAD, MIXED])
@pytest.mark.parametrize("accept", [JSON, "*/*", None, "text/html, application/json;q=0.9"])
@pytest.mark.parametrize("content_type", [TEXT, "text/plain; charset=utf-8"])
def test_a_text(server: Server, expected: Any, review: str, accept: str | None, content_type: str) -> None:
    answer = server.ask(review.encode(), content_type, accept)
    assert (answer.status, answer.content_type) == (200, JSON)
    check(answer.json, expected[review])


# TorchServe's toolkit decodes a body whose type is exactly application/json, and hands over any other as bytes.
@pytest.mark.parametrize("content_type", [JSON, "application/json; charset=utf-8"])
@pytest.mark.parametrize("review", [GOOD, BAD, MIXED])
def test_a_review_as_json(server: Server, expected: Any, content_type: str, review: str) -> None:
    body = json.dumps({"review": review, "explain": False}, ensure_ascii=False).encode()
    answer = server.ask(body, content_type)
    assert (answer.status, answer.content_type) == (200, JSON)
    assert "explanation" not in answer.json
    check(answer.json, expected[review])


def test_reviews_are_answered_in_order(server: Server, expected: Any) -> None:
    reviews = [GOOD, BAD, MIXED, BAD] * 25
    answers = server.ask(json.dumps({"reviews": reviews}).encode(), JSON).json
    assert len(answers) == len(reviews)
    for answer, review in zip(answers, reviews, strict=True):
        check(answer, expected[review])


# As Batch Transform sends it, with BatchStrategy MultiRecord and SplitType Line.
def test_json_lines_are_answered_line_by_line(server: Server, expected: Any) -> None:
    lines = [json.dumps({"review": review}, ensure_ascii=False).encode() for review in (GOOD, MIXED, BAD)]
    answer = server.ask(b"\n".join([*lines, b"{", b'{"review": "\xff"}', lines[0]]), JSON_LINES, JSON_LINES)
    assert (answer.status, answer.content_type) == (200, JSON_LINES)
    said = [json.loads(line) for line in answer.body.decode().split("\n")]
    for document, review in zip([*said[:3], said[5]], (GOOD, MIXED, BAD, GOOD), strict=True):
        check(document, expected[review])
    assert [document["error"]["code"] for document in said[3:5]] == ["not_json", "not_utf8"]


def test_a_megabyte_of_the_shortest_lines_is_answered(server: Server) -> None:
    """The most answers that a request of `predict --via batch` asks for: each is no longer than its line."""
    record = record_of(InputRow("good"), MB)
    assert isinstance(record, bytes)
    count = MB // len(record)
    answer = server.ask((record * count).rstrip(b"\n"), JSON_LINES, JSON_LINES)
    assert (answer.status, answer.body.count(b"\n") + 1) == (200, count)
    assert len(answer.body) <= MB


def test_an_explanation_comes_where_asked(server: Server) -> None:
    assert server.ask(json.dumps({"review": GOOD, "explain": True}).encode(), JSON).json["explanation"]["words"]
    (answer,) = server.ask(json.dumps({"reviews": [GOOD], "explain": True}).encode(), JSON).json
    assert answer["explanation"]["words"]


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"", TEXT, "empty_review"),
        (b" \r\n", TEXT, "empty_review"),
        (b'{"review": ""}', JSON, "empty_review"),
        (b'{"reviews": []}', JSON, "empty_review"),
        (b"", JSON, "not_json"),
        (b"{", JSON, "not_json"),
        (b"what a film", JSON, "not_json"),
        (b"[" * 100_000, JSON, "not_json"),
        (b'{"text": "good"}', JSON, "invalid_request"),
        (b"\xff\xfe\x00", TEXT, "not_utf8"),
        (b'{"review": "\xff"}', "application/json; charset=utf-8", "wrong_charset"),
        (b"good", "text/csv", "unsupported_content_type"),
        (b"good", "application/octet-stream", "unsupported_content_type"),
        (b"review=good", "application/x-www-form-urlencoded", "unsupported_content_type"),
        (b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\ngood\r\n--x--\r\n', "multipart/form-data; boundary=x",
         "unsupported_content_type"),
    ],
)  # fmt: skip
def test_a_wrong_request_is_answered_with_its_reason(
    server: Server, body: bytes, content_type: str | None, code: str
) -> None:
    answer = server.ask(body, content_type)
    assert (answer.status, answer.content_type) == (200, JSON)
    assert answer.json["error"]["code"] == code


@pytest.mark.parametrize("accept", [TEXT, "text/csv"])
def test_a_client_that_wants_no_json_is_told(server: Server, accept: str) -> None:
    answer = server.ask(GOOD.encode(), TEXT, accept)
    assert (answer.content_type, answer.json["error"]["code"]) == (JSON, "not_acceptable")


def test_the_log_has_each_request_under_its_callers_id_and_without_its_text(server: Server) -> None:
    for number in range(4):  # so that every worker has had one before
        server.ask(GOOD.encode(), TEXT, attributes=f"id-of-request-{number}-a")
        server.ask(b"", TEXT, attributes=f"id-of-request-{number}-b")
    for number in range(4):
        server.wait_until_said(f'{{"request_id": "id-of-request-{number}-a", "reviews": 1, "characters": {len(GOOD)}')
        server.wait_until_said(f'"id-of-request-{number}-b", "reviews": 0, "characters": 0, "error": "empty_review"')
    assert not any("wonderful" in line for line in server.log)


def test_callers_at_once_each_get_their_own_answer(server: Server, expected: Any) -> None:
    reviews = [GOOD, BAD, MIXED] * 32
    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(lambda review: server.ask(json.dumps({"review": review}).encode(), JSON), reviews))
    assert {answer.status for answer in answers} == {200}
    for answer, review in zip(answers, reviews, strict=True):
        check(answer.json, expected[review])
