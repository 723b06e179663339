"""The key that opens a running twin. Imports nothing heavy.

Each start makes a new one. It is kept in the twin's record, which only its user can read, and is the access key id of
every call that the twin takes. A function has a key of its own, which is derived from it and names its role.
"""

import hmac
import secrets

KEY_HEADER = "x-sentictl-key"  # carries the key to the twin's own pages, which no AWS client asks for
KEY_VARIABLE = "SENTICTL_TWIN_KEY"  # carries the key to the twin when it is started
ROLE_KEY = "LOCALROLE"
SECRET = "local"  # noqa: S105  (of each of these keys, which nobody can guess)


def new_key() -> str:
    """Return a key that nobody can guess, in the form of an access key id."""
    return f"LOCAL{secrets.token_hex(16).upper()}"


def role_key(key: str, role: str) -> str:
    """Return the access key of functions that run in a role, given the twin's key and the role's name."""
    return f"{ROLE_KEY}-{hmac.digest(key.encode(), role.encode(), 'sha256').hex()}-{role}"


def role_of(access_key: str) -> str:
    """Return the name of the role that an access key is for; empty if it is none of a function."""
    kind, _, rest = access_key.partition("-")
    return rest.partition("-")[2] if kind == ROLE_KEY else ""


def opens(access_key: str, key: str) -> bool:
    """Return whether an access key is the twin's key, or one that was derived from it."""
    role = role_of(access_key)
    return same(access_key, role_key(key, role) if role else key)


def same(one: str, other: str) -> bool:
    """Compare secrets in a time that tells nothing of how much of one is right."""
    return hmac.compare_digest(one.encode(), other.encode())
