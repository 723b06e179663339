"""The page in a real browser: from typing to the verdict, its reasons, and what can be done with them."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import answer_of, explained, field_of, judge, marks

REVIEW = "Très good 🎬 & <b>fun</b>, but too long"


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
    judge(page, REVIEW)
    expect(page.get_by_role("heading", name=verdict, exact=True)).to_be_visible()
    answer_of(page).to_contain_text(confidence)
    answer_of(page).to_contain_text("Judged by m-1.")
    meter = page.get_by_role("meter", name="Probability that the review is positive")
    expect(meter).to_have_attribute("aria-valuenow", str(round(probability * 100)))
    expect(page.get_by_role("status")).to_have_text(f"{verdict}, {confidence}.")
    assert json.loads(api.posts[0].body) == {"review": REVIEW, "explain": True}
    assert api.posts[0].headers["Accept"] == "application/json"


def test_an_unsure_verdict_says_so(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.55)
    page.goto(site_url)
    judge(page, "so so")
    answer_of(page).to_contain_text("close to a coin toss")


def test_a_review_of_unknown_words_is_undecided(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.5, undecided=True)
    page.goto(site_url)
    judge(page, "zzz qqq")
    expect(page.get_by_role("heading", name="Undecided", exact=True)).to_be_visible()
    answer_of(page).to_contain_text("The model knows none of these words")
    answer_of(page).not_to_contain_text("confident")
    expect(page.locator("#history .tag")).to_have_text("Undecided")


def test_the_words_that_decided_are_marked_where_they_stand(page: Page, api: Any, site_url: str) -> None:
    """Offsets count code points; the emoji before the last word is two UTF-16 units."""
    api.predict("positive", 0.9, explanation=explained(REVIEW, good=0.9, fun=0.5, long=-0.4, but=0.01))
    page.goto(site_url)
    judge(page, REVIEW)
    assert marks(page) == [("good", "positive"), ("fun", "positive"), ("long", "negative")]
    assert page.locator(".marked").evaluate(
        "(node) => [...node.childNodes].map((n) => n.firstChild?.data ?? n.data)"
    ) == [
        "Très ",
        "good",
        " 🎬 & <b>",
        "fun",
        "</b>, but too ",
        "long",
        "",
    ]


def test_the_side_of_a_mark_shows_without_its_color_and_is_read_out(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.9, explanation=explained("good but long", good=0.9, long=-0.4))
    page.goto(site_url)
    judge(page, "good but long")
    expect(page.locator(".marked")).to_have_text("good (strongly positive) but long (negative)")
    lines = page.locator(".marked mark").evaluate_all(
        "(all) => all.map((m) => getComputedStyle(m).textDecorationStyle)"
    )
    assert lines == ["solid", "dashed"]
    expect(page.locator(".legend")).to_contain_text("speaks for negative")


def test_a_deeper_mark_says_more(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.9, explanation=explained("good nice fine", good=2, nice=1, fine=0.5))
    page.goto(site_url)
    judge(page, "good nice fine")
    assert len(marks(page)) == 3
    depths = page.locator(".marked mark").evaluate_all("(all) => all.map((m) => m.style.getPropertyValue('--depth'))")
    assert depths == ["1.00", "0.50", "0.25"]


def test_the_phrases_that_counted_most_are_listed_strongest_first(page: Page, api: Any, site_url: str) -> None:
    found = explained("no good", good=0.9) | {
        "phrases": [{"phrase": f"phrase {number}", "contribution": 0.1 * number} for number in range(9)]
        + [{"phrase": "no good", "contribution": -1.3}]
    }
    api.predict("negative", 0.1, explanation=found)
    page.goto(site_url)
    judge(page, "no good")
    items = page.locator(".phrases li")
    expect(items).to_have_count(6)
    expect(items.nth(0)).to_have_text("no good\N{MINUS SIGN}1.30")
    expect(items.nth(1)).to_have_text("phrase 8+0.80")


def test_a_model_without_phrases_lists_its_words(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.9, explanation=explained("good so good", good=0.5, so=0.2))
    page.goto(site_url)
    judge(page, "good so good")
    expect(page.locator(".phrases li")).to_have_text(["good+1.00", "so+0.20"])


def test_an_answer_without_an_explanation_is_a_verdict_alone(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("Positive")
    expect(page.locator(".marked, .phrases")).to_have_count(0)


def test_an_example_of_the_settings_is_one_click_away(page: Page, api: Any, make_page: Any) -> None:
    example = "A line <b>&amp;</b>\nand another “one”"
    page.goto(make_page(api.url, examples=["Dull.", example]))
    examples = page.get_by_role("region", name="Or try one of these").get_by_role("button")
    expect(examples).to_have_count(2)
    examples.last.click()
    answer_of(page).to_contain_text("Positive")
    expect(field_of(page)).to_have_value(example)
    assert json.loads(api.posts[0].body)["review"] == example


def test_a_page_without_examples_has_no_place_for_them(page: Page, api: Any, make_page: Any) -> None:
    page.goto(make_page(api.url, examples=[]))
    expect(page.get_by_text("Or try one of these")).to_have_count(0)
    judge(page, "good")
    answer_of(page).to_contain_text("Positive")


def test_a_verdict_goes_when_the_text_changes(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    answer_of(page).to_contain_text("The verdict appears here")
    judge(page, "good")
    answer_of(page).to_contain_text("Positive")
    field_of(page).press("x")
    answer_of(page).to_have_text("The verdict appears here, and the words that decided it.")


def test_the_history_shows_an_answer_again_without_asking(page: Page, api: Any, site_url: str) -> None:
    api.predict("positive", 0.97, explanation=explained("good", good=1))
    api.predict("negative", 0.2)
    page.goto(site_url)
    history = page.get_by_role("region", name="This visit")
    expect(history).to_have_count(0)
    for review, verdict in (("good", "Positive"), ("bad", "Negative"), ("bad", "Negative")):
        judge(page, review)
        answer_of(page).to_contain_text(verdict)
    expect(history.get_by_role("button")).to_have_text(["Negative 80% bad", "Positive 97% good"])
    history.get_by_role("button", name="good").click()
    answer_of(page).to_contain_text("97% confident")
    assert marks(page) == [("good", "positive")]
    expect(field_of(page)).to_have_value("good")
    assert len(api.posts) == 3


def test_nothing_of_the_visit_is_stored(page: Page, api: Any, site_url: str) -> None:
    page.goto(site_url)
    judge(page, "good")
    answer_of(page).to_contain_text("Positive")
    assert page.evaluate("[localStorage.length, sessionStorage.length, document.cookie]") == [0, 0, ""]
    assert page.evaluate("indexedDB.databases()") == []
    page.reload()
    expect(page.get_by_role("region", name="This visit")).to_have_count(0)


@pytest.mark.parametrize(
    "review",
    [
        "It's \"fine\", isn't it? $HOME `id` $(id) !! \\ %s",
        "two\nlines\r\n\tand a tab\x1b[31m\x7f\x85",
        "REVIEW\nREVIEW\n'''",
        "Très drôle 🎬 ¿qué? \u202eevil\u2028 мир",
        "🎬" * 1_000,
    ],
)
def test_the_copied_command_asks_the_same(browser: Any, api: Any, site_url: str, review: str, tmp_path: Path) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(site_url)
    field_of(page).fill(review)
    sent = field_of(page).input_value()
    page.get_by_role("button", name="Judge it").click()
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    context.close()
    assert not set(command) & set("\x1b\x7f\x85\u202e")
    script = tmp_path / "ask.sh"
    script.write_text(command, encoding="utf-8", newline="")
    answer = subprocess.run(["bash", script], capture_output=True, check=True, timeout=30).stdout
    assert json.loads(answer)["label"] == "positive"
    assert json.loads(api.posts[1].body) == json.loads(api.posts[0].body) == {"review": sent, "explain": True}
    assert api.posts[1].headers["Content-Type"] == "application/json"


def test_an_address_is_quoted_in_the_copied_command(browser: Any, api: Any, make_page: Any) -> None:
    context = browser.new_context(permissions=["clipboard-read", "clipboard-write"])
    page = context.new_page()
    page.goto(make_page(f"{api.url}?a='$(id)'&b"))
    judge(page, "good")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    command = page.evaluate("navigator.clipboard.readText()")
    context.close()
    subprocess.run(["bash", "-c", command], capture_output=True, check=True, timeout=30)
    assert "id" in api.posts[1].path
    assert "uid=" not in api.posts[1].path


def test_where_the_clipboard_is_not_allowed_the_command_is_selected(page: Page, api: Any, site_url: str) -> None:
    page.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    page.goto(site_url)
    judge(page, "it's good")
    page.get_by_role("button", name="Copy as curl").click()
    command = page.get_by_label("The command, selected to be copied")
    expect(command).to_be_focused()
    assert page.evaluate("getSelection().toString()") == command.input_value()
    assert command.input_value().startswith(f"curl '{api.url}'")
