"""Signing in on the page in a real browser: the twin's user pool, its sign-in page, the authorizer, the model."""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
import urllib3
from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.conftest import Audit
from tests.chain.shell import Shell, begin

ADA, BOB = "ada@films.example", "bob@films.example"
PASSWORD = "Correct-Horse-7-battery"
SUPERB = "A superb film, wonderful."
TOKEN = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")


@pytest.fixture(scope="module")
def shell(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shell]:
    """A project whose API asks people to sign in; needs the browser, so that nothing is brought up without one."""
    shell = begin(tmp_path_factory.mktemp("sign-in") / "toy")
    for key, value in (("api.auth", "cognito"), ("api.caller_rate_limit", "40")):
        shell.run("config", "set", key, value)
    yield shell
    shell.run("down", "--yes")


@pytest.fixture(scope="module")
def live(shell: Shell) -> dict[str, Any]:
    """What `up --json` answered."""
    document: dict[str, Any] = shell.json("up")
    return document


def card(page: Page) -> Locator:
    """What the page says of the last review."""
    return page.get_by_role("region", name="Answer")


def sign_in(page: Page, email: str, password: str) -> None:
    page.get_by_label("E-mail address").fill(email)
    page.get_by_label("Password", exact=True).fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_who_signs_in_gets_verdicts_and_who_signs_out_none(
    page: Page, shell: Shell, live: dict[str, Any], audit: Audit
) -> None:
    assert live["missing"] == ""
    first = shell.json("users", "add", ADA)["password"]
    assert shell.json("users", "list") == [{"email": ADA, "status": "invited"}]
    page.goto(live["page_url"])
    expect(page.get_by_text("Sign in to ask the model.")).to_be_visible()
    assert audit(page) == []
    # Asking leads to the sign-in page, there to a password of one's own, and back to the answer.
    page.get_by_label("Review", exact=True).fill(SUPERB)
    page.keyboard.press("Control+Enter")
    sign_in(page, ADA, "wrong-Password-1")
    expect(page.get_by_role("alert")).to_have_text("Incorrect username or password.")
    assert audit(page) == []
    sign_in(page, ADA, first)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text("Positive", exact=True)).to_be_visible()
    expect(page.get_by_label("Review", exact=True)).to_have_value(SUPERB)
    expect(page.get_by_text(f"Signed in as {ADA}.")).to_be_visible()
    assert page.url == live["page_url"]  # neither a code nor a state stays in the address
    assert audit(page) == []
    stored = page.evaluate("JSON.stringify([{...sessionStorage}, {...localStorage}, document.cookie])")
    assert TOKEN.search(stored) is None
    assert json.loads(stored) == [{"signed-in": "yes"}, {}, ""]
    # A reload asks nothing: the sign-in page knows the browser.
    page.reload()
    expect(page.get_by_text(f"Signed in as {ADA}.")).to_be_visible()
    # A token that has expired, or is none: what was typed stays, and is asked about after signing in again.
    page.evaluate("visitor.token = 'a.b.c'")
    page.get_by_label("Review", exact=True).fill("A tedious film, boring.")
    page.keyboard.press("Control+Enter")
    expect(card(page).get_by_role("heading")).to_have_text("Your sign-in has ended")
    assert audit(page) == []
    card(page).get_by_role("button", name="Sign in").click()
    expect(page.get_by_text("Negative", exact=True)).to_be_visible()
    expect(page.get_by_label("Review", exact=True)).to_have_value("A tedious film, boring.")
    # Signed out, the sign-in page asks again.
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("Sign in to ask the model.")).to_be_visible()
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_label("Password", exact=True)).to_be_visible()
    shell.run("users", "remove", ADA)
    sign_in(page, ADA, PASSWORD)
    expect(page.get_by_role("alert")).to_have_text("Incorrect username or password.")


def test_a_sign_in_that_the_page_did_not_begin_is_not_used(page: Page, live: dict[str, Any]) -> None:
    page.goto(f"{live['page_url']}?code=somebody-elses&state=guessed")
    expect(card(page).get_by_role("heading")).to_have_text("Nobody signed in")
    assert page.url == live["page_url"]


def test_a_browser_that_keeps_nothing_for_the_page_is_told_why_nobody_can_sign_in(
    page: Page, live: dict[str, Any]
) -> None:
    page.add_init_script("Storage.prototype.getItem = Storage.prototype.setItem = () => { throw new Error('blocked') }")
    page.goto(live["page_url"])
    page.get_by_label("Review", exact=True).fill(SUPERB)
    page.get_by_role("button", name="Sign in").click()
    expect(card(page).get_by_role("heading")).to_have_text("This browser keeps nothing for this page")
    expect(page.get_by_label("Review", exact=True)).to_have_value(SUPERB)


def test_the_terminal_asks_with_a_token_and_each_address_so_often(
    page: Page, shell: Shell, live: dict[str, Any]
) -> None:
    refused = shell.json("predict", "--via", "api", SUPERB, expect=4)["error"]
    assert "SENTICTL_API_TOKEN" in refused["hint"]
    password = shell.json("users", "add", BOB)["password"]
    page.goto(live["page_url"])
    page.get_by_role("button", name="Sign in").click()
    sign_in(page, BOB, password)
    page.get_by_label("New password").fill(PASSWORD)
    page.get_by_role("button", name="Go on").click()
    expect(page.get_by_text(f"Signed in as {BOB}.")).to_be_visible()
    bob = replace(shell, variables={"SENTICTL_API_TOKEN": page.evaluate("visitor.token")})
    assert bob.run("predict", "--via", "api", SUPERB).stdout.startswith("positive")
    forged = replace(shell, variables={"SENTICTL_API_TOKEN": "a.b.c"})
    assert "another user pool's" in forged.json("predict", "--via", "api", SUPERB, expect=4)["error"]["message"]
    http = urllib3.PoolManager(retries=False)
    made_up = [{"X-Forwarded-For": f"10.0.0.{number}"} for number in range(41)]
    answers = [http.request("POST", live["api_url"], body=b"x", headers=headers) for headers in made_up]
    assert answers[-1].status == 429
    assert answers[-1].headers["Retry-After"] == "300"
    assert json.loads(answers[-1].data)["error"]["code"] == "WAF_FILTERED"
    assert answers[-1].headers["Access-Control-Allow-Origin"] == "*"
    assert {answer.status for answer in answers} == {401, 429}
    assert "api.caller_rate_limit" in bob.json("predict", "--via", "api", SUPERB, expect=4)["error"]["hint"]
    page.get_by_label("Review", exact=True).fill(SUPERB)
    page.keyboard.press("Control+Enter")
    expect(card(page).get_by_role("heading")).to_have_text("Too many requests from here")
    page.reload()  # looking at the page is free
    expect(page.get_by_text(f"Signed in as {BOB}.")).to_be_visible()
    steps = shell.json("plan")["steps"]
    assert {step["action"] for step in steps} == {"keep"}
