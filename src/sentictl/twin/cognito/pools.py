"""User pools, their domains, app clients and users: moto's, where it answers otherwise than Cognito.

Passwords are sealed before anything is done with a call or written down of it. Operations that would have users sign in
without the hosted page are not there: moto's tokens are signed by a key that everybody has.
"""

import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlsplit

from sentictl.twin.cognito.passwords import sealed
from sentictl.twin.control_plane.control_plane import Call, ControlPlane, naive_utc
from sentictl.twin.core.messages import Request, Response, json_response, json_rpc_error

SERVICE = "cognito-idp"
LOOPBACK = ("localhost", "127.0.0.1", "::1")
RESERVED = ("aws", "amazon", "cognito")
POOL_ARN = re.compile(r"arn:[^:]*:cognito-idp:[^:]*:\d*:userpool/(?P<pool>[^/]+)")
# By the member that holds the password.
WITH_PASSWORD = {"AdminCreateUser": "TemporaryPassword", "AdminSetUserPassword": "Password"}
NOT_HERE = (
    *("SignUp", "InitiateAuth", "AdminInitiateAuth", "RespondToAuthChallenge", "AdminRespondToAuthChallenge"),
    *(
        "ChangePassword",
        "ConfirmForgotPassword",
        "ForgotPassword",
        "AdminResetUserPassword",
        "GetTokensFromRefreshToken",
    ),
)


class UserPools:
    """Handlers that answer as Cognito does where moto does not, and look-ups for the data plane."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        for operation in WITH_PASSWORD:
            control.seals[SERVICE, operation] = self._seal
        for operation in NOT_HERE:
            control.before[SERVICE, operation] = _not_here
        for operation in ("CreateUserPoolClient", "UpdateUserPoolClient"):
            control.before[SERVICE, operation] = _refuse_callbacks
        control.before[SERVICE, "CreateUserPoolDomain"] = self._refuse_domain
        control.before[SERVICE, "DeleteUserPool"] = self._refuse_deletion
        control.in_order.add((SERVICE, "CreateUserPool"))
        control.after[SERVICE, "CreateUserPool"] = self._keep_time
        control.after[SERVICE, "AdminCreateUser"] = self._keep_time_of_user
        for operation in ("ListTagsForResource", "TagResource", "UntagResource"):
            control.instead[SERVICE, operation] = self._tags
        control.facts["user-password"] = self._restore_password

    def at(self, domain: str) -> Any:
        """Return moto's object of the pool whose users sign in at a domain; None if there is none."""
        for region in self._control.regions(SERVICE):
            backend = self._backend(region)
            found = backend.user_pool_domains.get(domain)
            if found:
                return backend.user_pools.get(found.user_pool_id)
        return None

    def find(self, identifier: str) -> Any:
        """Return moto's object of a pool; None if there is none."""
        region = identifier.rpartition("_")[0]
        known = region in self._control.regions(SERVICE)
        return self._backend(region).user_pools.get(identifier) if known else None

    def set_password(self, pool: Any, user: Any, password: str) -> bool:
        """Give a user another password, which the user has chosen. False where the pool's rules forbid it."""
        with self._control.lock:
            if not self._is_allowed(pool, password):
                return False
            kept = sealed(password)
            self._control.record("user-password", pool=pool.id, user=user.username, sealed=kept)
            _set_password(user, kept)
        return True

    def _backend(self, region: str) -> Any:
        return self._control.backend(SERVICE, region)

    def _pool(self, call: Call) -> Any:
        return self._backend(call.region).user_pools.get(call.payload.get("UserPoolId"))

    def _seal(self, call: Call) -> Request | Response:
        member, pool = WITH_PASSWORD[call.operation], self._pool(call)
        password = call.payload.get(member)
        if not password:
            raise NotImplementedError("It sends no mail: give the user a TemporaryPassword.")
        if pool is not None and not self._is_allowed(pool, password):
            return json_rpc_error("InvalidPasswordException", "Password does not conform to policy")
        return call.request.changed(json.dumps(call.payload | {member: sealed(password)}).encode())

    def _is_allowed(self, pool: Any, password: str) -> bool:
        from moto.cognitoidp.exceptions import InvalidPasswordException  # loads all of moto's Cognito: 0.5 s

        try:
            self._backend(pool.region)._validate_password(pool.id, password)
        except InvalidPasswordException:
            return False
        return True

    def _restore_password(self, data: Mapping[str, Any], _body: bytes) -> None:
        pool = self.find(data["pool"])
        user = pool.users.get(data["user"]) if pool else None
        if user:
            _set_password(user, data["sealed"])

    def _refuse_domain(self, call: Call) -> Response | None:
        """Refuse a taken domain, and a second one; moto puts it in the place of the first."""
        domain = call.payload["Domain"]
        reserved = next((word for word in RESERVED if word in domain), "")
        if reserved:
            return _invalid(f"Domain cannot contain reserved word: {reserved}")
        if self.at(domain) is not None:
            return _invalid("Domain already exists.")
        pool = self._pool(call)
        return _invalid("User pool already has a domain configured.") if pool and pool.domain else None

    def _refuse_deletion(self, call: Call) -> Response | None:
        pool = self._pool(call)
        if pool is None:
            return None
        if pool.domain:
            return _invalid("User pool cannot be deleted. It has a domain configured that should be deleted first.")
        if pool.extended_config.get("DeletionProtection") == "ACTIVE":
            return _invalid(
                "The user pool cannot be deleted because deletion protection is activated. Deletion protection must be "
                "inactivated first."
            )
        return None

    def _keep_time(self, call: Call) -> None:
        """moto would say that a pool was made when the twin was started last."""
        pool = next(reversed(self._backend(call.region).user_pools.values()))
        pool.creation_date = pool.last_modified_date = naive_utc(call.when)

    def _keep_time_of_user(self, call: Call) -> None:
        user = next(reversed(self._pool(call).users.values()))
        user.create_date = user.last_modified_date = naive_utc(call.when)

    def _tags(self, call: Call) -> Response:
        """moto has no tags of pools apart from CreateUserPool's."""
        found = POOL_ARN.fullmatch(call.payload["ResourceArn"])
        pool = self._backend(call.region).user_pools.get(found["pool"]) if found else None
        if pool is None:
            return json_rpc_error("ResourceNotFoundException", f"Resource {call.payload['ResourceArn']} not found.")
        tags = pool.extended_config.get("UserPoolTags") or {}
        if call.operation == "ListTagsForResource":
            return json_response(200, {"Tags": tags})
        gone = call.payload.get("TagKeys") or []
        changed = tags | (call.payload.get("Tags") or {})
        pool.extended_config["UserPoolTags"] = {key: value for key, value in changed.items() if key not in gone}
        return json_response(200, {})


def _set_password(user: Any, kept: str) -> None:
    user.password, user.status = kept, "CONFIRMED"


def _not_here(_call: Call) -> Response:
    raise NotImplementedError("Users of its pools sign in on the hosted page alone.")


def _refuse_callbacks(call: Call) -> Response | None:
    """Refuse what Cognito refuses: pages that plain HTTP brings, but for those of this machine."""
    for url in (*(call.payload.get("CallbackURLs") or ()), *(call.payload.get("LogoutURLs") or ())):
        parts = urlsplit(url)
        if not parts.scheme or parts.fragment:
            return _invalid(f"{url} is not a valid redirect URI.")
        if parts.scheme == "http" and parts.hostname not in LOOPBACK:
            return _invalid(f"{url} cannot use the HTTP protocol.")
    return None


def _invalid(message: str) -> Response:
    return json_rpc_error("InvalidParameterException", message)
