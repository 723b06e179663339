"""ImportRestApi: an API made of an OpenAPI document, whose extensions moto reads only in part."""

import json
from collections.abc import Iterator
from typing import Any

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, rest_error

INTEGRATION = "x-amazon-apigateway-integration"
BINARY_MEDIA_TYPES = "x-amazon-apigateway-binary-media-types"
GATEWAY_RESPONSES = "x-amazon-apigateway-gateway-responses"


class OpenApiImports:
    """Answers ImportRestApi: hands the document to moto in the form that moto reads, and adds what moto leaves out."""

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        control.instead["apigateway", "ImportRestApi"] = self._import

    def _import(self, call: Call) -> Response:
        document = _read(call.request.get_data())
        if document is None:
            return rest_error("BadRequestException", "Invalid OpenAPI input.", 400)
        for _, _, operation in _operations(document):
            _mend_integration(operation.get(INTEGRATION, {}))
        answer = self._control.ask_moto(call.request.changed(json.dumps(document).encode()))
        if answer.ok:
            backend = self._control.backend("apigateway", call.region)
            _complete(backend.apis[json.loads(answer.get_data())["id"]], document)
        return answer


def _read(body: bytes) -> dict[str, Any] | None:
    """Return an OpenAPI document, None for what is none."""
    try:
        document = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return document if _is_openapi(document) else None


def _is_openapi(document: Any) -> bool:
    """Return whether a document has what is read here: a title, and paths whose operations are objects."""
    if not isinstance(document, dict) or not isinstance(document.get("info"), dict):
        return False
    paths = document.get("paths")
    if not isinstance(paths, dict) or not all(isinstance(operations, dict) for operations in paths.values()):
        return False
    return all(isinstance(operation, dict) for operations in paths.values() for operation in operations.values())


def _operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, operations in document["paths"].items():
        for verb, operation in operations.items():
            yield path, verb.upper(), operation


def _mend_integration(integration: dict[str, Any]) -> None:
    """AWS keeps types in capitals however they are spelled, and a MOCK needs no backend; moto breaks without one."""
    if integration:
        integration["type"] = integration["type"].upper()
        integration.setdefault("uri", "")
        integration.setdefault("httpMethod", "")


def _complete(api: Any, document: dict[str, Any]) -> None:
    resources = {resource.get_path(): resource for resource in api.resources.values()}
    for path, verb, operation in _operations(document):
        for status, response in operation.get("responses", {}).items():
            declared = dict.fromkeys((f"method.response.header.{name}" for name in response.get("headers", {})), False)
            resources[path].resource_methods[verb].get_response(status).response_parameters = declared
    api.binaryMediaTypes = list(document.get(BINARY_MEDIA_TYPES, []))
    for kind, response in document.get(GATEWAY_RESPONSES, {}).items():
        parameters, templates = response.get("responseParameters"), response.get("responseTemplates")
        api.put_gateway_response(kind, response.get("statusCode"), parameters or {}, templates or {})
