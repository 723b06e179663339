"""The page in a real browser: what a visitor sees, does, and hears about what went wrong."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sentictl.services.page import render

TEMPLATES = Path(__file__).parents[2] / "templates"
ATTACK = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'


def judge(page: Page, review: str) -> None:
    page.get_by_label("Review", exact=True).fill(review)
    page.get_by_role("button", name="Judge it").click()


def answer_of(page: Page) -> Any:
    return expect(page.get_by_label("Answer"))


@pytest.mark.parametrize(
    ("label", "probability", "verdict", "confidence"),
    [
        ("positive", 0.97, "Positive", "97% confident"),
        ("negative", 0.04, "Negative", "96% confident"),
        ("positive", 0.9999, "Positive", "99.9% confident"),
        ("negative", 0.0, "Negative", "99.9% confident"),
        ("positive", 0.5, "Positive", "50% confident"),
    ],
)
def test_the_verdict_and_its_confidence(
    page: Page, api: Any, site_url: str, label: str, probability: float, verdict: str, confidence: str
) -> None:
    api.predict(label, probability, model="m-1")
    page.goto(site_url)
    judge(page, "Très good 🎬 & <b>fun</b>")
    answer_of(page).to_contain_text(verdict)
    answer_of(page).to_contain_text(confidence)
    answer_of(page).to_contain_text("Judged by m-1.")
    assert json.loads(api.posts[0].body) == {"review": "Très good 🎬 & <b>fun</b>"}
    assert api.posts[0].headers["Content-Type"] == "application/json"
    assert page.get_by_label("Answer").get_attribute("aria-live") == "polite"


def test_an_unsure_verdict_says_so(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.55)
    page.goto(site_url)
    judge(page, "so so")
    answer_of(page).to_contain_text("close to a coin toss")


def test_the_page_works_from_a_server_and_asks_nobody_but_the_api(page: Page, api: Any, serve: Any) -> None:
    html = render("Reviews", api.url, 1_000, TEMPLATES).decode()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    with serve(lambda request: (200, html, {"Content-Type": "text/html"})) as address:
        page.goto(address)
        judge(page, "good")
        answer_of(page).to_contain_text("Positive")
        web = [url for url in requests if not url.startswith("data:")]
        assert web == [f"{address}/", api.url]


@pytest.mark.parametrize("key", ["Control+Enter", "Meta+Enter"])
def test_the_keyboard_is_enough(page: Page, api: Any, site_url: str, key: str) -> None:
    page.goto(site_url)
    page.keyboard.press("Tab")
    page.keyboard.type("good")
    page.keyboard.press(key)
    answer_of(page).to_contain_text("Positive")
    expect(page.get_by_label("Review", exact=True)).to_be_focused()


def test_an_example_is_one_click_away(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    example = page.get_by_role("region", name="Or try one of these").get_by_role("button").first
    text = example.inner_text()
    example.click()
    answer_of(page).to_contain_text("Positive")
    expect(page.get_by_label("Review", exact=True)).to_have_value(text)
    assert json.loads(api.posts[0].body) == {"review": text}


def test_a_verdict_goes_when_the_text_changes(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("Positive")
    page.get_by_label("Review", exact=True).press("x")
    answer_of(page).to_be_empty()


def test_an_empty_review_is_not_sent(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    judge(page, " \n ")
    answer_of(page).to_contain_text("There is nothing to read yet")
    assert api.posts == []


def test_the_length_is_counted_in_characters_as_the_api_counts(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    judge(page, "🎬" * 1_000)
    answer_of(page).to_contain_text("Positive")
    expect(page.locator("#count")).to_have_text("1,000 of 1,000 characters")
    judge(page, "🎬" * 1_001)
    expect(page.locator("#count")).to_have_text("1 character too many")
    answer_of(page).to_contain_text("Take out at least 1 character")
    assert len(api.posts) == 1


@pytest.mark.parametrize(
    ("status", "body", "headers", "said"),
    [
        (400, {"error": {"code": "no_words", "message": "Nothing to read."}}, {}, "Nothing to read."),
        (413, {"error": {"code": "review_too_long", "message": "At most 900."}}, {}, "At most 900."),
        (413, {"message": "Request Too Long"}, {}, "Request Too Long"),
        (403, {"message": "Missing Authentication Token"}, {}, "may be out of date"),
        (404, {}, {}, "may be out of date"),
        (429, {"message": "Too Many Requests"}, {"Retry-After": "7"}, "Wait 7 seconds"),
        (429, {"message": "Too Many Requests"}, {}, "Wait 5 seconds"),
        (500, {"error": {"code": "endpoint_access", "message": "Not allowed."}}, {}, "Not allowed."),
        (502, {"message": "Internal server error"}, {}, "Internal server error"),
        (504, {"message": {"strange": 1}}, {}, "status 504 and no reason"),
        (200, {"hello": "world"}, {}, "That was not the review API"),
        (200, {"label": "positive", "probability": "high"}, {}, "That was not the review API"),
        (200, None, {}, "That was not the review API"),
    ],
)
def test_what_went_wrong_is_said(
    page: Page, api: Any, site_url: str, status: int, body: Any, headers: dict[str, str], said: str
) -> None:
    api.reply(status, body, headers)
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text(said)
    expect(page.get_by_role("button", name="Judge it")).to_have_attribute("aria-disabled", "false")
    assert len(api.posts) == 1


def test_an_answer_that_is_not_json_is_not_the_api(page: Page, tmp_path: Path, serve: Any) -> None:
    with serve(lambda request: (200, "<html>Welcome</html>", {"Content-Type": "text/html"})) as address:
        path = tmp_path / "index.html"
        path.write_bytes(render("Reviews", address, 1_000, TEMPLATES))
        page.goto(path.as_uri())
        judge(page, "good")
        answer_of(page).to_contain_text("That was not the review API")


def test_an_endpoint_that_wakes_up_is_waited_for(page: Page, api: Any, site_url: str) -> None:
    api.refuse(503, "Not in service.", {"Retry-After": "3"})
    api.refuse(503, "Not in service.", {"Retry-After": "3"})
    api.predict("positive", 0.97)
    page.clock.install()
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("The model is waking up")
    answer_of(page).to_contain_text("Trying again in 3 seconds (1 of 4).")
    expect(page.get_by_role("button", name="Judge it")).to_have_attribute("aria-disabled", "true")
    page.clock.run_for(3_000)
    answer_of(page).to_contain_text("(2 of 4)")
    page.clock.run_for(3_000)
    answer_of(page).to_contain_text("Positive")
    assert len(api.posts) == 3


def test_an_endpoint_that_stays_down_is_given_up(page: Page, api: Any, site_url: str) -> None:
    api.reply(503, {"message": "Service Unavailable"})
    page.clock.install()
    page.goto(site_url)
    judge(page, "good")
    for attempt, seconds in enumerate(("1 second", "2 seconds", "4 seconds", "8 seconds"), start=1):
        answer_of(page).to_contain_text(f"in {seconds} ({attempt} of 4)")
        page.clock.run_for(8_000)
    answer_of(page).to_contain_text("still not in service")
    assert len(api.posts) == 5


def test_two_clicks_ask_once(page: Page, api: Any, site_url: str) -> None:
    api.reply(503, {"message": "Service Unavailable"})
    page.clock.install()
    page.goto(site_url)
    judge(page, "good")
    page.get_by_role("button", name="Judge it").click(force=True)
    answer_of(page).to_contain_text("waking up")
    assert len(api.posts) == 1


def test_a_wrong_address_is_named(page: Page, tmp_path: Path, serve: Any) -> None:
    with serve(lambda request: (500, "", {})) as address:
        gone = address  # nothing listens there once this block ends
    path = tmp_path / "index.html"
    path.write_bytes(render("Reviews", f"{gone}/prod/", 1_000, TEMPLATES))
    page.goto(path.as_uri())
    judge(page, "good")
    answer_of(page).to_contain_text(f"Nothing answers at {gone}/prod/")


def test_being_offline_is_said(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    page.context.set_offline(True)
    judge(page, "good")
    answer_of(page).to_contain_text("You seem to be offline")


def test_text_is_never_markup(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.9, model=ATTACK)
    api.refuse(400, ATTACK)
    page.goto(site_url)
    judge(page, ATTACK)
    answer_of(page).to_contain_text(f"Judged by {ATTACK}.")
    judge(page, ATTACK)
    answer_of(page).to_contain_text("The API did not accept this review")
    answer_of(page).to_contain_text(ATTACK)
    assert page.locator("#answer img, #answer script").count() == 0
    assert page.evaluate("window.hacked") is None


def test_an_attack_in_the_title_or_address_is_text(page: Page, api: Any, tmp_path: Path) -> None:
    path = tmp_path / "index.html"
    path.write_bytes(render(ATTACK, api.url + '?"><script>window.hacked=1</script>', 1_000, TEMPLATES))
    page.goto(path.as_uri())
    expect(page.get_by_role("heading", level=1)).to_have_text(ATTACK)
    judge(page, "good")
    answer_of(page).to_contain_text("Positive")
    assert page.evaluate("window.hacked") is None


def test_the_policy_stops_foreign_script_and_foreign_hosts(browser: Any, api: Any, site_url: str, serve: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site_url)
    reached: list[str] = []

    def answer(request: Any) -> tuple[int, str, dict[str, str]]:
        reached.append(request.path)
        return 200, "{}", {}

    with serve(answer) as elsewhere:
        blocked = page.evaluate("(url) => fetch(url).then(() => false, () => true)", elsewhere)
    page.evaluate("document.body.append(Object.assign(document.createElement('script'), {text: 'window.hacked = 1'}))")
    assert blocked
    assert reached == []
    assert page.evaluate("window.hacked") is None
    context.close()


@pytest.mark.parametrize("width", [320, 390, 1440])
def test_nothing_is_cut_off_at_any_width(page: Page, api: Any, site_url: str, width: int) -> None:
    api.refuse(400, "W" * 300)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("WWW")
    assert page.evaluate("document.documentElement.scrollWidth") <= width


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("outcome", ["positive", "negative", "trouble"])
def test_every_text_has_enough_contrast(page: Page, api: Any, site_url: str, scheme: Any, outcome: str) -> None:
    """WCAG 2.2, 1.4.3: at least 4.5 to 1 for text of ordinary size."""
    if outcome == "trouble":
        api.refuse(400, "No.")
    else:
        api.predict(outcome, 0.6)
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(site_url)
    judge(page, "good")
    expect(page.locator(f".card.{outcome}")).to_be_visible()
    ratios = page.evaluate((Path(__file__).parent / "contrast.js").read_text())
    assert len(ratios) > 8
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}
