"""The tokens of user pools: signed by a key of the twin's own (RS256), which stays the same from one start to the next.

moto's key is the same everywhere, and public: with that anybody could be anybody. The claims are Cognito's
(docs.aws.amazon.com/cognito/latest/developerguide, "Using the access token" and "Using the ID token").
"""

import threading
import time
import uuid
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sentictl.assets.atomic import write_atomically

if TYPE_CHECKING:
    from joserfc.jwk import RSAKey

ALGORITHM = "RS256"
KEY_BITS = 2048
HOUR = 3600
SECONDS = {"seconds": 1, "minutes": 60, "hours": HOUR, "days": 24 * HOUR}


class BadTokenError(Exception):
    """A token that the twin did not sign, or that is none."""


class TokenSigner:
    """Signs tokens, and reads what it signed.

    Args:
        path: of the private key; it is made when it is first needed, for this user alone to read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()

    def issue(self, pool: Any, client: Any, user: Any, scopes: Sequence[str]) -> dict[str, Any]:
        """Return the answer of Cognito's token endpoint: an ID token and an access token.

        Args:
            pool: moto's object of the user pool.
            client: moto's object of the app client.
            user: moto's object of the user.
            scopes: what was asked for, and the client may ask for.
        """
        now = int(time.time())
        about = {"sub": user.id, "iss": issuer(pool), "auth_time": now, "iat": now, "origin_jti": str(uuid.uuid4())}
        valid = {use: validity(client.extended_config, use) for use in ("access", "id")}
        access = about | {"token_use": "access", "client_id": client.id, "username": user.username}
        access |= {"scope": " ".join(scopes), "version": 2, "exp": now + valid["access"], "jti": str(uuid.uuid4())}
        told = {name: user.attribute_lookup[name] for name in ("email",) if name in user.attribute_lookup}
        identity = about | {"token_use": "id", "aud": client.id, "cognito:username": user.username, **told}
        identity |= {"exp": now + valid["id"], "jti": str(uuid.uuid4())}
        return {
            "id_token": self.sign(identity),
            "access_token": self.sign(access),
            "expires_in": valid["access"],
            "token_type": "Bearer",
        }

    def sign(self, claims: Mapping[str, Any]) -> str:
        """Return a token of these claims."""
        from joserfc import jwt

        header = {"alg": ALGORITHM, "kid": self._key.thumbprint()}
        token: str = jwt.encode(header, dict(claims), self._key, algorithms=[ALGORITHM])
        return token

    def claims(self, token: str) -> dict[str, Any]:
        """Return what a token says, whose signature is the twin's; whether it holds still is the reader's to see.

        Raises:
            BadTokenError: it is no token, or somebody else's.
        """
        from joserfc import jwt
        from joserfc.errors import JoseError

        try:
            claims: dict[str, Any] = jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims
        except (JoseError, ValueError) as problem:
            raise BadTokenError(str(problem)) from problem
        return claims

    def key_set(self) -> dict[str, Any]:
        """Return the public key as a JSON Web Key Set (RFC 7517)."""
        public = self._key.as_dict(private=False)
        return {"keys": [public | {"kid": self._key.thumbprint(), "alg": ALGORITHM, "use": "sig"}]}

    @property
    def _key(self) -> "RSAKey":
        with self._lock:  # two who are the first at once would each make one, and keep the other's
            return self._kept_key

    @cached_property
    def _kept_key(self) -> "RSAKey":
        from joserfc.jwk import RSAKey  # 0.3 s that a twin without user pools does not need

        if self._path.exists():
            return RSAKey.import_key(self._path.read_bytes())
        key = RSAKey.generate_key(KEY_BITS)
        write_atomically(self._path, key.as_pem(private=True), mode=0o600)
        return key


def issuer(pool: Any) -> str:
    """Return the `iss` of a pool's tokens: where Cognito would publish the pool's key."""
    return f"https://cognito-idp.{pool.region}.amazonaws.com/{pool.id}"


def validity(config: Mapping[str, Any], use: str) -> int:
    """Return for how many seconds an app client's tokens are valid.

    Args:
        config: the client's; Cognito counts in hours where it names no unit, and takes one where it names no number.
        use: "access" or "id".
    """
    name = f"{use.capitalize()}Token"
    unit = (config.get("TokenValidityUnits") or {}).get(name) or "hours"
    return int(config.get(f"{name}Validity") or 0) * SECONDS[unit] or HOUR
