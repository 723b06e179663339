"""A deployment's paths and methods, frozen at the moment of CreateDeployment, and where they lead a request."""

import re
import time
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sentictl.twin.apigateway.gateway_responses import GatewayResponses
from sentictl.twin.control_plane.control_plane import ACCOUNT
from sentictl.twin.core.messages import Request


@dataclass(frozen=True)
class Deployment:
    """A snapshot of an API: resources, methods and integrations in the API's own JSON forms."""

    identifier: str
    resources: Sequence[dict[str, Any]]
    gateway_responses: GatewayResponses
    binary_media_types: Sequence[str]

    @classmethod
    def of(cls, api: Any, identifier: str) -> "Deployment":
        """Return a copy of moto's API object, which later changes of the API leave as it is."""
        responses = {response.response_type: response.to_json() for response in api.get_gateway_responses()}
        resources = [resource.to_dict() for resource in api.resources.values()]
        return cls(identifier, resources, GatewayResponses(responses), list(api.binaryMediaTypes))

    def find(self, path: str, method: str) -> tuple[dict[str, Any], dict[str, Any], dict[str, str]] | None:
        """Return a request's resource, method and path parameters; exact paths win, `{proxy+}` comes last."""
        for resource in sorted(self.resources, key=_precedence):
            found = _pattern(resource["path"]).fullmatch(path)
            methods = resource.get("resourceMethods") or {}
            chosen = methods.get(method) or methods.get("ANY")
            if found and chosen:
                return resource, chosen, found.groupdict()
        return None


@dataclass(frozen=True)
class Route:
    """Where a request goes, and all that an integration wants to know about it."""

    api: str
    region: str
    stage: str
    deployment: str
    resource: str
    resource_id: str
    path: str
    method: Mapping[str, Any]
    parameters: Mapping[str, str]
    stage_variables: Mapping[str, str]
    binary_media_types: Sequence[str]
    asked: Mapping[str, Any]  # what `request_context` says of the request
    identity: Mapping[str, Any] = field(default_factory=dict, repr=False)  # what is known of the caller
    claims: Mapping[str, str] | None = None  # of who asks, where an authorizer knows that
    told: dict[str, Any] = field(default_factory=dict)  # what its integration then told of itself, for access logs

    @property
    def request_id(self) -> str:
        return str(self.asked["requestId"])

    @property
    def integration(self) -> Mapping[str, Any]:
        integration: Mapping[str, Any] = self.method.get("methodIntegration") or {}
        return integration

    @property
    def context(self) -> dict[str, Any]:
        """The values of `$context.` references in templates."""
        return {**self.asked, "resourcePath": self.resource, "resourceId": self.resource_id}


def request_context(request: Request, api: str, stage: str, path: str) -> dict[str, Any]:
    """Return the values of `$context.` references that follow from a request alone.

    https://docs.aws.amazon.com/apigateway/latest/developerguide/api-gateway-variables-for-access-logging.html
    """
    now, request_id = time.time(), str(uuid.uuid4())
    known = {
        "requestId": request_id,
        "extendedRequestId": request_id,
        "requestTime": time.strftime("%d/%b/%Y:%H:%M:%S +0000", time.gmtime(now)),
        "requestTimeEpoch": int(now * 1000),
        "accountId": ACCOUNT,
        "apiId": api,
        "stage": stage,
        "httpMethod": request.method,
        "path": f"/{stage}{path}",
        "protocol": "HTTP/1.1",
        "domainName": request.headers.get("host", "127.0.0.1").partition(":")[0],
        "domainPrefix": api,
        "identity.sourceIp": request.remote_addr,
        "identity.userAgent": request.headers.get("user-agent"),
    }
    return {name: value for name, value in known.items() if value is not None}


def _precedence(resource: dict[str, Any]) -> tuple[bool, int]:
    return "+}" in resource["path"], resource["path"].count("{")


@cache
def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\{\w+\+?\})", path)
    text = "".join(_part(part) for part in parts)
    return re.compile(text)


def _part(part: str) -> str:
    if not part.startswith("{"):
        return re.escape(part)
    name = part.strip("{}+")
    return f"(?P<{name}>.+)" if part.endswith("+}") else f"(?P<{name}>[^/]+)"
