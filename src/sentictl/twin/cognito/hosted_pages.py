"""Signing in: the pages and addresses under a pool's domain, `/_cognito/<domain>/…`, as Cognito's have them.

The authorization code grant with PKCE alone (RFC 6749 and 7636, method S256), for app clients without a secret. A code
is for one client, one page and one verifier, for five minutes, and once. Sessions and codes end with the twin.
"""

import base64
import hashlib
import re
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic, TypeVar
from urllib.parse import parse_qsl, urlencode, urlsplit

from sentictl.twin.cognito.forms import new_password_form, refusal, sign_in_form
from sentictl.twin.cognito.guesses import Guesses
from sentictl.twin.cognito.passwords import fits
from sentictl.twin.cognito.pools import UserPools
from sentictl.twin.cognito.tokens import TokenSigner
from sentictl.twin.core.credentials import same
from sentictl.twin.core.messages import Request, Response, json_response

HOSTED = re.compile(r"/_cognito/(?P<domain>[a-z0-9-]+)/(?P<page>oauth2/authorize|oauth2/token|login|logout)")
KEYS = re.compile(r"/(?P<pool>[\w-]+_[0-9a-zA-Z]+)/\.well-known/jwks\.json")
COOKIE, CSRF = "cognito", "XSRF-TOKEN"
CODE_SECONDS, SESSION_SECONDS, TICKET_SECONDS = 300, 3600, 180
MOST_OPEN = 1000  # codes, sessions or tickets at a time
LONGEST_FORM = 8192  # bytes
CHALLENGE = re.compile(r"[A-Za-z0-9_-]{43}")  # RFC 7636: BASE64URL(SHA256(verifier))
VERIFIER = re.compile(r"[A-Za-z0-9._~-]{43,128}")
CORS = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST,OPTIONS",
    "Access-Control-Allow-Headers": "Content-Type",
}
WRONG = "Incorrect username or password."
LOCKED_OUT = "Password attempts exceeded"
TOO_WEAK = "Password does not conform to policy"
Kept = TypeVar("Kept")


@dataclass(frozen=True)
class SignInRequest:
    """What a page that wants somebody to sign in asks for, where the client may ask for it."""

    pool: Any
    client: Any
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    challenge: str

    @property
    def origin(self) -> str:
        parts = urlsplit(self.redirect_uri)
        return f"{parts.scheme}://{parts.netloc}"

    def back(self, **answer: str) -> Response:
        """Return to the page, with the answer and the state that it gave."""
        told = answer | ({"state": self.state} if self.state else {})
        joint = "&" if urlsplit(self.redirect_uri).query else "?"
        return _redirect(f"{self.redirect_uri}{joint}{urlencode(told)}")


class SignInError(Exception):
    """Nobody can sign in so, and nobody vouches for the page that asks. The message says why."""


class HostedPages:
    """Answers browsers and pages: all of it is open to everybody, as Cognito's is.

    Args:
        pools: where the users are.
        tokens: signs what they get.
    """

    def __init__(self, pools: UserPools, tokens: TokenSigner) -> None:
        self._pools = pools
        self._tokens = tokens
        self._guesses = Guesses()
        self._codes = Passing[tuple[SignInRequest, Any]](CODE_SECONDS)
        self._sessions = Passing[tuple[str, str]](SESSION_SECONDS)
        self._tickets = Passing[tuple[str, str]](TICKET_SECONDS)

    def answer(self, request: Request) -> Response:
        """Answer a request to one of the pages."""
        found = HOSTED.fullmatch(request.path)
        pool = self._pools.at(found["domain"]) if found else None
        if found is None or pool is None:
            return refusal("There is no user pool at this domain.", HTTPStatus.NOT_FOUND)
        if (request.content_length or 0) > LONGEST_FORM:
            return refusal("The form is too long.", HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        pages: Mapping[str, Callable[[Request, Any], Response]] = {
            "oauth2/authorize": self._authorize,
            "oauth2/token": self._token,
            "login": self._login,
            "logout": self._logout,
        }
        try:
            return pages[found["page"]](request, pool)
        except SignInError as refused:
            return refusal(str(refused))

    def keys(self, request: Request) -> Response:
        """Answer with the key that a pool's tokens are signed with."""
        found = KEYS.fullmatch(request.path)
        if found is None or self._pools.find(found["pool"]) is None:
            return json_response(HTTPStatus.NOT_FOUND, {"message": "User pool does not exist."})
        return json_response(HTTPStatus.OK, self._tokens.key_set())

    def _authorize(self, request: Request, pool: Any) -> Response:
        if request.method != "GET":
            return refusal("There is only GET here.", HTTPStatus.METHOD_NOT_ALLOWED)
        asked = _asked(request, pool)
        if isinstance(asked, Response):
            return asked
        user = self._signed_in(request, pool)
        if user is not None:
            return asked.back(code=self._codes.keep((asked, user)))
        return _redirect(f"{_folder(request)}/login?{request.query}")

    def _login(self, request: Request, pool: Any) -> Response:
        asked = _asked(request, pool)
        if isinstance(asked, Response):
            return asked
        if request.method == "GET":
            return _with_csrf(request, lambda hidden: sign_in_form(pool.name, hidden, asked.origin))
        form = dict(parse_qsl(request.get_data(as_text=True), keep_blank_values=True))
        expected = request.cookies.get(CSRF, "")
        if not expected or not same(form.get("_csrf", ""), expected):
            return refusal("The form has expired. Go back to the page, and sign in there again.", HTTPStatus.FORBIDDEN)
        if "ticket" in form:
            return self._choose_password(request, asked, form)
        return self._check_password(request, asked, form)

    def _check_password(self, request: Request, asked: SignInRequest, form: Mapping[str, str]) -> Response:
        pool, name = asked.pool, form.get("username", "").strip()
        user = pool._get_user(name)

        def again(problem: str) -> Response:
            return _with_csrf(request, lambda hidden: sign_in_form(pool.name, hidden, asked.origin, problem, name))

        guessed = (pool.id, user.username if user else name.lower())
        if self._guesses.locked_out(guessed):
            return again(LOCKED_OUT)
        right = fits(form.get("password", ""), user.password if user and user.enabled else None)
        if not right:
            self._guesses.failed(guessed)
            return again(WRONG)
        self._guesses.succeeded(guessed)
        if str(getattr(user.status, "value", user.status)) == "CONFIRMED":
            return self._signed(request, asked, user)
        ticket = self._tickets.keep((pool.id, user.username))
        return _with_csrf(
            request, lambda hidden: new_password_form(pool.name, hidden | {"ticket": ticket}, asked.origin)
        )

    def _choose_password(self, request: Request, asked: SignInRequest, form: Mapping[str, str]) -> Response:
        """Take the password that a new user chooses in place of the temporary one."""
        pool = asked.pool
        kept = self._tickets.take(form["ticket"])
        user = pool.users.get(kept[1]) if kept and kept[0] == pool.id else None
        if user is None:
            message = "Invalid session for the user, session is expired."
            return _with_csrf(request, lambda hidden: sign_in_form(pool.name, hidden, asked.origin, message))
        if self._pools.set_password(pool, user, form.get("new_password", "")):
            return self._signed(request, asked, user)
        ticket = self._tickets.keep((pool.id, user.username))
        return _with_csrf(
            request, lambda hidden: new_password_form(pool.name, hidden | {"ticket": ticket}, asked.origin, TOO_WEAK)
        )

    def _signed(self, request: Request, asked: SignInRequest, user: Any) -> Response:
        answer = asked.back(code=self._codes.keep((asked, user)))
        session = self._sessions.keep((asked.pool.id, user.username))
        _set_cookie(request, answer, COOKIE, session, SESSION_SECONDS)
        return answer

    def _signed_in(self, request: Request, pool: Any) -> Any:
        """Return who signed in with this browser before, and may still; None where nobody did."""
        kept = self._sessions.look(request.cookies.get(COOKIE, ""))
        user = pool.users.get(kept[1]) if kept and kept[0] == pool.id else None
        return user if user is not None and user.enabled else None

    def _token(self, request: Request, pool: Any) -> Response:
        if request.method == "OPTIONS":
            return Response("", HTTPStatus.OK, CORS)
        form = dict(parse_qsl(request.get_data(as_text=True)))
        if request.method != "POST":
            return _token_error("invalid_request", HTTPStatus.METHOD_NOT_ALLOWED)
        if form.get("grant_type") != "authorization_code":
            return _token_error("unsupported_grant_type")
        if form.get("client_id") not in pool.clients:
            return _token_error("invalid_client")
        kept = self._codes.take(form.get("code", ""))  # used up, whatever comes of it
        if kept is None or not _is_for(kept[0], pool, form):
            return _token_error("invalid_grant")
        asked, user = kept
        if pool.users.get(user.username) is not user or not user.enabled:  # removed meanwhile
            return _token_error("invalid_grant")
        tokens = self._tokens.issue(pool, asked.client, user, asked.scopes)
        return json_response(HTTPStatus.OK, tokens, CORS | {"Cache-Control": "no-store"})

    def _logout(self, request: Request, pool: Any) -> Response:
        client = pool.clients.get(request.args.get("client_id", ""))
        leave = request.args.get("logout_uri", "")
        if client is None or leave not in (client.extended_config.get("LogoutURLs") or ()):
            return refusal("This page may not be gone back to.")
        self._sessions.take(request.cookies.get(COOKIE, ""))
        answer = _redirect(leave)
        _set_cookie(request, answer, COOKIE, "", 0)
        return answer


class Passing(Generic[Kept]):
    """Things that are kept under names which nobody can guess, for so many seconds; the oldest go where it is too many.

    A dict changes as a whole: threads share it.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._kept: dict[str, tuple[float, Kept]] = {}

    def keep(self, thing: Kept) -> str:
        """Keep a thing, and return its name."""
        name = secrets.token_urlsafe(32)
        self._kept[name] = (self._clock() + self._seconds, thing)
        while len(self._kept) > MOST_OPEN:
            self._kept.pop(next(iter(self._kept)), None)
        return name

    def look(self, name: str) -> Kept | None:
        """Return a thing; None where it is none, or too late."""
        until, thing = self._kept.get(name, (0.0, None))
        return thing if self._clock() < until else None

    def take(self, name: str) -> Kept | None:
        """Return a thing that nobody shall get again."""
        until, thing = self._kept.pop(name, (0.0, None))
        return thing if self._clock() < until else None


def _asked(request: Request, pool: Any) -> SignInRequest | Response:
    """Read what is asked for. What the client may not have goes back to its page as an error.

    Raises:
        SignInError: the client is not known, or that page not its own.
    """
    wanted = request.args
    client = pool.clients.get(wanted.get("client_id", ""))
    if client is None:
        raise SignInError("There is no such app client.")
    config, redirect_uri = client.extended_config, wanted.get("redirect_uri", "")
    if redirect_uri not in (config.get("CallbackURLs") or ()):
        raise SignInError("An error was encountered with the requested page: its address is not one of the client's.")
    allowed = tuple(config.get("AllowedOAuthScopes") or ())
    scopes = tuple((wanted.get("scope") or " ".join(allowed)).split())
    asked = SignInRequest(pool, client, redirect_uri, wanted.get("state", ""), scopes, wanted.get("code_challenge", ""))
    if wanted.get("response_type") != "code" or "code" not in (config.get("AllowedOAuthFlows") or ()):
        return asked.back(error="unsupported_response_type")
    if not set(scopes) <= set(allowed):
        return asked.back(error="invalid_scope")
    if wanted.get("code_challenge_method") != "S256" or not CHALLENGE.fullmatch(asked.challenge):
        return asked.back(error="invalid_request", error_description="code_challenge of S256 is needed")
    return asked


def _is_for(asked: SignInRequest, pool: Any, form: Mapping[str, str]) -> bool:
    """Tell whether a code was given to who brings it now: the client, the page, and the verifier of its challenge."""
    verifier = form.get("code_verifier", "")
    digest = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
    is_theirs = (asked.pool.id, asked.client.id, asked.redirect_uri) == (
        pool.id,
        form["client_id"],
        form.get("redirect_uri"),
    )
    return is_theirs and VERIFIER.fullmatch(verifier) is not None and same(digest, asked.challenge)


def _with_csrf(request: Request, form: Callable[[dict[str, str]], Response]) -> Response:
    """Send a form that only the browser which gets it can send back: the same word is in it and in a cookie."""
    word = secrets.token_urlsafe(16)
    answer = form({"_csrf": word})
    _set_cookie(request, answer, CSRF, word, SESSION_SECONDS)
    return answer


def _set_cookie(request: Request, answer: Response, name: str, value: str, seconds: int) -> None:
    answer.set_cookie(name, value, max_age=seconds, path=_folder(request), httponly=True, samesite="Lax")


def _folder(request: Request) -> str:
    return "/".join(request.path.split("/")[:3])


def _redirect(address: str) -> Response:
    return Response("", HTTPStatus.FOUND, {"Location": address, "Cache-Control": "no-store"})


def _token_error(code: str, status: int = HTTPStatus.BAD_REQUEST) -> Response:
    return json_response(status, {"error": code}, CORS | {"Cache-Control": "no-store"})
