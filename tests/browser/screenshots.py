"""Takes the pictures of the page in `docs/images`.

    python -m tests.browser.screenshots [PROJECT]

PROJECT is a project's folder whose chain is up, and whose model the pictures then show. Without it one is brought up
with the movie reviews, which takes two minutes, and taken down again. The states are those of a played API.
"""

import base64
import io
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from sentictl import Project
from tests.browser.conftest import ARGUMENTS, Api, find_browser, page_html, playing
from tests.browser.steps import judge, stop_the_clock

IMAGES = Path(__file__).parents[2] / "docs" / "images"
COLORS = 144  # are plenty for flat surfaces, and halve a picture's size
EARLIER = ("Warm, funny, beautifully shot, and the last ten minutes are perfect.", "It was okay, I guess.")
REVIEW = (
    "I wanted to love this. The cast is superb, the music is wonderful, and for an hour it is a gripping, beautifully "
    "shot thriller. Then the plot falls apart: the ending is a mess, the twist is ridiculous, and the last scene is so "
    "dull that I checked my watch twice. What a waste of a good idea."
)
VIEWS: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 800}},
    "dark": {"viewport": {"width": 1280, "height": 800}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
}
SHEET = """<!doctype html><meta charset="utf-8"><style>
body { margin: 0; padding: 24px; background: #f6f4ef; color: #23282c; font: 600 15px "Liberation Sans", sans-serif }
main { display: grid; grid-template-columns: repeat(3, 1fr); gap: 32px 24px }
figure { margin: 0 } figcaption { margin-bottom: 8px } img { width: 100%; display: block }</style><main>"""


def main() -> None:
    with sync_playwright() as playwright, _live(sys.argv[1:]) as address:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        for name, view in VIEWS.items():
            _save(f"page-{name}", _verdict(browser, address, view))
        _save("page-states", _sheet(browser))
        browser.close()


@contextmanager
def _live(arguments: list[str]) -> Iterator[str]:
    """The page of a project that is up."""
    if arguments:
        yield Project(arguments[0]).page_url
        return
    with tempfile.TemporaryDirectory() as folder:
        project = Project.begin(folder, name="reviews")
        try:
            yield project.up().page_url
        finally:
            project.down()


def _verdict(browser: Browser, address: str, view: dict[str, Any]) -> bytes:
    with browser.new_context(**view, reduced_motion="reduce") as context:
        page = context.new_page()
        page.goto(address)
        for review in (*EARLIER, REVIEW):
            judge(page, review)
            page.locator(".snippet", has_text=review[:12]).wait_for()
        page.mouse.move(0, 0)
        page.evaluate("scrollTo(0, 0)")
        return page.screenshot(full_page=True)


def _sheet(browser: Browser) -> bytes:
    """Every state on one picture."""
    pictures = ((name, base64.b64encode(picture).decode()) for name, picture in _states(browser))
    figures = (
        f'<figure><figcaption>{name}</figcaption><img src="data:image/png;base64,{encoded}"></figure>'
        for name, encoded in pictures
    )
    page = browser.new_page(viewport={"width": 1328, "height": 800})
    page.set_content(SHEET + "".join(figures))
    return page.locator("body").screenshot()


def _states(browser: Browser) -> Iterator[tuple[str, bytes]]:
    with tempfile.TemporaryDirectory() as folder, playing() as api:
        path = Path(folder) / "index.html"
        path.write_bytes(page_html(api.url))
        for name, prepare in STATES.items():
            with browser.new_context(viewport={"width": 480, "height": 700}, reduced_motion="reduce") as context:
                page = context.new_page()
                stop_the_clock(page)
                page.goto(path.as_uri())
                page.get_by_label("Review").evaluate(
                    "(field) => { field.style.minHeight = field.style.height = '5.5rem' }"
                )
                prepare(page, api)
                page.mouse.move(0, 0)
                yield name, page.locator(".work").screenshot()
            api.speaks.set()


def _said(page: Page, api: Api, status: int, message: str, headers: dict[str, str] | None = None) -> None:
    api.replies = []
    api.refuse(status, message, headers)
    judge(page, EARLIER[0])
    page.get_by_role("heading", name="Reading").wait_for(state="hidden")


def _slow(page: Page, api: Api) -> None:
    api.speaks.clear()
    judge(page, EARLIER[0])
    page.clock.run_for(5_000)


def _offline(page: Page, api: Api) -> None:
    page.context.set_offline(True)
    judge(page, EARLIER[0])


STATES: dict[str, Callable[[Page, Api], object]] = {
    "idle": lambda page, api: None,
    "slow network": _slow,
    "offline": _offline,
    "throttled": partial(_said, status=429, message="Too Many Requests", headers={"Retry-After": "7"}),
    "cold endpoint": partial(_said, status=503, message="Not in service.", headers={"Retry-After": "5"}),
    "server error": partial(_said, status=502, message="The model failed on this review."),
    "too long": lambda page, api: judge(page, EARLIER[0] * 16),
    "nothing to read": lambda page, api: judge(page, " "),
    "wrong address": partial(_said, status=403, message="Missing Authentication Token"),
}


def _save(name: str, picture: bytes) -> None:
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLORS, dither=Image.Dither.NONE)
    path = IMAGES / f"{name}.png"
    path.parent.mkdir(parents=True, exist_ok=True)
    image.save(path, optimize=True)
    print(f"{path}: {path.stat().st_size / 1000:.0f} kB")  # noqa: T201 - what a script says


if __name__ == "__main__":
    main()
