"""The endpoint's contract: requests in, answers out."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from sentimodel.predictor import MOST_EXPLAINED_WORDS, Predictor

from tests.model_code.scripts import load_script

GOOD = "The acting was wonderful. The plot was superb."
BAD = "The acting was dreadful. The plot was boring."


inference = load_script("inference")


@pytest.fixture(scope="module")
def model(toy_artifact: Path) -> Any:
    """The toy model, loaded as a container loads it."""
    threads = torch.get_num_threads()
    yield inference.model_fn(str(toy_artifact))
    torch.set_num_threads(threads)


def ask(model: Predictor, body: str | bytes, content_type: str, accept: str = "*/*") -> Any:
    """What the endpoint answers."""
    request = inference.input_fn(body, content_type)
    answer, kind = inference.output_fn(inference.predict_fn(request, model), accept)
    assert kind == "application/json"
    return json.loads(answer)


@pytest.mark.parametrize("body", [GOOD, GOOD.encode(), bytearray(GOOD.encode())])
@pytest.mark.parametrize("kind", ["text/plain", "text/plain; charset=utf-8", "TEXT/PLAIN"])
def test_a_review_as_text(model: Predictor, body: Any, kind: str) -> None:
    answer = ask(model, body, kind)
    assert list(answer) == ["label", "sentiment", "probability", "model", "undecided"]
    assert (answer["label"], answer["sentiment"], answer["model"]) == ("positive", 1, "toy")
    assert 0.5 < answer["probability"] <= 1


def test_a_review_without_a_known_word_is_undecided_beside_what_old_callers_read(model: Predictor) -> None:
    answers = ask(model, json.dumps({"reviews": ["zzz qqq", GOOD, "zzz superb"]}), "application/json")
    assert [answer["undecided"] for answer in answers] == [True, False, False]
    assert (answers[0]["label"], answers[0]["sentiment"], answers[0]["probability"]) == ("positive", 1, 0.5)


@pytest.mark.parametrize("convert", [str, str.encode])
def test_a_review_as_json(model: Predictor, convert: Any) -> None:
    answer = ask(model, convert(json.dumps({"review": BAD})), "application/json")
    assert (answer["label"], answer["sentiment"]) == ("negative", 0)


def ask_lines(model: Any, lines: list[bytes]) -> list[Any]:
    """What Batch Transform is answered, line by line."""
    request = inference.input_fn(b"\n".join(lines), "application/jsonlines")
    answer, kind = inference.output_fn(inference.predict_fn(request, model), "application/jsonlines")
    assert kind == "application/jsonlines"
    return [json.loads(line) for line in answer.split("\n")]


def test_json_lines_are_answered_line_by_line_and_a_bad_line_costs_no_other(model: Predictor) -> None:
    lines = [
        json.dumps({"review": GOOD, "id": 7}).encode(),
        b"not json",
        json.dumps({"review": BAD}, ensure_ascii=False).encode(),
        b'{"review": "\xff"}',
        b'{"reviews": ["a", "b"]}',
        b'{"review": "  "}',
        b'{"review": 5}',
        json.dumps({"review": "Superb.\nReally.", "explain": True}).encode(),
    ]
    answers = ask_lines(model, [*lines, b""])
    assert [answer.get("label") or answer["error"]["code"] for answer in answers] == [
        *("positive", "not_json", "negative", "not_utf8"),
        *("invalid_request", "empty_review", "invalid_request", "positive"),
    ]
    assert answers[-1]["explanation"]["words"]
    assert answers[0] == ask(model, GOOD, "text/plain")


def test_where_the_model_fails_each_line_is_asked_alone(model: Predictor, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = model.predict

    def predict(texts: Any) -> Any:
        if any("boring" in text for text in texts):
            raise MemoryError
        return whole(texts)

    monkeypatch.setattr(model, "predict", predict)
    answers = ask_lines(model, [json.dumps({"review": text}).encode() for text in (GOOD, BAD, GOOD)])
    assert [answer.get("label") or answer["error"]["code"] for answer in answers] == [
        *("positive", "prediction_failed", "positive")
    ]
    assert "MemoryError" in answers[1]["error"]["message"]


@pytest.mark.parametrize("convert", [str, str.encode])
def test_reviews_as_json_are_answered_in_order(model: Predictor, convert: Any) -> None:
    answer = ask(model, convert(json.dumps({"reviews": [BAD, GOOD, BAD]})), "application/json; charset=UTF-8")
    assert [item["sentiment"] for item in answer] == [0, 1, 0]


def test_one_review_in_a_list_is_answered_by_a_list(model: Predictor) -> None:
    assert len(ask(model, json.dumps({"reviews": [GOOD]}), "application/json")) == 1


def test_an_explanation_comes_when_asked(model: Predictor) -> None:
    answer = ask(model, json.dumps({"review": GOOD, "explain": True}), "application/json")
    words = answer["explanation"]["words"]
    assert [word["word"] for word in words] == [GOOD[word["start"] : word["end"]].lower() for word in words]
    assert {"acting", "wonderful", "plot", "superb"} <= {word["word"] for word in words}
    assert sum(word["contribution"] for word in words) > 0
    assert all(phrase.keys() == {"phrase", "contribution"} for phrase in answer["explanation"]["phrases"])
    (answer,) = ask(model, json.dumps({"reviews": [BAD], "explain": True}), "application/json")
    assert sum(word["contribution"] for word in answer["explanation"]["words"]) < 0
    assert "explanation" not in ask(model, json.dumps({"review": GOOD, "explain": False}), "application/json")


@pytest.mark.parametrize(
    ("charset", "encoding"),
    [
        ("utf-8", "utf-8"),
        ('"UTF-8"', "utf-8-sig"),
        ("us-ascii", "ascii"),
        ("iso-8859-1", "latin-1"),
        ("windows-1252", "cp1252"),
        ("utf-16", "utf-16"),
        ("utf-16le", "utf-16-le"),
        ("UTF-16BE", "utf-16-be"),
    ],
)
def test_a_declared_charset_is_honoured(model: Predictor, charset: str, encoding: str) -> None:
    expected = ask(model, BAD, "text/plain")
    assert expected["sentiment"] == 0
    assert ask(model, BAD.encode(encoding), f"text/plain; charset={charset}") == expected
    document = json.dumps({"review": BAD}).encode(encoding)
    assert ask(model, document, f"application/json;Charset={charset}") == expected


@pytest.mark.parametrize("charset", ["utf-7", "utf-32", "klingon", "unicode_escape", "idna", "x" * 1000])
@pytest.mark.parametrize("body", [BAD, BAD.encode()])
@pytest.mark.parametrize("kind", ["text/plain", "application/json"])
def test_another_charset_is_refused_by_its_name(model: Predictor, charset: str, body: Any, kind: str) -> None:
    error = ask(model, body, f"{kind}; charset={charset}")["error"]
    assert error["code"] == "unsupported_charset"
    assert charset[:40] in error["message"]


def test_json_that_the_container_has_read_in_another_charset_is_refused(model: Predictor) -> None:
    request = json.dumps({"review": BAD})
    assert ask(model, request, "application/json; charset=utf-16")["error"]["code"] == "unsupported_charset"


def test_explaining_has_a_largest_number_of_words(model: Predictor) -> None:
    def answer(words: int) -> Any:
        reviews = ["superb " * 100] * (words // 100) + ["superb " * (words % 100)] * bool(words % 100)
        return ask(model, json.dumps({"reviews": reviews, "explain": True}), "application/json")

    assert len(answer(MOST_EXPLAINED_WORDS)) == MOST_EXPLAINED_WORDS // 100
    error = answer(MOST_EXPLAINED_WORDS + 1)["error"]
    assert error["code"] == "too_many_words"
    assert f"{MOST_EXPLAINED_WORDS:,}" in error["message"]
    unbroken = json.dumps({"review": "a-" * MOST_EXPLAINED_WORDS + "a", "explain": True})
    assert ask(model, unbroken, "application/json")["error"]["code"] == "too_many_words"


@pytest.mark.parametrize(
    ("body", "kind", "code"),
    [
        (b"\xff\xfe\x00", "text/plain", "not_utf8"),
        (b"\xff", "text/plain; charset=ascii", "wrong_charset"),
        (b"odd", "text/plain; charset=utf-16", "wrong_charset"),
        (b'{"review": "\xff"}', "application/json", "not_utf8"),
        (b"", "text/plain", "empty_review"),
        (b" \n\t", "text/plain", "empty_review"),
        (b'{"review": ""}', "application/json", "empty_review"),
        (b'{"reviews": []}', "application/json", "empty_review"),
        (b'{"reviews": ["good", " "]}', "application/json", "empty_review"),
        (b"{", "application/json", "not_json"),
        (b"", "application/json", "not_json"),
        (b"[" * 100_000, "application/json", "not_json"),
        (b'"good"', "application/json", "invalid_request"),
        (b"null", "application/json", "invalid_request"),
        (b"{}", "application/json", "invalid_request"),
        (b'{"text": "good"}', "application/json", "invalid_request"),
        (b'{"review": 5}', "application/json", "invalid_request"),
        (b'{"review": null}', "application/json", "invalid_request"),
        (b'{"review": ["good"]}', "application/json", "invalid_request"),
        (b'{"reviews": "good"}', "application/json", "invalid_request"),
        (b'{"reviews": ["good", 5]}', "application/json", "invalid_request"),
        (b'{"review": "good", "reviews": ["good"]}', "application/json", "invalid_request"),
        (b'{"review": "good", "explain": "yes"}', "application/json", "invalid_request"),
        (b"good", "text/csv", "unsupported_content_type"),
        (b"good", "", "unsupported_content_type"),
        (b"{}", "application/jsonlines; charset=utf-16", "unsupported_charset"),
    ],
)
def test_a_wrong_request_is_answered(model: Predictor, body: bytes, kind: str, code: str) -> None:
    answer = ask(model, body, kind)
    assert list(answer) == ["error"]
    assert answer["error"]["code"] == code
    assert answer["error"]["message"]


@pytest.mark.parametrize(
    "accept", ["application/json", "*/*", "", "application/*", "text/html, application/json;q=0.9", "APPLICATION/JSON"]
)
def test_json_is_what_these_accept(model: Predictor, accept: str) -> None:
    assert ask(model, GOOD, "text/plain", accept)["sentiment"] == 1


@pytest.mark.parametrize("accept", ["text/csv", "application/x-npy"])
def test_another_accept_is_answered_with_an_error(model: Predictor, accept: str) -> None:
    assert ask(model, GOOD, "text/plain", accept)["error"]["code"] == "not_acceptable"


@given(st.binary(max_size=200), st.sampled_from(["text/plain", "application/json"]))
def test_any_bytes_are_answered(model: Predictor, body: bytes, kind: str) -> None:
    assert {"label", "error"} & set(ask(model, body, kind))


@given(st.dictionaries(st.sampled_from(["review", "reviews", "explain"]), st.recursive(st.text(), st.lists)))
def test_any_json_is_answered(model: Predictor, document: dict[str, Any]) -> None:
    answer = ask(model, json.dumps(document), "application/json")
    assert isinstance(answer, list) or {"label", "error"} & set(answer)


class Context:
    """What TorchServe says of a request, its headers as it spells them."""

    def get_all_request_header(self, idx: int) -> dict[str, str]:
        return {"X-Amzn-SageMaker-Custom-Attributes": "request-1" * 20, "Accept": "*/*"}


def test_each_request_is_logged_under_its_callers_id_and_without_its_text(
    model: Predictor, capsys: pytest.CaptureFixture[str]
) -> None:
    for body in (json.dumps({"reviews": [GOOD, BAD]}), json.dumps({"reviews": []})):
        inference.predict_fn(inference.input_fn(body, "application/json"), model, Context())
    inference.predict_fn(inference.input_fn(GOOD, "text/plain"), model)
    broken: Any = None
    with pytest.raises(AttributeError):
        inference.predict_fn(inference.input_fn(GOOD, "text/plain"), broken)
    output = capsys.readouterr().out
    assert "wonderful" not in output
    fine, refused, unnamed, failed = (json.loads(line) for line in output.splitlines())
    assert fine.pop("milliseconds") > 0
    assert fine == {"request_id": ("request-1" * 20)[:128], "reviews": 2, "characters": len(GOOD + BAD)}
    assert (refused["reviews"], refused["error"]) == (0, "empty_review")
    assert "request_id" not in unnamed
    assert failed["error"] == "AttributeError"
