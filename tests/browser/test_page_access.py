"""The page in a real browser for everybody: axe, the keyboard alone, a screen reader's announcements, every width."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.steps import answer_of, explained, field_of, judge, marks, stop_the_clock

REVIEW = "A good, warm film. " + "Not a dull minute in it, though the ending is weak. " * 3


def idle(page: Page, api: Any) -> None:
    answer_of(page).to_contain_text("The verdict appears here")


def verdict(page: Page, api: Any) -> None:
    found = explained(REVIEW, good=1.0, warm=0.6, dull=-0.9, weak=-0.4)
    for label, probability in (("negative", 0.1), ("positive", 0.6)):
        api.predict(label, probability, explanation=found)
    judge(page, "bad")
    answer_of(page).to_contain_text("Negative")
    judge(page, REVIEW)
    answer_of(page).to_contain_text("coin toss")
    marks(page)


def negative(page: Page, api: Any) -> None:
    api.predict("negative", 0.1, explanation=explained(REVIEW, good=0.5, warm=0.6, dull=-0.9, weak=-0.4))
    judge(page, REVIEW)
    marks(page)


def reading(page: Page, api: Any) -> None:
    api.speaks.clear()
    judge(page, "good")
    answer_of(page).to_contain_text("Reading")


def offline(page: Page, api: Any) -> None:
    page.context.set_offline(True)
    judge(page, "good")
    answer_of(page).to_contain_text("You are offline")


def throttled(page: Page, api: Any) -> None:
    api.refuse(429, "Too many.", {"Retry-After": "600"})
    judge(page, "good")
    answer_of(page).to_contain_text("You can ask again in")


def waking(page: Page, api: Any) -> None:
    api.refuse(503, "Not in service.", {"Retry-After": "20"})
    judge(page, "good")
    answer_of(page).to_contain_text("waking up")


def server_error(page: Page, api: Any) -> None:
    api.refuse(500, "Broken.")
    judge(page, "good")
    answer_of(page).to_contain_text("Broken.")


def too_long(page: Page, api: Any) -> None:
    judge(page, "x" * 1_001)
    answer_of(page).to_contain_text("Take out at least 1 character")


def command_to_copy(page: Page, api: Any) -> None:
    page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    judge(page, "good")
    page.get_by_role("button", name="Copy as curl").click()
    expect(page.get_by_label("The command, selected to be copied")).to_be_focused()


STATES = (idle, verdict, negative, reading, offline, throttled, waking, server_error, too_long, command_to_copy)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__)
def test_axe_finds_nothing(
    page: Page, api: Any, make_page: Any, audit: Any, scheme: Any, state: Callable[[Page, Any], None]
) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(make_page(api.url, footer="Made for a talk."))
    state(page, api)
    assert audit(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("accent", ["#ffe600", "#111111", "#ffffff", "#ff0066"])
def test_any_accent_can_be_read(page: Page, api: Any, make_page: Any, audit: Any, scheme: Any, accent: str) -> None:
    page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
    page.goto(make_page(api.url, accent=accent))
    assert audit(page) == []
    page.get_by_role("button", name="Judge it").hover()
    assert audit(page) == []


@pytest.mark.parametrize("key", ["Control+Enter", "Meta+Enter"])
def test_a_key_judges_and_leaves_the_focus(page: Page, api: Any, site_url: str, key: str) -> None:
    page.goto(site_url)
    field_of(page).focus()
    page.keyboard.type("good")
    page.keyboard.press(key)
    answer_of(page).to_contain_text("Positive")
    expect(field_of(page)).to_be_focused()


def test_the_whole_page_by_keyboard_alone(page: Page, api: Any, site_url: str) -> None:
    """Colors, review, judging, the answer, the examples, the history: in that order, each with a visible ring."""
    api.predict("positive", 0.9, explanation=explained("good", good=1))
    page.goto(site_url)
    page.keyboard.press("Tab")
    page.keyboard.press("Space")
    expect(page.get_by_role("button", name="Dark")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Tab")
    page.keyboard.type("good")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    answer_of(page).to_contain_text("Positive")
    stops = []
    for _ in range(7):
        page.keyboard.press("Tab")
        stops.append(
            page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.innerText")
        )
        assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    assert stops[:2] == ["The review, its words marked", "Copy as curl"]
    assert stops[-1].startswith("Positive 90%")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_have_text("Positive, 90% confident.")


def test_what_happens_is_announced_once_and_seconds_are_not(page: Page, api: Any, site_url: str) -> None:
    api.refuse(503, "Not in service.", {"Retry-After": "3"})
    api.predict("positive", 0.97)
    stop_the_clock(page)
    page.goto(site_url)
    page.get_by_role("status").evaluate(
        """(status) => { window.said = []; new MutationObserver(() => window.said.push(status.textContent))
        .observe(status, { childList: true, characterData: true, subtree: true }); }"""
    )
    judge(page, "good")
    answer_of(page).to_contain_text("waking up")
    page.clock.run_for(3_000)
    answer_of(page).to_contain_text("Positive")
    said = [text for text in page.evaluate("window.said") if text]
    assert said == [
        "Reading.",
        "The model is waking up. Trying again in 3 seconds.",
        "Reading.",
        "Positive, 97% confident.",
    ]


@pytest.mark.parametrize(("scheme", "first", "second"), [("light", "light", "dark"), ("dark", "dark", "light")])
def test_the_colors_are_the_systems_until_one_chooses(
    page: Page, api: Any, site_url: str, scheme: Any, first: str, second: str
) -> None:
    papers = {"light": "rgb(246, 244, 239)", "dark": "rgb(20, 24, 27)"}
    page.emulate_media(color_scheme=scheme)
    page.goto(site_url)
    paper = "getComputedStyle(document.body).backgroundColor"
    assert page.evaluate(paper) == papers[first]
    page.get_by_role("button", name="Dark").click()
    assert page.evaluate(paper) == papers[second]
    page.emulate_media(color_scheme=second)  # type: ignore[arg-type]  # one of the two
    assert page.evaluate(paper) == papers[second]


def test_nothing_moves_for_those_who_do_not_want_it(page: Page, api: Any, site_url: str) -> None:
    api.speaks.clear()
    for wish, running in (("reduce", 0), ("no-preference", 1)):
        page.emulate_media(reduced_motion=wish)  # type: ignore[arg-type]  # one of the two
        page.goto(site_url)
        judge(page, "good")
        answer_of(page).to_contain_text("Reading")
        assert page.evaluate("document.getAnimations().length") == running


@pytest.mark.parametrize("width", [320, 390, 768, 1440, 2560])
def test_nothing_is_cut_off_at_any_width(page: Page, api: Any, make_page: Any, width: int) -> None:
    long = "W" * 300
    api.predict("negative", 0.1, model="m" * 90, explanation=explained(f"{long} good", good=-1))
    api.refuse(400, long)
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(make_page(api.url, title="W" * 80, intro=long, footer=long, examples=[long]))
    for review, said in ((f"{long} good", "Negative"), ("good", "did not accept")):
        judge(page, review)
        answer_of(page).to_contain_text(said)
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        sticking_out = (
            "(all) => all.filter((e) => e.getBoundingClientRect().right > innerWidth + 1).map((e) => e.outerHTML)"
        )
        assert page.locator("body *:not(.unseen, .entry *)").evaluate_all(sticking_out) == []
