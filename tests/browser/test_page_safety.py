"""The page in a real browser: nothing that people or answers say becomes markup, and nobody but the API is asked."""

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from sentictl.services.page.preview import serving
from tests.browser.conftest import page_html
from tests.browser.steps import answer_of, judge, marks

ATTACK = '<img src=x onerror="window.hacked=1"><script>window.hacked=1</script>'
HOSTILE = "🎬 good </textarea>" + ATTACK


def test_text_is_never_markup(page: Page, api: Any, site_url: str) -> None:
    word = {"word": ATTACK, "start": 0, "end": len(HOSTILE), "contribution": 1}
    explanation = {"words": [word], "phrases": [{"phrase": ATTACK, "contribution": 1}]}
    api.predict("positive", 0.9, model=ATTACK, explanation=explanation)
    api.refuse(400, ATTACK)
    page.goto(site_url)
    judge(page, HOSTILE)
    answer_of(page).to_contain_text(f"Judged by {ATTACK}.")
    assert marks(page) == [(HOSTILE, "positive")]
    expect(page.locator(".phrase")).to_have_text(ATTACK)
    judge(page, ATTACK)
    answer_of(page).to_contain_text("The API did not accept this review")
    answer_of(page).to_contain_text(ATTACK)
    assert page.locator("main img, main script").count() == 0
    assert page.evaluate("window.hacked") is None


def test_an_attack_in_the_settings_or_the_address_is_text(page: Page, api: Any, make_page: Any) -> None:
    address = api.url + '?"><script>window.hacked=1</script>'
    site = {"title": ATTACK[:80], "intro": ATTACK, "footer": ATTACK, "examples": [ATTACK]}
    page.goto(make_page(address, **site))
    expect(page.get_by_role("heading", level=1)).to_have_text(ATTACK[:80])
    expect(page.get_by_role("contentinfo")).to_have_text(ATTACK)
    page.get_by_role("region", name="Or try one of these").get_by_role("button").click()
    answer_of(page).to_contain_text("Positive")
    assert page.evaluate("window.hacked") is None


@pytest.mark.parametrize(
    ("words", "marked"),
    [
        ([{"word": "x", "start": -2, "end": 3, "contribution": 1}], []),
        ([{"word": "x", "start": 3, "end": 3, "contribution": 1}], []),
        ([{"word": "x", "start": 5, "end": 2, "contribution": 1}], []),
        ([{"word": "x", "start": 0, "end": 10_000, "contribution": 1}], []),
        ([{"word": "x", "start": 0.5, "end": 2, "contribution": 1}], []),
        ([{"word": "x", "start": "0", "end": "2", "contribution": 1}], []),
        ([{"word": "x", "start": 0, "end": 2, "contribution": "much"}], []),
        ([{"word": "x", "start": 0, "end": 2, "contribution": None}], []),
        ([None, 3, "x", [], {}], []),
        ("words", []),
        ({"length": 3}, []),
        # Those that overlap an earlier one are left out; order does not matter.
        (
            [
                {"word": "good", "start": 2, "end": 6, "contribution": 1},
                {"word": "od", "start": 4, "end": 7, "contribution": -1},
                {"word": "film", "start": 7, "end": 11, "contribution": -1},
                {"word": "a", "start": 0, "end": 1, "contribution": 1},
            ],
            ["a", "good", "film"],
        ),
    ],
)
def test_an_explanation_that_lies_marks_nothing_and_loses_no_text(
    page: Page, api: Any, site_url: str, words: Any, marked: list[str]
) -> None:
    honest = {"word": "film", "start": 7, "end": 11, "contribution": 1}
    review = "a good film"
    told = words if marked or not isinstance(words, list) else [*words, honest]
    expected = marked or (["film"] if isinstance(words, list) else [])
    api.predict("positive", 0.9, explanation={"words": told, "phrases": [None, {"phrase": 3, "contribution": 1}]})
    page.goto(site_url)
    judge(page, review)
    answer_of(page).to_contain_text("Positive")
    found = page.locator(".marked mark").evaluate_all("(all) => all.map((mark) => mark.firstChild.data)")
    assert found == expected
    if expected:
        page.locator(".marked .unseen").evaluate_all("(all) => all.forEach((node) => node.remove())")
        assert page.locator(".marked").text_content() == review


def test_the_policy_stops_foreign_script_markup_and_hosts(browser: Any, api: Any, site_url: str, serve: Any) -> None:
    context = browser.new_context()
    page = context.new_page()
    page.goto(site_url)
    reached: list[str] = []

    def answer(request: Any) -> tuple[int, str, dict[str, str]]:
        reached.append(request.path)
        return 200, "{}", {}

    with serve(answer) as elsewhere:
        blocked = page.evaluate("(url) => fetch(url).then(() => false, () => true)", elsewhere)
        page.evaluate("(url) => { document.body.append(Object.assign(new Image(), {src: url})) }", elsewhere)
        page.evaluate(
            "(url) => { document.body.append(Object.assign(document.createElement('form'), "
            "{action: url, id: 'away'})); document.getElementById('away').submit() }",
            elsewhere,
        )
        page.evaluate("new Promise((resolve) => setTimeout(resolve, 50))")
    refused = """(code) => { try { eval(code); return false } catch { return true } }"""
    assert blocked
    assert page.evaluate(refused, "document.body.innerHTML = '<b>x</b>'")
    assert page.evaluate(refused, "document.createElement('script').text = 'window.hacked = 1'")
    assert reached == []
    assert page.evaluate("window.hacked") is None
    context.close()


@pytest.mark.parametrize("way", ["an API", "sentictl site --serve"])
def test_one_request_paints_the_page_and_the_next_is_to_the_api(page: Page, api: Any, serve: Any, way: str) -> None:
    html = page_html(api.url)
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    served = (
        serve(lambda request: (200, html.decode(), {"Content-Type": "text/html"}))
        if way == "an API"
        else serving(lambda: html)
    )
    with served as address:
        page.goto(address, wait_until="networkidle")
        assert [url for url in requests if not url.startswith("data:")] == [f"{address.rstrip('/')}/"]
        judge(page, "good")
        answer_of(page).to_contain_text("Positive")
    assert [url for url in requests[1:] if not url.startswith("data:")] == [api.url]
    assert api.others == []  # no preflight either


def test_the_page_is_small_and_quick_to_paint(page: Page, api: Any, site_url: str) -> None:
    """Budgets: 60 kB in all, one script, one style, and less than 200 elements before anything is asked."""
    assert len(page_html(api.url)) < 60_000
    page.goto(site_url)
    assert page.locator("script").count() == page.locator("style").count() == 1
    assert page.locator("*").count() < 200
