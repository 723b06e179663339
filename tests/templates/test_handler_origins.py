"""Which pages the function's answers may be read by."""

from types import ModuleType
from typing import Any

import pytest

from tests.templates.conftest import FakeEndpoint

HERE, THERE = "https://a.example", "http://localhost:8000"


@pytest.mark.parametrize(
    ("headers", "allowed"),
    [({"origin": HERE}, HERE), ({"Origin": THERE}, THERE), ({"Origin": "https://b.example"}, None), ({}, None)],
)
@pytest.mark.parametrize("body", ["good", ""])
def test_only_a_page_of_the_list_may_read_the_answer(
    handler: ModuleType,
    endpoint: FakeEndpoint,
    monkeypatch: pytest.MonkeyPatch,
    headers: dict[str, str],
    allowed: str | None,
    body: str,
) -> None:
    monkeypatch.setattr(handler, "ORIGINS", [HERE, THERE])
    event: dict[str, Any] = {"httpMethod": "POST", "headers": headers, "body": body}
    answer = handler.lambda_handler(event, None)
    assert (answer["statusCode"], len(endpoint.calls)) == ((200, 1) if body else (400, 0))
    assert answer["headers"]["Vary"] == "Accept, Origin"
    assert answer["headers"].get("Access-Control-Allow-Origin") == allowed
