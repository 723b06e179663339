"""What a visitor does on the page, and where the answers are."""

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect


def field_of(page: Page) -> Locator:
    return page.get_by_label("Review", exact=True)


def judge(page: Page, review: str) -> None:
    field_of(page).fill(review)
    page.get_by_role("button", name="Judge it").click()


def answer_of(page: Page) -> Any:
    return expect(page.get_by_label("Answer"))


def stop_the_clock(page: Page) -> None:
    """From here on the page's time is 2026-01-01, and passes only when it is told to."""
    page.clock.install(time="2025-12-31T23:00:00Z")  # pausing works for a time to come only
    page.clock.pause_at("2026-01-01T00:00:00Z")


def marks(page: Page) -> list[tuple[str, str]]:
    """The marked words, each with its side, once there are some."""
    expect(page.locator(".marked mark").first).to_be_visible()
    found = page.locator(".marked mark").evaluate_all(
        "(all) => all.map((mark) => [mark.firstChild.data, mark.className])"
    )
    return [(word, side) for word, side in found]


def explained(review: str, **contributions: float) -> dict[str, Any]:
    """An explanation as the API gives it, in which the named words count and no others."""
    words = [
        {
            "word": found[0].lower(),
            "start": found.start(),
            "end": found.end(),
            "contribution": contributions.get(found[0].lower(), 0),
        }
        for found in re.finditer(r"\w+", review)
    ]
    return {"words": words, "phrases": []}
