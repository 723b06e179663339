"""The pages that users of a pool sign in on: plain HTML, without a script, that no other page may frame."""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from html import escape

from sentictl.twin.core.messages import Response

STYLE = """
:root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
body { display: grid; place-content: center; min-height: 90vh; margin: 0; padding: 1rem; }
main { width: min(22rem, 90vw); }
h1 { font-size: 1.4rem; }
label, input, button { display: block; width: 100%; box-sizing: border-box; font: inherit; }
label { margin-top: 1rem; }
input { padding: .5rem .6rem; border: 1px solid #777; border-radius: .4rem; }
button { margin-top: 1.5rem; padding: .6rem; border: 0; border-radius: .4rem; background: #2a5f7a; color: #fff; }
.note { font-size: .875rem; opacity: .8; }
[role=alert] { padding: .5rem .7rem; border-left: .25rem solid #9c3a2e; }
"""
STYLE_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
TWIN = "The local twin's sign-in page. On AWS, Amazon Cognito's stands in its place."


def sign_in_form(pool: str, hidden: Mapping[str, str], origin: str, problem: str = "", user: str = "") -> Response:
    """Return the form that asks for an e-mail address and a password.

    Args:
        pool: the pool's name.
        hidden: fields that go along.
        origin: of the page that is gone back to: browsers hold the form's redirect to the policy as well.
        problem: what was wrong with the last try.
        user: who tried.
    """
    fields = _field("username", "E-mail address", "email", "username", user) + _field(
        "password", "Password", "password", "current-password"
    )
    return _form(f"Sign in to {pool}", fields, hidden, origin, problem, "Sign in")


def new_password_form(pool: str, hidden: Mapping[str, str], origin: str, problem: str = "") -> Response:
    """Return the form that asks for a password in place of the temporary one; its arguments are those of the other."""
    fields = _field("new_password", "New password", "password", "new-password")
    return _form(f"Choose a password for {pool}", fields, hidden, origin, problem, "Go on")


def refusal(message: str, status: int = 400) -> Response:
    """Return a page that says why nobody can sign in, where no page is known that could be told."""
    return _page("Nobody can sign in here", f'<p role="alert">{escape(message)}</p>', "'none'", status)


def _form(title: str, fields: str, hidden: Mapping[str, str], origin: str, problem: str, button: str) -> Response:
    told = f'<p role="alert">{escape(problem)}</p>' if problem else ""
    kept = _joined(f'<input type="hidden" name="{escape(name)}" value="{escape(v)}">' for name, v in hidden.items())
    form = f'{told}<form method="post">{kept}{fields}<button>{escape(button)}</button></form>'
    return _page(title, form, f"'self' {origin}", 400 if problem else 200)


def _field(name: str, label: str, kind: str, fill: str, value: str = "") -> str:
    return (
        f'<label for="{name}">{label}</label><input id="{name}" name="{name}" type="{kind}" autocomplete="{fill}" '
        f'value="{escape(value)}" required>'
    )


def _page(title: str, body: str, form_action: str, status: int) -> Response:
    html = (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<style>{STYLE}</style></head><body><main><h1>{escape(title)}</h1>{body}"
        f'<p class="note">{escape(TWIN)}</p></main></body></html>'
    )
    policy = (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action {form_action}; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    headers = {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Referrer-Policy": "no-referrer",
        "X-Content-Type-Options": "nosniff",
    }
    return Response(html, status, headers)


def _joined(parts: Iterable[str]) -> str:
    return "".join(parts)
