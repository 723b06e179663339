"""The authorizer of methods that users of a Cognito user pool may call.

A method with scopes takes access tokens that have one of them; a method without any takes ID tokens. The app client is
not looked at (docs.aws.amazon.com/apigateway/latest/developerguide/apigateway-integrate-with-cognito.html).
"""

import time
from collections.abc import Mapping
from typing import Any

from sentictl.twin.apigateway.gateway_responses import authorizer_configuration_error, unauthorized
from sentictl.twin.apigateway.routes import Route
from sentictl.twin.cognito.pools import POOL_ARN, UserPools
from sentictl.twin.cognito.tokens import BadTokenError, TokenSigner, issuer
from sentictl.twin.control_plane.control_plane import ControlPlane
from sentictl.twin.core.messages import Request

KIND = "COGNITO_USER_POOLS"
HEADER = "method.request.header."
EXPIRED = "The incoming token has expired"


class CognitoAuthorizer:
    """Tells who asks, by the token that a request brings.

    Args:
        control: the control plane, whose authorizers hold.
        pools: the user pools that they name.
        tokens: reads what those pools signed.
    """

    def __init__(self, control: ControlPlane, pools: UserPools, tokens: TokenSigner) -> None:
        self._control = control
        self._pools = pools
        self._tokens = tokens

    def claims(self, request: Request, route: Route) -> dict[str, str]:
        """Return what is known of who asks, as a function gets it.

        Raises:
            GatewayError: 401; there is no token, or none that holds here.
        """
        apis = self._control.backend("apigateway", route.region).apis
        authorizer = apis[route.api].authorizers.get(route.method.get("authorizerId"))
        if authorizer is None:
            raise authorizer_configuration_error()
        token = request.headers.get(authorizer.identity_source.removeprefix(HEADER), "")
        claims = self._read(token.removeprefix("Bearer ").strip())
        if claims.get("iss") not in self._issuers(authorizer) or not _fits(claims, route.method):
            raise unauthorized()
        if claims["exp"] <= time.time():
            raise unauthorized(EXPIRED)
        return {name: str(value) for name, value in claims.items()}

    def _read(self, token: str) -> dict[str, Any]:
        try:
            return self._tokens.claims(token)
        except BadTokenError:
            raise unauthorized() from None

    def _issuers(self, authorizer: Any) -> set[str]:
        named = [POOL_ARN.fullmatch(arn) for arn in authorizer.provider_arns or ()]
        pools = [self._pools.find(found["pool"]) for found in named if found]
        return {issuer(pool) for pool in pools if pool is not None}


def _fits(claims: Mapping[str, Any], method: Mapping[str, Any]) -> bool:
    scopes = set(method.get("authorizationScopes") or ())
    if not scopes:
        return claims.get("token_use") == "id"
    return claims.get("token_use") == "access" and not scopes.isdisjoint(str(claims.get("scope", "")).split())
