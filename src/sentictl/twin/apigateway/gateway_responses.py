"""The errors that API Gateway makes itself, with what PutGatewayResponse says about them."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sentictl.twin.core.messages import Response

CONTEXT = re.compile(r"\$context\.([A-Za-z.]+)")
DEFAULT_TEMPLATE = '{"message":$context.error.messageString}'


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


def missing_authentication_token() -> GatewayError:
    """No method at that path."""
    error_type = "MissingAuthenticationTokenException"
    return GatewayError("MISSING_AUTHENTICATION_TOKEN", 403, "Missing Authentication Token", error_type)


def throttled() -> GatewayError:
    """More requests than the stage allows."""
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

    def render(self, error: GatewayError, context: Mapping[str, Any]) -> Response:
        """Return the answer to a request that ended in `error`."""
        family = "DEFAULT_4XX" if error.status < 500 else "DEFAULT_5XX"
        setting = self.by_type.get(error.kind) or self.by_type.get(family) or {}
        status = int(setting.get("statusCode") or error.status)
        templates = setting.get("responseTemplates") or {"application/json": DEFAULT_TEMPLATE}
        content_type, template = next(iter(templates.items()))
        details = {
            **context,
            "error.message": error.message,
            "error.messageString": json.dumps(error.message),
            "error.responseType": error.kind,
        }
        headers = {"Content-Type": content_type, "x-amzn-ErrorType": error.error_type}
        headers |= _static_headers(setting.get("responseParameters") or {})
        return Response(render_template(template, details), status, headers)


def render_template(template: str, context: Mapping[str, Any]) -> str:
    """Return a template with its `$context.name` references filled in; an unknown one is empty, as by API Gateway."""
    return CONTEXT.sub(lambda found: str(context.get(found.group(1), "")), template)


def static_value(expression: str) -> str | None:
    """Return the text of a quoted literal such as `'*'`, or None for any other mapping expression."""
    if len(expression) >= 2 and expression[0] == expression[-1] == "'":
        return expression[1:-1]
    return None


def _static_headers(parameters: Mapping[str, str]) -> dict[str, str]:
    prefix = "gatewayresponse.header."
    found = {
        name.removeprefix(prefix): static_value(value) for name, value in parameters.items() if name.startswith(prefix)
    }
    return {name: value for name, value in found.items() if value is not None}
