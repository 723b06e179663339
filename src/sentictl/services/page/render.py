"""The web page: `templates/site/` rendered to one HTML file that needs nothing else.

Styles and scripts are files of their own and are put inside the page here, each kind joined in the order of the names.
The page's Content-Security-Policy allows these by their hashes and lets the page connect to the API's origin, and to
that of the page where people sign in, and forbids everything else.
"""

import base64
import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from jinja2 import DictLoader, Environment, StrictUndefined
from markupsafe import Markup

from sentictl.config.settings import SiteSettings
from sentictl.errors import StateError
from sentictl.services.page.colors import shades

HOST = re.compile(r"[A-Za-z0-9.-]+(:[0-9]{1,5})?")
INDEX = "index.html"
# What a policy inside the page cannot say. X-Frame-Options is "frame-ancestors 'none'" for API Gateway, whose constants
# are themselves in single quotes.
HEADERS = {"X-Content-Type-Options": "nosniff", "Referrer-Policy": "no-referrer", "X-Frame-Options": "DENY"}


@dataclass(frozen=True)
class SignIn:
    """Where people sign in before they may ask.

    Args:
        url: of Cognito's page, an absolute http(s) URL.
        client_id: the page's own in the user pool, which is no secret.
    """

    url: str
    client_id: str


def render(
    site: SiteSettings,
    api_url: str,
    max_review_characters: int,
    files: Mapping[str, Path],
    access: str = "none",
    sign_in: SignIn | None = None,
) -> bytes:
    """The page as UTF-8 HTML: the same arguments give the same bytes.

    Args:
        site: the title, the texts, the color and the examples.
        api_url: where the page posts reviews, an absolute http(s) URL.
        max_review_characters: the longest review the API takes, in characters (code points).
        files: the templates by name: `index.html` and what it includes, styles (`.css`) and scripts (`.js`).
        access: who may ask, as `api.auth` has it.
        sign_in: where people sign in before they may ask; None where they need not.

    Raises:
        ValueError: an address is not an absolute http(s) URL of a plain host and port.
        StateError: a template cannot be read or rendered.
    """
    addresses = [api_url, *([sign_in.url] if sign_in else [])]
    origins = " ".join(dict.fromkeys(map(_origin, addresses)))
    style = _root_rule(site.accent) + "\n".join(_texts(files, ".css").values())
    script = "\n".join(_texts(files, ".js").values())
    loader = DictLoader(_texts(files, ".html"))
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined)
    try:
        html = environment.get_template(INDEX).render(
            site=site,
            api_url=api_url,
            max_review_characters=max_review_characters,
            access=access,
            sign_in=sign_in,
            csp=_policy(style, script, origins),
            style=Markup(style),  # noqa: S704 - our own file, named by its hash in the policy
            script=Markup(script),  # noqa: S704
        )
    except Exception as problem:  # a template of the project's own can raise anything
        raise _broken(files[INDEX], f"{type(problem).__name__}: {problem}") from problem
    return html.encode()


def _texts(files: Mapping[str, Path], suffix: str) -> dict[str, str]:
    return {name: _text(files[name]) for name in sorted(files) if name.endswith(suffix)}


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as problem:
        raise _broken(path, str(problem)) from problem


def _broken(path: Path, reason: str) -> StateError:
    return StateError(
        f"The page cannot be made of {path}: {reason}.", "Correct it, or delete it to use the installed one."
    )


def _origin(url: str) -> str:
    """The origin of a URL. Nothing but a plain host and port may get into the page's policy."""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not HOST.fullmatch(parts.netloc):
        raise ValueError(f"the address must be an http(s) URL with a plain host, not {url!r}")
    return f"{parts.scheme}://{parts.netloc}"


def _root_rule(accent: str) -> str:
    """The accent's shades as the style's custom properties."""
    properties = (f"--{name}: light-dark({light}, {dark});" for name, (light, dark) in shades(accent).items())
    return f":root {{ {' '.join(properties)} }}\n"


def _policy(style: str, script: str, origins: str) -> str:
    directives = {
        "default-src": "'none'",
        "script-src": _source_hash(script),
        "style-src": _source_hash(style),
        "connect-src": origins,
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
        "require-trusted-types-for": "'script'",
        "trusted-types": "'none'",
    }
    return "; ".join(f"{name} {value}" for name, value in directives.items())


def _source_hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
