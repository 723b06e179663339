"""A deployment's paths and methods, frozen at the moment of CreateDeployment, and where they lead a request."""

import re
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from sentictl.twin.apigateway.gateway_responses import GatewayResponses


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
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))

    @property
    def integration(self) -> Mapping[str, Any]:
        integration: Mapping[str, Any] = self.method.get("methodIntegration") or {}
        return integration

    @property
    def context(self) -> dict[str, Any]:
        """The values of `$context.` references in templates."""
        return {
            "requestId": self.request_id,
            "apiId": self.api,
            "stage": self.stage,
            "resourcePath": self.resource,
            "resourceId": self.resource_id,
            "httpMethod": self.method.get("httpMethod", ""),
            "path": f"/{self.stage}{self.path}",
        }


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
