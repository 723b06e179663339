"""The page in a real browser: each way in which asking can be slow or fail has a state of its own."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import answer_of, field_of, judge, stop_the_clock


def submit_of(page: Page) -> Any:
    return page.locator("#submit")


def test_an_empty_review_is_not_sent(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    judge(page, " \n ")
    answer_of(page).to_contain_text("There is nothing to read yet")
    assert api.posts == []


def test_the_length_is_counted_in_characters_as_the_api_counts(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    expect(page.locator("#count")).to_have_text("0 of 1,000 characters")
    judge(page, "🎬" * 1_000)
    answer_of(page).to_contain_text("Positive")
    expect(page.locator("#count")).to_have_text("1,000 of 1,000 characters")
    field_of(page).press("x")
    expect(page.get_by_role("status")).to_have_text("The review is longer than 1,000 characters.")
    judge(page, "🎬" * 1_001)
    expect(page.locator("#count")).to_have_text("1 character too many")
    answer_of(page).to_contain_text("Take out at least 1 character")
    expect(field_of(page)).to_have_attribute("aria-invalid", "true")
    assert len(api.posts) == 1


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, {"error": {"code": "no_words", "message": "Nothing to read."}}, "Nothing to read."),
        (413, {"error": {"code": "review_too_long", "message": "At most 900."}}, "At most 900."),
        (413, {"message": "Request Too Long"}, "Request Too Long"),
        (403, {"message": "Missing Authentication Token"}, "may be out of date"),
        (404, {}, "may be out of date"),
        (500, {"error": {"code": "endpoint_access", "message": "Not allowed."}}, "Not allowed."),
        (502, {"message": "Internal server error"}, "Internal server error"),
        (
            *(502, {"error": {"code": "model_error", "message": "It failed.", "request_id": "5f0c-1"}}),
            "It failed. Its number, for whoever runs this page: 5f0c-1",
        ),
        (503, {"error": {"code": "closed", "message": "Open mon-fri 8:00."}}, "Open mon-fri 8:00."),
        (504, {"message": {"strange": 1}}, "status 504 and no reason"),
        (200, {"hello": "world"}, "That was not the review API"),
        (200, {"label": "positive", "probability": "0.5"}, "That was not the review API"),
        (200, {"label": "positive", "probability": 1.5}, "That was not the review API"),
        (200, {"label": "__proto__", "probability": 0.5}, "That was not the review API"),
        (200, None, "That was not the review API"),
    ],
)
def test_what_went_wrong_is_said(page: Page, api: Any, site_url: str, status: int, body: Any, said: str) -> None:
    api.reply(status, body)
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text(said)
    expect(page.get_by_role("status")).to_contain_text(said)
    expect(submit_of(page)).to_have_attribute("aria-disabled", "false")
    assert len(api.posts) == 1


def test_an_answer_that_is_not_json_is_not_the_api(page: Page, make_page: Any, serve: Any) -> None:
    with serve(lambda request: (200, "<html>Welcome</html>", {"Content-Type": "text/html"})) as address:
        page.goto(make_page(address))
        judge(page, "good")
        answer_of(page).to_contain_text("That was not the review API")


def test_after_a_server_error_one_can_try_again(page: Page, api: Any, site_url: str) -> None:
    api.refuse(500, "Broken.")
    api.predict("negative", 0.1)
    page.goto(site_url)
    judge(page, "bad")
    page.get_by_role("button", name="Try again").click()
    answer_of(page).to_contain_text("Negative")
    expect(submit_of(page)).to_be_focused()


def test_a_wrong_address_is_named(page: Page, make_page: Any, serve: Any) -> None:
    with serve(lambda request: (500, "", {})) as address:
        gone = address  # nothing listens there once this block ends
    page.goto(make_page(f"{gone}/prod/"))
    judge(page, "good")
    answer_of(page).to_contain_text(f"Nothing answers at {gone}/prod/")


@pytest.mark.parametrize("wish", ["the button", "Escape"])
def test_a_slow_answer_is_said_to_be_slow_and_can_be_cancelled(page: Page, api: Any, site_url: str, wish: str) -> None:
    api.speaks.clear()
    stop_the_clock(page)
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("Reading…")
    expect(submit_of(page)).to_have_attribute("aria-disabled", "true")
    page.clock.run_for(1_000)
    answer_of(page).not_to_contain_text("Still waiting")
    page.clock.run_for(4_000)
    answer_of(page).to_contain_text("Still waiting")
    answer_of(page).to_contain_text("5 seconds ago")
    if wish == "Escape":
        page.keyboard.press("Escape")
    else:
        page.get_by_role("button", name="Cancel").click()
        expect(submit_of(page)).to_be_focused()
    answer_of(page).to_contain_text("Cancelled.")
    expect(submit_of(page)).to_have_attribute("aria-disabled", "false")


def test_an_answer_that_comes_late_is_still_shown(page: Page, api: Any, site_url: str) -> None:
    api.speaks.clear()
    stop_the_clock(page)
    page.goto(site_url)
    judge(page, "good")
    page.clock.run_for(3_000)
    answer_of(page).to_contain_text("Still waiting")
    api.speaks.set()
    answer_of(page).to_contain_text("Positive")


def test_no_answer_at_all_is_given_up(page: Page, api: Any, site_url: str) -> None:
    api.speaks.clear()
    page.add_init_script(
        """const within = AbortSignal.timeout.bind(AbortSignal);
        AbortSignal.timeout = (wanted) => { window.wanted = wanted; return within(60); };"""
    )
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("The API said nothing for 35 seconds.")
    assert page.evaluate("window.wanted") == 35_000


def test_being_offline_is_said_and_the_page_asks_when_the_connection_is_back(
    page: Page, api: Any, site_url: str
) -> None:
    page.goto(site_url)
    page.context.set_offline(True)
    expect(page.get_by_text("What you ask now is sent when the connection is back.")).to_be_visible()
    judge(page, "good")
    answer_of(page).to_contain_text("You are offline")
    assert api.posts == []
    page.context.set_offline(False)
    answer_of(page).to_contain_text("Positive")
    expect(page.locator("#connection")).to_be_hidden()
    assert len(api.posts) == 1


def test_waiting_for_the_connection_can_be_cancelled(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    page.context.set_offline(True)
    judge(page, "good")
    page.get_by_role("button", name="Cancel").click()
    answer_of(page).to_contain_text("Cancelled.")
    page.context.set_offline(False)
    expect(page.locator("#connection")).to_be_hidden()
    assert api.posts == []


@pytest.mark.parametrize(
    ("headers", "seconds"), [({"Retry-After": "7"}, 7), ({}, 5), ({"Retry-After": "Thu, 01 Jan 2026 00:00:09 GMT"}, 9)]
)
def test_a_throttled_page_counts_down_to_when_it_may_ask(
    page: Page, api: Any, site_url: str, headers: dict[str, str], seconds: int
) -> None:
    api.reply(429, {"message": "Too Many Requests"}, headers)
    api.predict("positive", 0.97)
    stop_the_clock(page)
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("Too many requests just now")
    answer_of(page).to_contain_text(f"You can ask again in {seconds} seconds.")
    expect(submit_of(page)).to_have_text(f"Wait {seconds} s")
    page.clock.run_for(2_000)
    expect(submit_of(page)).to_have_text(f"Wait {seconds - 2} s")
    submit_of(page).click(force=True)
    field_of(page).press("Control+Enter")
    page.clock.run_for(seconds * 1_000)
    answer_of(page).to_contain_text("You can ask again now.")
    assert len(api.posts) == 1
    submit_of(page).click()
    answer_of(page).to_contain_text("Positive")


def test_an_endpoint_that_wakes_up_is_waited_for(page: Page, api: Any, site_url: str) -> None:
    api.refuse(503, "Not in service.", {"Retry-After": "3"})
    api.refuse(503, "Not in service.", {"Retry-After": "3"})
    api.predict("positive", 0.97)
    stop_the_clock(page)
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("The model is waking up")
    answer_of(page).to_contain_text("Trying again in 3 seconds (attempt 1 of 6).")
    expect(submit_of(page)).to_have_attribute("aria-disabled", "true")
    page.clock.run_for(1_000)
    answer_of(page).to_contain_text("Trying again in 2 seconds")
    page.clock.run_for(2_000)
    answer_of(page).to_contain_text("attempt 2 of 6")
    page.clock.run_for(3_000)
    answer_of(page).to_contain_text("Positive")
    assert len(api.posts) == 3


def test_an_endpoint_that_stays_down_is_given_up(page: Page, api: Any, site_url: str) -> None:
    api.reply(503, {"message": "Service Unavailable"})
    stop_the_clock(page)
    page.goto(site_url)
    judge(page, "good")
    for attempt, seconds in enumerate((1, 2, 4, 8, 16, 20), start=1):
        answer_of(page).to_contain_text(f"in {seconds} second")
        answer_of(page).to_contain_text(f"(attempt {attempt} of 6)")
        page.clock.run_for(1_000 * seconds)
    answer_of(page).to_contain_text("still not in service")
    assert len(api.posts) == 7


def test_waking_can_be_cancelled(page: Page, api: Any, site_url: str) -> None:
    api.reply(503, {"message": "Service Unavailable"})
    stop_the_clock(page)
    page.goto(site_url)
    judge(page, "good")
    page.get_by_role("button", name="Cancel").click()
    answer_of(page).to_contain_text("Cancelled.")
    page.clock.run_for(60_000)
    assert len(api.posts) == 1


def test_two_clicks_ask_once(page: Page, api: Any, site_url: str) -> None:
    api.speaks.clear()
    page.goto(site_url)
    judge(page, "good")
    submit_of(page).click(force=True)
    page.get_by_role("region", name="Or try one of these").get_by_role("button").first.click()
    field_of(page).press("Control+Enter")
    api.speaks.set()
    answer_of(page).to_contain_text("Positive")
    assert len(api.posts) == 1
