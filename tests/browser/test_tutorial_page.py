"""A page like the one of the well-known SageMaker tutorial, unchanged, against the real Lambda code."""

import importlib.util
import io
import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

HANDLER = Path(__file__).parents[2] / "templates" / "lambda" / "handler.py"

# Our own page with the tutorial page's behavior: the text is posted as it is, and the answer is read as a number.
PAGE = """<!doctype html>
<meta charset="utf-8">
<form onsubmit="return send(this)">
  <textarea name="review" aria-label="Review"></textarea>
  <input type="submit" value="Submit">
  <p id="result"></p>
</form>
<script>
  function send(form) {
    const request = new XMLHttpRequest();
    request.onreadystatechange = function () {
      if (request.readyState !== 4) return;
      const isNegative = parseFloat(request.responseText) === 0;
      const verdict = isNegative ? "NEGATIVE" : "POSITIVE";
      document.getElementById("result").textContent = `Your review was ${verdict}!`;
    };
    request.open("POST", "API_URL", true);
    request.send(form.review.value);
    return false;
  }
</script>
"""


class FakeClient:
    """The SageMaker runtime client: a review with the word "good" is positive."""

    def __init__(self) -> None:
        self.reviews: list[str] = []

    def invoke_endpoint(self, **call: Any) -> dict[str, Any]:
        reviews = json.loads(call["Body"])["reviews"]
        self.reviews += reviews
        sentiments = (int("good" in review) for review in reviews)
        predictions = [{"label": ("negative", "positive")[s], "sentiment": s, "probability": s} for s in sentiments]
        return {"Body": io.BytesIO(json.dumps(predictions).encode())}


@pytest.fixture
def client() -> FakeClient:
    return FakeClient()


@pytest.fixture
def handler(client: FakeClient, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setenv("ENDPOINT_NAME", "reviews-local-endpoint")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    spec = importlib.util.spec_from_file_location("tutorial_handler", HANDLER)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    monkeypatch.setattr(module, "CLIENT", client)
    return module


@pytest.mark.parametrize(
    ("review", "verdict"),
    [
        ("What a good film!\n\nTrès good & 100% fun + more 🎬", "Your review was POSITIVE!"),
        ("Dull. <b>Very</b> dull.", "Your review was NEGATIVE!"),
    ],
)
def test_the_tutorials_page_works_unchanged(
    page: Page, handler: Any, client: FakeClient, serve: Any, tmp_path: Path, review: str, verdict: str
) -> None:
    def through_lambda(request: Any) -> Any:
        event = {"httpMethod": request.method, "headers": request.headers, "body": request.body.decode()}
        response = handler.lambda_handler(event, None)
        return response["statusCode"], response["body"], response["headers"]

    with serve(through_lambda) as address:
        path = tmp_path / "tutorial.html"
        path.write_text(PAGE.replace("API_URL", f"{address}/prod"), encoding="utf-8")
        page.goto(path.as_uri())
        page.get_by_label("Review").fill(review)
        page.get_by_role("button", name="Submit").click()
        expect(page.locator("#result")).to_have_text(verdict)
    assert client.reviews == [review]
