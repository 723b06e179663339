"""The rendered page: self-contained, deterministic, and nothing in it that a title or an address could break."""

import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.services.page import render

TEMPLATES = Path(__file__).parents[2] / "templates"
API_URL = "https://abc123.execute-api.eu-west-1.amazonaws.com/prod/"


class Elements(HTMLParser):
    """Every element with its attributes, and the text of those that are asked for by name."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._open = ""
        self.feed(page.decode())

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._open = tag

    def handle_data(self, data: str) -> None:
        self.texts[self._open] = self.texts.get(self._open, "") + data

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    def attributes(self, tag: str) -> dict[str, str | None]:
        return next(attributes for name, attributes in self.elements if name == tag)


def policy(page: bytes) -> dict[str, str]:
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page.decode())
    assert found
    directives = (directive.partition(" ") for directive in html.unescape(found[1]).split("; "))
    return {name: value for name, _, value in directives}


def source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def test_the_page_is_one_small_file_with_no_request_but_the_api() -> None:
    page = render("Reviews", API_URL, 50_000, TEMPLATES)
    assert len(page) < 30_000
    for tag, attributes in Elements(page).elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    assert "url(" not in page.decode()
    assert "@import" not in page.decode()


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert render("Reviews", API_URL, 50_000, TEMPLATES) == render("Reviews", API_URL, 50_000, TEMPLATES)


def test_the_policy_allows_this_script_this_style_and_the_api() -> None:
    page = render("Reviews", API_URL, 50_000, TEMPLATES)
    texts = Elements(page).texts
    directives = policy(page)
    assert directives["default-src"] == "'none'"
    assert directives["script-src"] == source_hash(texts["script"])
    assert directives["style-src"] == source_hash(texts["style"])
    assert directives["connect-src"] == "'self' https://abc123.execute-api.eu-west-1.amazonaws.com"


def test_the_page_knows_the_api_and_the_limit() -> None:
    attributes = Elements(render("Reviews", "http://127.0.0.1:4599/prod/?a=1&b=2", 1234, TEMPLATES)).attributes("main")
    assert attributes["data-api-url"] == "http://127.0.0.1:4599/prod/?a=1&b=2"
    assert attributes["data-max-characters"] == "1234"


@given(title=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_a_title_is_never_markup(title: str) -> None:
    plain, page = (Elements(render(text, API_URL, 100, TEMPLATES)) for text in ("Reviews", title))
    assert page.elements == plain.elements
    assert page.texts["title"] == title
    assert page.texts["h1"] == title


@pytest.mark.parametrize(
    "url",
    [
        "",
        "/prod/",
        "javascript:alert(1)",
        "ftp://example.org/",
        "https://",
        "https://user:secret@example.org/",
        "https://example.org; script-src 'unsafe-inline'/",
        "https://example.org *",
        "https://*/",
    ],
)
def test_an_address_that_is_not_a_plain_one_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="plain host"):
        render("Reviews", url, 100, TEMPLATES)
