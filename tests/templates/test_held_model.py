"""The handler of a function that holds the model: what it makes of the model's answers, without an endpoint."""

import importlib.util
import json
import sys
from collections.abc import Callable
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from tests.templates.conftest import HANDLER

REVIEW = "a secret of the writer's"


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> Callable[[Any], tuple[int, Any, ModuleType]]:
    """Asks the handler about a review where the model answers with this, or raises it."""

    def ask(outcome: Any) -> tuple[int, Any, ModuleType]:
        def answer(body: bytes) -> Any:
            assert json.loads(body) == {"reviews": [REVIEW], "explain": False}
            if isinstance(outcome, Exception):
                raise outcome
            return outcome

        monkeypatch.setitem(sys.modules, "held_model", SimpleNamespace(answer=answer))
        monkeypatch.setenv("MODEL_FOLDER", "artifact")
        monkeypatch.delenv("ENDPOINT_NAME", raising=False)
        spec = importlib.util.spec_from_file_location("handler_with_model", HANDLER)
        assert spec
        assert spec.loader
        handler = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(handler)
        event = {"httpMethod": "POST", "body": REVIEW, "headers": {"Accept": "application/json"}}
        response = handler.lambda_handler(event, None)
        return response["statusCode"], json.loads(response["body"]), handler

    return ask


def test_it_answers_what_the_model_says_and_has_nothing_of_boto3(asked: Callable[[Any], Any]) -> None:
    said = {"label": "positive", "sentiment": 1, "probability": 0.9, "model": "m", "undecided": False}
    status, body, handler = asked([said])
    assert (status, body) == (200, said)
    assert not {"boto3", "CLIENT", "Config"} & vars(handler).keys()


@pytest.mark.parametrize(
    ("outcome", "status", "code"),
    [
        ({"error": {"code": "too_many_words", "message": "there are too many"}}, 413, "too_many_words"),
        ({"error": {"code": "empty_review", "message": "a review is empty"}}, 400, "empty_review"),
        ([], 502, "model_error"),
        (ValueError(REVIEW), 502, "model_error"),
    ],
)
def test_what_goes_wrong_is_told_as_with_an_endpoint(
    asked: Callable[[Any], Any], capsys: pytest.CaptureFixture[str], outcome: Any, status: int, code: str
) -> None:
    told, body, _ = asked(outcome)
    assert (told, body["error"]["code"]) == (status, code)
    assert REVIEW not in capsys.readouterr().out
