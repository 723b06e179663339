"""Passwords of users, which nothing but the call that brings them ever holds: all else has them sealed.

A sealed password is scrypt's (RFC 7914), with a salt of its own. It is a text that fits moto's rules for passwords, so
that moto keeps it as one.
"""

import base64
import hashlib
import secrets
from functools import cache

from sentictl.twin.core.credentials import same

FORM = "Aa1$"  # a letter of each case, a digit and a symbol: what a rule may ask a password to have
SALT_BYTES = 16
COST, BLOCK = 2**14, 8  # scrypt's N and r: 16 MiB and some hundredths of a second for each guess


def sealed(password: str) -> str:
    """Return what is kept of a password."""
    salt = secrets.token_bytes(SALT_BYTES)
    return f"{FORM}{_text(salt)}${_text(_digest(password, salt))}"


def fits(password: str, kept: str | None) -> bool:
    """Tell whether a password is the sealed one. Takes as long where none is kept, so that nobody learns of that."""
    salt, _, digest = (kept or _nobodys()).removeprefix(FORM).partition("$")
    found = _text(_digest(password, base64.urlsafe_b64decode(f"{salt}==")))
    return same(found, digest) and kept is not None


@cache
def _nobodys() -> str:
    return sealed(secrets.token_urlsafe(16))


def _digest(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=COST, r=BLOCK, p=1, dklen=32)


def _text(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).decode().rstrip("=")
