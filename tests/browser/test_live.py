"""Pages in a real browser, all the way through the twin: API Gateway, Lambda, endpoint, model."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.chain.shell import Shell, begin

# Our own page with the behavior of the well-known tutorial's: the text is posted as it is, the answer read as a number.
TUTORIAL_PAGE = """<!doctype html>
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


@pytest.fixture(scope="module")
def shell(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A live project; needs the browser, so that nothing is brought up where there is none."""
    shell = begin(tmp_path_factory.mktemp("live") / "toy")
    yield shell
    shell.run("down", "--yes")


@pytest.fixture(scope="module")
def live(shell: Shell) -> dict[str, Any]:
    """What `up --json` answered."""
    document: dict[str, Any] = shell.json("up")
    return document


@pytest.mark.parametrize("where", ["the API", "a file"])
def test_typing_a_review_ends_with_its_verdict(page: Page, shell: Shell, live: dict[str, Any], where: str) -> None:
    file = shell.folder / ".sentictl" / "site" / "index.html"
    page.goto(live["page_url"] if where == "the API" else file.as_uri())
    for review, verdict in (("A superb film, wonderful.", "Positive"), ("A tedious film, boring.", "Negative")):
        page.get_by_label("Review").fill(review)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text(verdict, exact=True)).to_be_visible()
    expect(page.get_by_text(live["model"])).to_be_visible()


@pytest.mark.parametrize(
    ("review", "verdict"),
    [
        ("A superb film!\n\nTrès wonderful & 100% moving + more 🎬", "Your review was POSITIVE!"),
        ("Tedious. <b>Very</b> tedious.", "Your review was NEGATIVE!"),
    ],
)
def test_the_tutorials_page_works_unchanged(
    page: Page, live: dict[str, Any], tmp_path: Path, review: str, verdict: str
) -> None:
    path = tmp_path / "tutorial.html"
    path.write_text(TUTORIAL_PAGE.replace("API_URL", live["api_url"]), encoding="utf-8")
    page.goto(path.as_uri())
    page.get_by_label("Review").fill(review)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#result")).to_have_text(verdict)
