"""The errors that API Gateway makes itself, with what PutGatewayResponse says about them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sentictl.twin.core.messages import Request, Response

CONTEXT = re.compile(r"\$context\.([A-Za-z.]+)")
DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'
# The types that there are, with the status of each; the two families have none of their own.
# https://docs.aws.amazon.com/apigateway/latest/developerguide/supported-gateway-response-types.html
STATUSES = {
    "ACCESS_DENIED": "403",
    "API_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_CONFIGURATION_ERROR": "500",
    "AUTHORIZER_FAILURE": "500",
    "BAD_REQUEST_BODY": "400",
    "BAD_REQUEST_PARAMETERS": "400",
    "DEFAULT_4XX": "",
    "DEFAULT_5XX": "",
    "EXPIRED_TOKEN": "403",
    "INTEGRATION_FAILURE": "504",
    "INTEGRATION_TIMEOUT": "504",
    "INVALID_API_KEY": "403",
    "INVALID_SIGNATURE": "403",
    "MISSING_AUTHENTICATION_TOKEN": "403",
    "QUOTA_EXCEEDED": "429",
    "REQUEST_TOO_LARGE": "413",
    "RESOURCE_NOT_FOUND": "404",
    "THROTTLED": "429",
    "UNAUTHORIZED": "401",
    "UNSUPPORTED_MEDIA_TYPE": "415",
    "WAF_FILTERED": "403",
}


class GatewayError(Exception):
    """A request that ends in the gateway.

    Args:
        kind: the gateway response type, e.g. `THROTTLED`.
        status: its default status code.
        message: what `$context.error.message` is.
        error_type: the value of the `x-amzn-ErrorType` header.
    """

    def __init__(self, kind: str, status: int, message: str, error_type: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.status = status
        self.message = message
        self.error_type = error_type

    @property
    def details(self) -> dict[str, str]:
        """The values of `$context.error.` in templates and access logs."""
        return {
            "error.message": self.message,
            "error.messageString": json.dumps(self.message),
            "error.responseType": self.kind,
        }


def missing_authentication_token() -> GatewayError:
    """No method at that path."""
    error_type = "MissingAuthenticationTokenException"
    return GatewayError("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", error_type)


def not_signed(code: str, message: str) -> GatewayError:
    """No signature that holds.

    Args:
        code: AWS's code. AWS does not say which type of response belongs to a key that nobody has; here it is that
            of a wrong signature.
        message: AWS's message.
    """
    kinds = {
        "MissingAuthenticationTokenException": "MISSING_AUTHENTICATION_TOKEN",
        "ExpiredTokenException": "EXPIRED_TOKEN",
    }
    return GatewayError(kinds.get(code, "INVALID_SIGNATURE"), 403, message, code)


def access_denied(arn: str, resource: str, why: str) -> GatewayError:
    """IAM does not allow the caller to ask."""
    message = f"User: {arn} is not authorized to perform: execute-api:Invoke on resource: {resource} {why}"
    return GatewayError("ACCESS_DENIED", 403, message, "AccessDeniedException")


def invalid_api_key() -> GatewayError:
    """No key, or one that may not ask this stage."""
    return GatewayError("INVALID_API_KEY", 403, "Forbidden", "ForbiddenException")


def quota_exceeded() -> GatewayError:
    """The key's quota is used up."""
    return GatewayError("QUOTA_EXCEEDED", 429, "Limit Exceeded", "LimitExceededException")


def filtered_by_waf() -> GatewayError:
    """A web ACL blocks the request."""
    return GatewayError("WAF_FILTERED", 403, "Forbidden", "ForbiddenException")


def unauthorized(message: str = "Unauthorized") -> GatewayError:
    """Nobody whom the method knows."""
    return GatewayError("UNAUTHORIZED", 401, message, "UnauthorizedException")


def authorizer_configuration_error() -> GatewayError:
    """The method's authorizer is not there."""
    kind, error_type = "AUTHORIZER_CONFIGURATION_ERROR", "AuthorizerConfigurationException"
    return GatewayError(kind, 500, "Internal server error", error_type)


def throttled() -> GatewayError:
    """More requests than the stage, or the key, allows."""
    return GatewayError("THROTTLED", 429, "Too Many Requests", "TooManyRequestsException")


def request_too_large(limit: int) -> GatewayError:
    """A payload over the limit."""
    message = f"HTTP content length exceeded {limit} bytes."
    return GatewayError("REQUEST_TOO_LARGE", 413, message, "RequestTooLargeException")


def unsupported_media_type() -> GatewayError:
    """No mapping template for the request's content type, and none is passed through."""
    return GatewayError("UNSUPPORTED_MEDIA_TYPE", 415, "Unsupported Media Type", "UnsupportedMediaTypeException")


def configuration_error() -> GatewayError:
    """The API, its function's policy or its role is not set up right."""
    return GatewayError("API_CONFIGURATION_ERROR", 500, "Internal server error", "InternalServerErrorException")


def bad_integration_answer() -> GatewayError:
    """The function failed, or answered what is no proxy response."""
    return GatewayError("DEFAULT_5XX", 502, "Internal server error", "InternalServerErrorException")


def integration_failure() -> GatewayError:
    """Lambda refused to run the function: too many of its invocations run already.

    Without a gateway response of that type clients are told 500 (seen by API Gateway's users, among others
    https://stackoverflow.com/questions/36363280).
    """
    return GatewayError("INTEGRATION_FAILURE", 500, "Internal server error", "InternalServerErrorException")


def integration_timeout() -> GatewayError:
    """No answer from the integration in time."""
    return GatewayError("INTEGRATION_TIMEOUT", 504, "Endpoint request timed out", "InternalServerErrorException")


@dataclass(frozen=True)
class GatewayResponses:
    """An API's gateway responses, as its deployment holds them: by type, in the API's JSON form."""

    by_type: Mapping[str, Mapping[str, Any]]

    def render(self, error: GatewayError, context: Mapping[str, Any], request: Request) -> Response:
        """Return the answer to a request that ended in `error`."""
        family = "DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX"
        setting = self.by_type.get(error.kind) or self.by_type.get(family) or {}
        status = int(setting.get("statusCode") or error.status)
        templates = setting.get("responseTemplates") or {"application/json": DEFAULT_TEMPLATE}
        content_type, template = next(iter(templates.items()))
        details = {**context, **error.details}
        headers = {"Content-Type": content_type, "x-amzn-ErrorType": error.error_type}
        headers |= _headers(setting.get("responseParameters") or {}, request)
        return Response(render_template(template, details), status, headers)


def with_defaults(defined: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return an API's gateway responses as AWS lists them: others than those defined follow their family.

    Args:
        defined: those that somebody did, in the API's JSON form.
    """
    by_type = {response["responseType"]: response for response in defined}
    return defined + [_default(kind, by_type) for kind in STATUSES if kind not in by_type]


def _default(kind: str, defined: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    status = STATUSES[kind]
    family = defined.get("DEFAULT_4XX" if status.startswith("4") else "DEFAULT_5XX") if status else None
    own: dict[str, Any] = {"responseParameters": {}, "responseTemplates": {"application/json": DEFAULT_TEMPLATE}}
    own |= {"statusCode": status} if status else {}
    followed = {name: family[name] for name in (*own, "statusCode") if family and family.get(name)}
    return {"responseType": kind, **own, **followed, "defaultResponse": True}


def render_template(template: str, context: Mapping[str, Any]) -> str:
    """Return a template with its `$context.name` references filled in; an unknown one is empty, as by API Gateway."""
    return CONTEXT.sub(lambda found: str(context.get(found.group(1), "")), template)


def static_value(expression: str) -> str | None:
    """Return the text of a quoted literal such as `'*'`, or None for any other mapping expression."""
    if len(expression) >= 2 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    return None


def _headers(parameters: Mapping[str, str], request: Request) -> dict[str, str]:
    """The headers that are mapped: from quoted literals, and from headers of the request where that has them."""
    prefix, sent = "gatewayresponse.header.", "method.request.header."
    found = {
        name.removeprefix(prefix): request.headers.get(value.removeprefix(sent))
        if value.startswith(sent)
        else static_value(value)
        for name, value in parameters.items()
        if name.startswith(prefix)
    }
    return {name: value for name, value in found.items() if value is not None}
