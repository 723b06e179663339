"""Who is let in to a method: whoever its authorization, and its API key where it takes one, let in."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from sentictl.twin.apigateway.cognito_authorizer import KIND, CognitoAuthorizer
from sentictl.twin.apigateway.gateway_responses import access_denied, not_signed
from sentictl.twin.apigateway.routes import Route
from sentictl.twin.apigateway.usage_plans import HEADER, UsagePlans
from sentictl.twin.control_plane.control_plane import ACCOUNT
from sentictl.twin.core.messages import Request
from sentictl.twin.iam.identities import Identities, Identity
from sentictl.twin.iam.signatures import RequestSignature, SentRequest, SignatureError

SERVICE, ACTION = "execute-api", "execute-api:Invoke"
INVALID_TOKEN = "The security token included in the request is invalid."  # noqa: S105  (AWS's message)
EXPIRED_TOKEN = "The security token included in the request is expired"  # noqa: S105  (same)


class Admission:
    """Lets requests in, or refuses them.

    Args:
        identities: who owns which access key.
        plans: the API keys, and what they may still ask.
        authorizer: knows the users of user pools.
    """

    def __init__(self, identities: Identities, plans: UsagePlans, authorizer: CognitoAuthorizer) -> None:
        self._identities = identities
        self._plans = plans
        self._authorizer = authorizer

    def admit(self, request: Request, route: Route) -> Route:
        """Return the route with what a function is told of the caller.

        Raises:
            GatewayError: the request is refused.
        """
        told: dict[str, Any] = {}
        if route.method.get("authorizationType") == "AWS_IAM":
            told |= self._signed(request, route)
        if route.method.get("apiKeyRequired"):
            key = self._plans.admit(route.region, route.api, route.stage, request.headers.get(HEADER, ""))
            told |= {"apiKey": key.value, "apiKeyId": key.id}
        signed_in = route.method.get("authorizationType") == KIND
        return replace(route, identity=told, claims=self._authorizer.claims(request, route) if signed_in else None)

    def _signed(self, request: Request, route: Route) -> dict[str, Any]:
        headers = [(name, value) for name, value in request.headers.items()]
        sent = SentRequest(request.method, request.target, request.query, headers, request.get_data())
        try:
            signature = RequestSignature.of(sent)
            identity = self._identities.of(signature.key)
            if identity is None or (identity.token or "") != sent.header("x-amz-security-token"):
                raise SignatureError("UnrecognizedClientException", INVALID_TOKEN)  # noqa: TRY301
            signature.check(sent, identity.secret, route.region, SERVICE, datetime.now(UTC))
            if identity.expired:
                raise SignatureError("ExpiredTokenException", EXPIRED_TOKEN)  # noqa: TRY301
        except SignatureError as fault:
            raise not_signed(fault.code, fault.message) from fault
        _demand(identity, route)
        return {
            "accessKey": signature.key,
            "accountId": ACCOUNT,
            "caller": identity.user_id,
            "user": identity.user_id,
            "userArn": identity.arn,
        }


def _demand(identity: Identity, route: Route) -> None:
    """Refuse a caller whom IAM does not allow to ask; AWS hides most of the account's number in what it says."""
    place = f"{route.api}/{route.stage}/{route.method['httpMethod']}/{route.path.lstrip('/')}"
    decision = identity.decide(ACTION, f"arn:aws:execute-api:{route.region}:{ACCOUNT}:{place}")
    if decision == "allowed":
        return
    why = (
        "with an explicit deny in an identity-based policy"
        if decision == "explicitDeny"
        else f"because no identity-based policy allows the {ACTION} action"
    )
    hidden = "*" * (len(ACCOUNT) - 4) + ACCOUNT[-4:]
    raise access_denied(identity.arn, f"arn:aws:execute-api:{route.region}:{hidden}:{place}", why)
