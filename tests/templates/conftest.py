"""The Lambda's code as Lambda loads it, with a SageMaker runtime client that answers on this machine."""

import importlib.util
import io
import json
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

HANDLER = Path(__file__).parents[2] / "templates" / "lambda" / "handler.py"


class FakeEndpoint:
    """Stands in for the boto3 client: predicts "positive" for a review with the word "good".

    It is undecided of one with the word "perhaps".
    Put bytes or an exception into `outcomes` to have the next calls end that way.
    """

    def __init__(self) -> None:
        self.outcomes: list[bytes | Exception] = []
        self.calls: list[dict[str, Any]] = []

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        self.calls.append(call)
        outcome = self.outcomes.pop(0) if self.outcomes else self._predict(json.loads(call["Body"]))
        if isinstance(outcome, Exception):
            raise outcome
        return {"Body": io.BytesIO(outcome)}

    @property
    def last_request(self) -> dict[str, Any]:
        request: dict[str, Any] = json.loads(self.calls[-1]["Body"])
        return request

    def _predict(self, request: dict[str, Any]) -> bytes:
        predictions = []
        for review in request["reviews"]:
            sentiment = int("good" in review)
            prediction: dict[str, Any] = {
                "label": ("negative", "positive")[sentiment],
                "sentiment": sentiment,
                "probability": 0.97 if sentiment else 0.04,
                "model": "reviews-1",
            }
            if "perhaps" in review:
                prediction["undecided"] = True
            if request["explain"]:
                prediction["explanation"] = {
                    "words": [{"word": "good", "start": 0, "end": 4, "contribution": 0.4}],
                    "phrases": [],
                }
            predictions.append(prediction)
        return json.dumps(predictions).encode()


def load_handler(**variables: str) -> ModuleType:
    """The handler, loaded anew where the environment has these variables and a region."""
    spec = importlib.util.spec_from_file_location("sentictl_lambda_handler", HANDLER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"AWS_DEFAULT_REGION": "eu-west-1", **variables}.items():
            patch.setenv(name, value)
        spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def handler() -> ModuleType:
    return load_handler(ENDPOINT_NAME="reviews-local-endpoint", MAX_REVIEW_CHARACTERS="1000", MAX_REVIEWS="5")


@pytest.fixture
def endpoint(handler: ModuleType, monkeypatch: pytest.MonkeyPatch) -> FakeEndpoint:
    fake = FakeEndpoint()
    monkeypatch.setattr(handler, "CLIENT", fake)
    return fake
