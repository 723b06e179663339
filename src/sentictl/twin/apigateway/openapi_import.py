"""ImportRestApi: an API made of an OpenAPI document, whose extensions moto reads only in part."""

import json
from collections.abc import Iterator
from typing import Any

from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.core.messages import Response, rest_error

INTEGRATION = "x-amazon-apigateway-integration"
BINARY_MEDIA_TYPES = "x-amazon-apigateway-binary-media-types"
AUTHORIZATION = "x-amazon-apigateway-authtype"
AUTHORIZER = "x-amazon-apigateway-authorizer"
COGNITO = "COGNITO_USER_POOLS"
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


def _schemes(document: dict[str, Any], operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """The security schemes that an operation names, each with its name and the scopes that it asks for."""
    known = document.get("components", {}).get("securitySchemes", {})
    for named in operation.get("security", []):
        yield from ((name, known[name], scopes) for name, scopes in named.items() if name in known)


def _authorize(api: Any, method: Any, name: str, scheme: dict[str, Any], scopes: list[str]) -> None:
    """Give a method its authorizer, which is made where it is not there yet, under the scheme's name."""
    if name not in api.authorizers:
        told = scheme[AUTHORIZER]
        unset = ("auth_type", "authorizer_uri", "authorizer_credentials", "identiy_validation_expression")
        api.create_authorizer(
            authorizer_id=name,
            name=name,
            authorizer_type=COGNITO,
            provider_arns=told.get("providerARNs"),
            identity_source=f"method.request.header.{scheme['name']}",
            authorizer_result_ttl=300,
            **dict.fromkeys(unset),
        )
    method.authorization_type, method.authorizer_id, method.authorization_scopes = COGNITO, name, scopes


def _complete(api: Any, document: dict[str, Any]) -> None:
    resources = {resource.get_path(): resource for resource in api.resources.values()}
    for path, verb, operation in _operations(document):
        for status, response in operation.get("responses", {}).items():
            declared = dict.fromkeys((f"method.response.header.{name}" for name in response.get("headers", {})), False)
            resources[path].resource_methods[verb].get_response(status).response_parameters = declared
        method = resources[path].resource_methods[verb]
        for name, scheme, scopes in _schemes(document, operation):
            if scheme.get(AUTHORIZATION) == "awsSigv4":
                method.authorization_type = "AWS_IAM"
            elif scheme.get(AUTHORIZATION) == COGNITO.lower():
                _authorize(api, method, name, scheme, scopes)
            elif scheme.get("type") == "apiKey" and scheme.get("name") == "x-api-key":
                method.api_key_required = True
    api.binaryMediaTypes = list(document.get(BINARY_MEDIA_TYPES, []))
    for kind, response in document.get(GATEWAY_RESPONSES, {}).items():
        parameters, templates = response.get("responseParameters"), response.get("responseTemplates")
        api.put_gateway_response(kind, response.get("statusCode"), parameters or {}, templates or {})
