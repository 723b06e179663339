"""The page of an API that does not let everybody in: it asks for a key, or says that it cannot ask."""

from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.conftest import Audit, MakePage
from tests.browser.steps import answer_of, judge

KEY = "k" * 40


def denied(code: str) -> dict[str, Any]:
    return {"error": {"code": code, "message": "Forbidden"}}


def test_a_key_is_asked_for_and_kept_for_the_visit(page: Page, api: Any, make_page: MakePage, audit: Audit) -> None:
    page.goto(make_page(api.url, access="key"))
    key = page.get_by_label("Your key")
    judge(page, "good")
    answer_of(page).to_contain_text("The API takes a key")
    expect(key).to_be_focused()
    expect(key).to_have_attribute("aria-invalid", "true")
    assert api.posts == []
    assert audit(page) == []
    for code, status, title in (
        ("INVALID_API_KEY", 403, "The API does not take this key"),
        ("QUOTA_EXCEEDED", 429, "This key is used up for now"),
    ):
        api.replies = []
        api.reply(status, denied(code))
        key.fill(KEY)
        judge(page, "good")
        answer_of(page).to_contain_text(title)
        assert (key.get_attribute("aria-invalid") == "true") == (status == 403)
    api.replies = []
    api.predict("positive", 0.97)
    judge(page, "good")
    answer_of(page).to_contain_text("Positive")
    sent = {name.lower(): value for name, value in api.posts[-1].headers.items()}
    assert sent["x-api-key"] == KEY
    page.reload()
    expect(key).to_have_value(KEY)
    assert page.evaluate("localStorage.length") == 0
    assert page.evaluate("document.cookie") == ""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    judge(page, "good")
    page.get_by_role("button", name="Copy as curl").click()
    said = page.locator(".command").input_value() if page.locator(".command").count() else ""
    said = said or page.evaluate("navigator.clipboard.readText()")
    assert "$SENTICTL_API_KEY" in said
    assert KEY not in said
    with page.context.expect_page() as opened:
        page.context.new_page()
    another = opened.value
    another.goto(page.url)
    expect(another.get_by_label("Your key")).to_have_value("")


def test_a_page_from_before_the_key_says_so(page: Page, api: Any, site_url: str) -> None:
    api.reply(403, denied("INVALID_API_KEY"))
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("The API takes a key now")


def test_a_page_for_signed_requests_says_that_it_cannot_ask(
    page: Page, api: Any, make_page: MakePage, audit: Audit
) -> None:
    page.goto(make_page(api.url, access="iam"))
    expect(page.get_by_role("heading", name="This page cannot ask")).to_be_visible()
    expect(page.get_by_role("button", name="Judge it")).to_be_hidden()
    assert audit(page) == []
