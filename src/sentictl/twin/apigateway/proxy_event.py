"""The Lambda proxy integration's two documents: the event (REST API, payload format 1.0) and the function's answer."""

import base64
import binascii
import fnmatch
import json
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from urllib.parse import parse_qs

from werkzeug.datastructures import Headers

from sentictl.twin.apigateway.gateway_responses import bad_integration_answer
from sentictl.twin.apigateway.routes import Route
from sentictl.twin.control_plane.control_plane import ACCOUNT
from sentictl.twin.core.messages import Request, Response

# What requestContext.identity says of a caller that nothing is known of: nothing.
ANONYMOUS = (
    "accessKey",
    "accountId",
    "apiKey",
    "apiKeyId",
    "caller",
    "cognitoAuthenticationProvider",
    "cognitoAuthenticationType",
    "cognitoIdentityId",
    "cognitoIdentityPoolId",
    "principalOrgId",
    "user",
    "userArn",
)


def proxy_event(request: Request, route: Route) -> dict[str, Any]:
    """Return the event that a function gets.

    A body that is declared binary by the API's media types, or that is not UTF-8, arrives base64-encoded.
    """
    headers = client_headers(request)
    multi_query = parse_qs(request.query, keep_blank_values=True)
    body, encoded = _encode_body(request, route.binary_media_types)
    return {
        "resource": route.resource,
        "path": route.path,
        "httpMethod": request.method,
        "headers": headers,
        "multiValueHeaders": {name: [value] for name, value in headers.items()},
        "queryStringParameters": {name: values[-1] for name, values in multi_query.items()} or None,
        "multiValueQueryStringParameters": multi_query or None,
        "pathParameters": dict(route.parameters) or None,
        "stageVariables": dict(route.stage_variables) or None,
        "requestContext": _request_context(request, route, headers),
        "body": body,
        "isBase64Encoded": encoded,
    }


def client_headers(request: Request) -> dict[str, str]:
    """Return a request's headers as API Gateway hands them on: capitalized, with its own forwarding headers."""
    sent = {name: value for name, value in request.headers.items() if name not in ("Connection", "Content-Length")}
    host = request.headers.get("host", "127.0.0.1")
    forwarded = {
        "Host": host,
        "X-Forwarded-For": request.remote_addr or "",
        "X-Forwarded-Port": host.partition(":")[2] or "80",
        "X-Forwarded-Proto": "http",
    }
    return sent | forwarded


def proxy_response(payload: bytes, accept: str, binary_media_types: Sequence[str]) -> Response:
    """Return the client's answer for a function's.

    Raises:
        GatewayError: 502, if the answer is not of the form that API Gateway documents.
    """
    try:
        answer = json.loads(payload)
    except ValueError as error:
        raise bad_integration_answer() from error
    if not _well_formed(answer):
        raise bad_integration_answer()
    headers = Headers()
    for name, value in (answer.get("headers") or {}).items():
        headers.add(name, _header_text(value))
    for name, values in (answer.get("multiValueHeaders") or {}).items():
        for value in values:
            headers.add(name, _header_text(value))
    headers.setdefault("Content-Type", "application/json")
    for name in ("Content-Length", "Connection", "Transfer-Encoding"):
        headers.remove(name)
    return Response(_body(answer, accept, binary_media_types), int(answer["statusCode"]), headers)


def is_binary(media_type: str, binary_media_types: Sequence[str]) -> bool:
    """Return whether an API's binaryMediaTypes cover a media type."""
    plain = media_type.partition(";")[0].strip().lower()
    return any(fnmatch.fnmatchcase(plain or "application/json", pattern.lower()) for pattern in binary_media_types)


def _encode_body(request: Request, binary_media_types: Sequence[str]) -> tuple[str | None, bool]:
    body = request.get_data()
    if not body:
        return None, False
    if not is_binary(request.headers.get("content-type", ""), binary_media_types):
        with suppress(UnicodeDecodeError):
            return body.decode(), False
    return base64.b64encode(body).decode(), True


def _request_context(request: Request, route: Route, headers: Mapping[str, str]) -> dict[str, Any]:
    asked = route.asked
    return {
        "accountId": ACCOUNT,
        "apiId": route.api,
        **({"authorizer": {"claims": dict(route.claims)}} if route.claims else {}),
        "deploymentId": route.deployment,
        "domainName": headers["Host"].partition(":")[0],
        "domainPrefix": route.api,
        "extendedRequestId": route.request_id,
        "httpMethod": request.method,
        "identity": {
            **dict.fromkeys(ANONYMOUS),
            **route.identity,
            "sourceIp": request.remote_addr,
            "userAgent": headers.get("User-Agent"),
        },
        "path": f"/{route.stage}{route.path}",
        "protocol": "HTTP/1.1",
        "requestId": route.request_id,
        "requestTime": asked["requestTime"],
        "requestTimeEpoch": asked["requestTimeEpoch"],
        "resourceId": route.resource_id,
        "resourcePath": route.resource,
        "stage": route.stage,
    }


def _well_formed(answer: Any) -> bool:
    if not isinstance(answer, dict) or isinstance(answer.get("statusCode"), bool):
        return False
    if not str(answer.get("statusCode", "")).isdigit() or not 100 <= int(answer["statusCode"]) <= 599:
        return False
    if not isinstance(answer.get("body"), str | None):
        return False
    return all(isinstance(answer.get(name), dict | None) for name in ("headers", "multiValueHeaders"))


def _header_text(value: Any) -> str:
    return json.dumps(value) if isinstance(value, bool) else str(value)


def _body(answer: dict[str, Any], accept: str, binary_media_types: Sequence[str]) -> bytes:
    """API Gateway decodes base64 only for clients whose first accepted type is one of the API's binary media types."""
    text = answer.get("body") or ""
    if not (answer.get("isBase64Encoded") and is_binary(accept.partition(",")[0], binary_media_types)):
        return str(text).encode()
    try:
        return base64.b64decode(text, validate=True)
    except binascii.Error as error:
        raise bad_integration_answer() from error
