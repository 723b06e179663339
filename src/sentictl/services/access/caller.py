"""What a request of `predict --via api` carries, so that the API lets it in. Imports botocore only to sign."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from sentictl.aws.redaction import remember
from sentictl.errors import NotAdmittedError
from sentictl.services.access.iam import SERVICE
from sentictl.services.access.key import HEADER

if TYPE_CHECKING:
    from sentictl.lifecycle.resource import Context

VARIABLE = "SENTICTL_API_KEY"
GIVE = f"Give it in the variable {VARIABLE}, or name a file that has it: sentictl config set api.key_file PATH"
MAKE = "One is made by: sentictl keys create NAME"
TOKEN_VARIABLE = "SENTICTL_API_TOKEN"  # noqa: S105  (its name)
SIGN_IN = f'Sign in on the page, press "Copy token" there, and put it into the variable {TOKEN_VARIABLE}.'
TOKEN_DOTS = 2  # between the parts of a JSON Web Token (RFC 7519)
LONGEST_KEY = 128  # characters, by API Gateway's own limit


@dataclass(frozen=True)
class Caller:
    """Who asks.

    Args:
        headers: gives what a request with this body carries beside its own headers. A signature holds for minutes.
        source: where its key or credentials come from, as messages call it; empty where it has none.
    """

    headers: Callable[[bytes], Mapping[str, str]] = lambda _: {}
    source: str = ""


def caller_of(context: "Context", url: str) -> Caller:
    """Return a caller whom the API lets in, as far as this machine has what that takes.

    Args:
        context: the project and environment.
        url: the API's address.

    Raises:
        NotAdmittedError: there is no key or token, or none that can be one.
        AccessError: there are no credentials to sign with.
    """
    if context.settings.api.auth == "key":
        value, source = _key(context)
        return Caller(lambda _: {HEADER: value}, source)
    if context.settings.api.auth == "iam":
        return _signing(context, url)
    if context.settings.api.auth == "cognito":
        token = _token()
        return Caller(lambda _: {"Authorization": f"Bearer {token}"}, f"the variable {TOKEN_VARIABLE}")
    return Caller()


def _token() -> str:
    """The access token of somebody who signed in on the page."""
    token = os.environ.get(TOKEN_VARIABLE, "").strip()
    if not token:
        raise NotAdmittedError("The API asks people to sign in, and there is no token to ask with.", SIGN_IN)
    if not (token.isascii() and token.isprintable() and " " not in token and token.count(".") == TOKEN_DOTS):
        raise NotAdmittedError(f"What is in the variable {TOKEN_VARIABLE} is no token.", SIGN_IN)
    remember(token)
    return token


def _key(context: "Context") -> tuple[str, str]:
    """The key, and where it is from."""
    value, source = os.environ.get(VARIABLE, "").strip(), f"the variable {VARIABLE}"
    named = context.settings.api.key_file
    if not value and named:
        path = context.config.folder.root / Path(named).expanduser()
        source = str(path)
        try:
            value = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as problem:
            reason = getattr(problem, "strerror", None) or "it is no text"
            raise NotAdmittedError(f"The key in {path} (api.key_file) cannot be read: {reason}.", MAKE) from None
    if not value:
        raise NotAdmittedError("The API takes a key, and there is none to ask with.", f"{GIVE}. {MAKE}")
    if not (value.isascii() and value.isprintable() and " " not in value and len(value) <= LONGEST_KEY):
        raise NotAdmittedError(
            f"What is in {source} is no key: it has spaces, lines or characters that none has.", MAKE
        )
    remember(value)
    return value, source


def _signing(context: "Context", url: str) -> Caller:
    from botocore.auth import SigV4Auth
    from botocore.awsrequest import AWSRequest

    credentials, region = context.environment.sign_in(), context.environment.region

    def headers(body: bytes) -> Mapping[str, str]:
        request = AWSRequest("POST", url, data=body)
        SigV4Auth(credentials.get_frozen_credentials(), SERVICE, region).add_auth(request)
        return dict(request.headers.items())

    return Caller(headers, "the environment's AWS credentials")
