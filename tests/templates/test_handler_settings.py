"""What the variables of the function's environment set, and what holds without them."""

import json
from types import ModuleType
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.templates.conftest import FakeEndpoint, load_handler

JSON = "application/json"
PAGES = ("https://a.example", "https://b.example")


def ask(handler: ModuleType, reviews: list[str], outcome: Exception | None = None) -> dict[str, Any]:
    """The function's answer to several reviews; where the endpoint is asked, it may end in an error."""
    handler.CLIENT = endpoint = FakeEndpoint()  # type: ignore[attr-defined]
    endpoint.outcomes = [outcome] if outcome else []
    event = {"body": json.dumps({"reviews": reviews}), "headers": {"Content-Type": JSON, "Origin": PAGES[1]}}
    answer: dict[str, Any] = handler.lambda_handler(event, None)
    return answer


def error_of(answer: dict[str, Any]) -> str:
    code: str = json.loads(answer["body"])["error"]["code"]
    return code


def test_without_them_the_documented_limits_hold(capsys: pytest.CaptureFixture[str]) -> None:
    handler = load_handler()
    assert handler.CLIENT.meta.config.read_timeout == 24
    answer = ask(handler, ["g" * 50_000] * 100)
    assert (answer["statusCode"], answer["headers"]["Access-Control-Allow-Origin"]) == (200, "*")
    assert "_aws" not in json.loads(capsys.readouterr().out)
    assert error_of(ask(handler, ["g" * 50_001])) == "review_too_long"
    assert error_of(ask(handler, ["g"] * 101)) == "too_many_reviews"
    missing = ClientError({"Error": {"Code": "ValidationError"}}, "InvokeEndpoint")
    assert error_of(ask(handler, ["g"], missing)) == "endpoint_unavailable"


def test_each_of_them_sets_what_it_is_named_for(capsys: pytest.CaptureFixture[str]) -> None:
    handler = load_handler(
        ENDPOINT_NAME="reviews-endpoint",
        ENDPOINT_SECONDS="7",
        MAX_REVIEW_CHARACTERS="5",
        MAX_REVIEWS="3",
        MAX_ENDPOINT_BODY="50",
        METRICS_NAMESPACE="reviews",
        CORS_ORIGINS=" ".join(PAGES),
        HOURS="mon-fri",
    )
    client = handler.CLIENT.meta
    assert (client.service_model.service_name, client.config.read_timeout) == ("sagemaker-runtime", 7)
    assert client.config.connect_timeout == 2
    answer = ask(handler, ["good", "dull"])
    assert (answer["statusCode"], answer["headers"]["Access-Control-Allow-Origin"]) == (200, PAGES[1])
    record = json.loads(capsys.readouterr().out)
    assert record["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "reviews"
    assert record["Endpoint"] == handler.CLIENT.calls[0]["EndpointName"] == "reviews-endpoint"
    assert error_of(ask(handler, ["g" * 6])) == "review_too_long"
    assert error_of(ask(handler, ["g"] * 4)) == "too_many_reviews"
    assert error_of(ask(handler, ["g" * 5] * 3)) == "request_too_large"
    missing = ClientError({"Error": {"Code": "ValidationError"}}, "InvokeEndpoint")
    assert error_of(ask(handler, ["g"], missing)) == "closed"
