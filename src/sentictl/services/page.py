"""The web page: `templates/site/` rendered to one HTML file that needs nothing else.

The style and the script are files of their own and are put inside the page here. The page's Content-Security-Policy
allows these two by their hashes and lets the page connect to the API's origin, and forbids everything else.
"""

import base64
import hashlib
import re
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")


def render(title: str, api_url: str, max_review_characters: int, templates: Path) -> bytes:
    """The page as UTF-8 HTML: the same arguments give the same bytes.

    Args:
        title: the heading, plain text.
        api_url: where the page posts reviews, an absolute http(s) URL.
        max_review_characters: the longest review the API takes, in characters (code points).
        templates: the folder that has `site/index.html`, `site/page.css` and `site/page.js`.

    Raises:
        ValueError: `api_url` is not an absolute http(s) URL of a plain host and port.
    """
    policy_origin = _origin(api_url)
    site = templates / "site"
    style = (site / "page.css").read_text(encoding="utf-8")
    script = (site / "page.js").read_text(encoding="utf-8")
    environment = Environment(loader=FileSystemLoader(site), autoescape=True, undefined=StrictUndefined)
    html = environment.get_template("index.html").render(
        title=title,
        api_url=api_url,
        max_review_characters=max_review_characters,
        csp=_policy(style, script, policy_origin),
        style=Markup(style),  # noqa: S704 - our own file, named by its hash in the policy
        script=Markup(script),  # noqa: S704
    )
    return html.encode()


def _origin(url: str) -> str:
    """The origin of an API's URL. Nothing but a plain host and port may get into the page's policy."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.netloc):
        raise ValueError(f"the API's address must be an http(s) URL with a plain host, not {url!r}")
    return f"{parts.scheme}://{parts.netloc}"


def _policy(style: str, script: str, origin: str) -> str:
    directives = {
        "default-src": "'none'",
        "script-src": _source_hash(script),
        "style-src": _source_hash(style),
        "connect-src": f"'self' {origin}",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
