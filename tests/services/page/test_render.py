"""The rendered page: self-contained, deterministic, and nothing in it that a setting or an address could break."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sentictl.assets.installed import files_in, templates
from sentictl.config.settings import SiteSettings
from sentictl.errors import StateError
from sentictl.services.page.render import render

FILES = files_in(templates() / "site")
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


def page(api_url: str = API_URL, files: Mapping[str, Path] = FILES, **site: Any) -> bytes:
    return render(SiteSettings(**site), api_url, 1_234, files)


def test_the_page_is_one_small_file_with_no_request_but_the_api() -> None:
    html = page()
    assert len(html) < 60_000
    for tag, attributes in Elements(html).elements:
        for name in ("src", "href", "action", "data", "srcset"):
            assert (attributes.get(name) or "data:").startswith("data:"), tag
    assert "url(" not in html.decode()
    assert "@import" not in html.decode()


def test_the_same_arguments_give_the_same_bytes() -> None:
    assert page() == page()


def test_the_policy_allows_this_script_this_style_and_the_api() -> None:
    html = page()
    texts = Elements(html).texts
    assert policy(html) == {
        "default-src": "'none'",
        "script-src": source_hash(texts["script"]),
        "style-src": source_hash(texts["style"]),
        "connect-src": "https://abc123.execute-api.eu-west-1.amazonaws.com",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }


def test_the_page_knows_the_api_and_the_limit() -> None:
    attributes = Elements(page("http://127.0.0.1:4599/prod/?a=1&b=2")).attributes("main")
    assert attributes["data-api-url"] == "http://127.0.0.1:4599/prod/?a=1&b=2"
    assert attributes["data-max-characters"] == "1234"


@given(text=st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=80).filter(str.strip))
def test_a_text_of_the_settings_is_never_markup(text: str) -> None:
    plain, made = (Elements(page(title=text, intro=text, footer=text, examples=[text])) for text in ("Reviews", text))
    assert made.elements == plain.elements
    assert made.texts["title"] == made.texts["h1"] == text
    assert text in made.texts["button"]


def test_what_is_empty_takes_no_room() -> None:
    bare = Elements(page(intro="", footer="", examples=[]))
    tags = [tag for tag, _ in bare.elements]
    assert "footer" not in tags
    assert "li" not in tags


def test_the_accent_colors_the_style_and_the_icon() -> None:
    html = page(accent="#c2185b").decode()
    assert "--accent: light-dark(#c2185b, " in html
    assert "fill='%23c2185b'" in html


def test_a_projects_own_files_are_joined_in_the_order_of_their_names(tmp_path: Path) -> None:
    theme, script = tmp_path / "theme.css", tmp_path / "zoom.js"
    theme.write_text("h1 { color: teal; }")
    script.write_text("const zoomed = 1;")
    html = page(files={**FILES, "theme.css": theme, "zoom.js": script})
    texts = Elements(html).texts
    assert texts["style"].endswith("h1 { color: teal; }")
    assert texts["script"].endswith("const zoomed = 1;")
    assert policy(html)["style-src"] == source_hash(texts["style"])


def test_an_own_template_can_include_others(tmp_path: Path) -> None:
    for name, text in (("index.html", "{% include 'logo.html' %}: {{ site.title }}"), ("logo.html", "<b>me</b>")):
        (tmp_path / name).write_text(text)
    assert page(files=FILES | files_in(tmp_path), title="<Ours>") == b"<b>me</b>: &lt;Ours&gt;"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("index.html", b"{{ site.titel }}", "titel"),
        ("index.html", b"{% if %}", "TemplateSyntaxError"),
        ("index.html", b"{{ site.title + 1 }}", "TypeError"),
        ("index.html", b"{% include 'nothing.html' %}", "nothing.html"),
        ("page.css", b"/* caf\xe9 */", "utf-8"),
    ],
)
def test_a_template_that_cannot_be_used_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    own = tmp_path / name
    own.write_bytes(content)
    with pytest.raises(StateError, match=reason) as refusal:
        page(files={**FILES, name: own})
    assert str(own) in refusal.value.message


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
        page(url)
