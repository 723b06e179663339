"""The documentation as a site: it builds without a warning, and nothing on it is fetched from elsewhere."""

import json
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FETCHED = {"script": "src", "link": "href", "img": "src", "iframe": "src", "source": "src"}
UNFETCHED = ("canonical", "next", "prev")  # relations of a page to others, which a browser does not follow by itself
ELSEWHERE = re.compile(r"(https?:)?//")


class Fetches(HTMLParser):
    """The addresses that a browser fetches for a page."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag in FETCHED and given.get("rel") not in UNFETCHED:
            self.found.append(given.get(FETCHED[tag]) or "")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; a warning, such as of a link that leads nowhere, is an error."""
    folder = tmp_path_factory.mktemp("site")
    build = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    done = subprocess.run(build, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return folder


def test_every_page_can_be_reached_from_the_navigation(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    pages = {page.stem for page in (ROOT / "docs").glob("*.md")}
    assert {name for name in pages if f'href="{name}.html"' not in index} == set()


def test_the_search_knows_every_page(site: Path) -> None:
    index = json.loads((site / "search" / "search_index.json").read_text(encoding="utf-8"))
    found = {entry["location"].partition("#")[0] for entry in index["docs"]}
    assert {page.stem for page in (ROOT / "docs").glob("*.md")} <= {
        location.removesuffix(".html") for location in found
    }


def test_nothing_is_fetched_from_elsewhere(site: Path) -> None:
    fetched = {page.name: Fetches(page.read_text(encoding="utf-8")).found for page in site.glob("*.html")}
    assert len(fetched) > 10
    assert {name: [url for url in urls if ELSEWHERE.match(url)] for name, urls in fetched.items()} == {
        name: [] for name in fetched
    }
    styles = "".join(style.read_text(encoding="utf-8") for style in site.rglob("*.css"))
    assert not re.search(r"(url\(|@import\s*)[\"']?(https?:)?//", styles)


def test_the_generators_of_pages_are_not_part_of_it(site: Path) -> None:
    assert not (site / "reference").exists()
