"""The report in a browser: it fits, it can be read, and reviews stay text."""

from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Page

from sentictl.services.evaluate.evaluation import Mistake
from sentictl.services.evaluate.report import render
from tests.browser.conftest import Audit
from tests.services.evaluate.test_report import HOSTILE, TEMPLATES, made


@pytest.fixture
def report(tmp_path: Path) -> str:
    """A report with everything in it, long names and a hostile review among it."""
    evaluation, comparison = made()
    path = tmp_path / "evaluation.html"
    mistakes = [Mistake(HOSTILE * 30, "negative", 0.99), Mistake("x" * 2_000, "positive", 0.02)]
    name = "a-project-with-a-long-name-" + "0123456789abcdef" * 2
    hostile = replace(evaluation, model=name, mistakes=mistakes)
    path.write_bytes(render(hostile, replace(comparison, model=name, against=name[::-1]), TEMPLATES))
    return path.as_uri()


def test_nothing_in_it_runs_or_is_fetched(page: Page, report: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("dialog", lambda dialog: pytest.fail(dialog.message))
    page.goto(report)
    assert [url for url in asked if not url.startswith("data:")] == [report]
    assert page.locator("img, script").count() == 0
    assert "<script>alert(1)</script>" in page.locator("blockquote").first.inner_text()


@pytest.mark.parametrize("width", [320, 390, 768, 1280])
def test_it_fits_every_width(page: Page, report: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto(report)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    sticking_out = """() => [...document.querySelectorAll(".card")].filter(
        (card) => card.scrollWidth > card.clientWidth + 1).map((card) => card.innerText.slice(0, 40))"""
    assert page.evaluate(sticking_out) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_its_words_can_be_read(browser: Browser, report: str, scheme: Literal["light", "dark"]) -> None:
    """Those in the drawings too, of which axe cannot tell what is behind them."""
    tab = browser.new_context(color_scheme=scheme).new_page()
    tab.goto(report)
    ratios = tab.evaluate((Path(__file__).parent / "contrast.js").read_text())
    tab.context.close()
    assert len(ratios) > 40
    assert {text: ratio for text, ratio in ratios.items() if ratio < 4.5} == {}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing(page: Page, report: str, audit: Audit, scheme: Literal["light", "dark"]) -> None:
    page.emulate_media(color_scheme=scheme)
    page.goto(report)
    assert audit(page) == []


def test_a_long_review_can_be_unfolded(page: Page, report: str) -> None:
    page.goto(report)
    whole = page.locator("details blockquote").first
    assert not whole.is_visible()
    page.get_by_text("The whole review").first.click()
    assert whole.is_visible()
