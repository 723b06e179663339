"""Pages in a real browser, all the way through the twin: API Gateway, Lambda, endpoint, model."""

import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import urllib3
from playwright.sync_api import Browser, Page, expect

from sentictl.services.page.render import HEADERS
from sentictl.twin import daemon
from tests.browser.steps import answer_of, judge, marks
from tests.chain.shell import SENTICTL, Shell, begin, environment
from tests.prepared import popen as prepared
from tests.twin.conftest import wait_for

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


# Stands for the browser that BROWSER names: it notes the address it was given.
BROWSER_PROGRAM = '#!/bin/sh\necho "$1" > "$(dirname "$0")/opened"\n'


@pytest.fixture(scope="module")
def shell(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A live project; needs the browser, so that nothing is brought up where there is none."""
    shell = begin(tmp_path_factory.mktemp("live") / "toy")
    yield shell
    daemon.destroy(shell.twin)


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
        page.get_by_label("Review", exact=True).fill(review)
        page.keyboard.press("Control+Enter")
        expect(page.get_by_text(verdict, exact=True)).to_be_visible()
    expect(page.get_by_text(live["model"])).to_be_visible()


def test_the_words_that_the_model_went_by_are_marked(page: Page, live: dict[str, Any]) -> None:
    page.goto(live["page_url"])
    judge(page, "🎬 A superb film.\nNot tedious, I thought!")
    found = dict(marks(page))
    assert found["superb"] == "positive"
    assert found["tedious"] == "negative"
    expect(page.locator(".phrases li").first).to_be_visible()


@pytest.fixture
def throttled(shell: Shell, live: dict[str, Any]) -> Iterator[str]:
    """The page's address, served by an API that lets one request through in ten seconds."""
    for key, value in (("api.throttle_rate", "0.1"), ("api.throttle_burst", "1")):
        shell.run("config", "set", key, value)
    shell.run("wire-api")
    yield live["page_url"]
    for key, value in (("api.throttle_rate", "1000"), ("api.throttle_burst", "1000")):
        shell.run("config", "set", key, value)
    shell.run("wire-api")


def test_a_throttled_api_says_when_to_ask_again_and_the_page_listens(page: Page, throttled: str) -> None:
    page.goto(throttled)  # that was the one request
    judge(page, "good")
    answer_of(page).to_contain_text("Too many requests just now")
    expect(page.locator("#submit")).to_have_text(re.compile(r"Wait (10|[5-9]) s"))


def test_the_api_sends_the_page_with_its_headers(live: dict[str, Any]) -> None:
    assert HEADERS.items() <= dict(urllib3.request("GET", live["page_url"]).headers).items()


@pytest.fixture
def browser_program(tmp_path: Path) -> Path:
    program = tmp_path / "browser"
    program.write_text(BROWSER_PROGRAM)
    program.chmod(0o755)
    return program


def test_the_page_is_served_here_until_ctrl_c(
    page: Page, shell: Shell, live: dict[str, Any], browser_program: Path
) -> None:
    own = shell.folder / "templates" / "site" / "theme.css"
    noted = browser_program.parent / "opened"
    own.parent.mkdir(parents=True)
    served = prepared.Popen(
        [SENTICTL, "site", "--serve", "--open"],
        cwd=shell.folder,
        env=environment() | {"BROWSER": str(browser_program)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert served.stdout is not None
    address = served.stdout.readline().strip()
    try:
        opened = wait_for(lambda: noted.exists() and noted.read_text().strip())
        assert opened == (shell.folder / ".sentictl" / "open.html").as_uri()  # what all users see of a browser's start
        page.goto(opened)
        page.wait_for_url(address)
        judge(page, "A superb film.")
        answer_of(page).to_contain_text("Positive")
        own.write_text("h1 { color: rgb(1, 2, 3); }")
        page.reload()
        expect(page.get_by_role("heading", level=1)).to_have_css("color", "rgb(1, 2, 3)")
    finally:
        served.send_signal(signal.SIGINT)
        _, said = served.communicate(timeout=30)
        own.unlink()
    assert served.returncode == 0, said
    assert "until Ctrl-C" in said
    assert "Stopped." in said


def test_open_shows_the_published_page(shell: Shell, live: dict[str, Any], browser_program: Path) -> None:
    person = Shell(shell.folder, {"BROWSER": str(browser_program)})
    assert person.json("site", "--open")["page_url"] == live["page_url"]
    assert (browser_program.parent / "opened").read_text().strip() == live["page_url"]


def test_serving_publishes_nothing(shell: Shell) -> None:
    refused = shell.json("site", "--serve", "--publish", "s3", expect=2)
    assert "nothing else is done" in refused["error"]["message"]


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
    page.get_by_label("Review", exact=True).fill(review)
    page.get_by_role("button", name="Submit").click()
    expect(page.locator("#result")).to_have_text(verdict)
