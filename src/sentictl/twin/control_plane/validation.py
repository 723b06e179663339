"""Calls that AWS refuses before it carries anything out: unknown, malformed, of the wrong types, or incomplete.

moto breaks on most of them. What a call may hold is told by botocore's service models.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs
from xml.etree import ElementTree

from botocore.exceptions import UnknownServiceError
from botocore.model import ServiceModel, Shape, StructureShape
from moto.core.utils import get_service_model

from sentictl.twin.core.messages import Request, Response, json_rpc_error, query_error, rest_error, s3_error

# The service that signs a call is not always called as botocore calls it.
SIGNED_AS = {
    "monitoring": "cloudwatch",
    "servicequotas": "service-quotas",
    "states": "stepfunctions",
    "tagging": "resourcegroupstaggingapi",
}
JSON_RPC = "application/x-amz-json-1."
TYPES: Mapping[str, tuple[type, ...]] = {
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
    "string": (str,),
    "blob": (str,),  # in base64
    "timestamp": (str, int, float),
    "boolean": (bool,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
}


class _RefusedError(Exception):
    """AWS refuses the call.

    Args:
        code: AWS's code of the error.
    """

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status


def refusal(request: Request, service: str, operation: str) -> Response | None:
    """Return AWS's answer to a call that is not one of its service, None for a call that it would carry out.

    Args:
        service: the service that the call is signed for, such as `monitoring`.
        operation: what the call says it is; empty where it does not, or where there is no such method and path.
    """
    try:
        model = get_service_model(SIGNED_AS.get(service, service))
    except UnknownServiceError:
        return rest_error("InvalidSignatureException", "Credential should be scoped to correct service.", 403)
    protocol = _protocol(request, model)
    try:
        CHECKS.get(protocol, _check_other)(request, model, operation)
    except _RefusedError as refused:
        return _answer(protocol, model, refused)
    return None


def _protocol(request: Request, model: ServiceModel) -> str:
    if request.headers.get("smithy-protocol"):
        return request.headers["smithy-protocol"]
    known: list[str] = model.metadata.get("protocols") or [model.metadata["protocol"]]
    return "json" if "json" in known and "x-amz-target" in request.headers else known[-1]


def _check_json(request: Request, model: ServiceModel, operation: str) -> None:
    """JSON 1.1: the operation in a header, its input in the body."""
    if operation not in model.operation_names or not (request.content_type or "").startswith(JSON_RPC):
        raise _RefusedError("UnknownOperationException", "The requested operation is not supported.")
    _check_document(_document(request), model.operation_model(operation).input_shape)


def _check_query(request: Request, model: ServiceModel, operation: str) -> None:
    """A form: `Action=GetRole&RoleName=…`."""
    if not operation:
        raise _RefusedError("MissingAction", "The request must contain the parameter Action.")
    if operation not in model.operation_names:
        message = f"Could not find operation {operation} for version {model.api_version}."
        raise _RefusedError("InvalidAction", message)
    sent = parse_qs(request.get_data(as_text=True), keep_blank_values=True)
    shape = model.operation_model(operation).input_shape
    for name in shape.required_members if shape else ():
        if not any(key == name or key.startswith(f"{name}.") for key in sent):
            raise _missing([name])


def _check_rest_json(request: Request, model: ServiceModel, operation: str) -> None:
    """Method and path say what it is; the input is in the path, the query, the headers and the body."""
    if not operation:
        raise _RefusedError("UnknownOperationException", "There is no operation of this method and path.", 404)
    shape = model.operation_model(operation).input_shape
    if shape and not _payload(shape):
        _check_document(_document(request), shape)


def _check_rest_xml(request: Request, model: ServiceModel, operation: str) -> None:
    """S3."""
    if not operation:
        raise _RefusedError("MethodNotAllowed", "The specified method is not allowed against this resource.", 405)
    shape = model.operation_model(operation).input_shape
    payload = _payload(shape)
    if not isinstance(payload, StructureShape):
        return
    body = request.get_data()
    if not body and shape.serialization["payload"] not in shape.required_members:
        return
    try:
        root = ElementTree.fromstring(body)  # noqa: S314  (expat limits what entities may grow to)
    except ElementTree.ParseError:
        root = None
    if root is None or root.tag.rpartition("}")[2] != payload.serialization.get("name", payload.name):
        message = "The XML you provided was not well-formed or did not validate against our published schema"
        raise _RefusedError("MalformedXML", message)


def _check_other(_request: Request, model: ServiceModel, operation: str) -> None:
    """CBOR: the operation is in the path."""
    if operation not in model.operation_names:
        raise _RefusedError("UnknownOperationException", "The requested operation is not supported.")


CHECKS: Mapping[str, Callable[[Request, ServiceModel, str], None]] = {
    "json": _check_json,
    "query": _check_query,
    "rest-json": _check_rest_json,
    "rest-xml": _check_rest_xml,
}


def _payload(shape: StructureShape | None) -> Shape | None:
    """Return the shape of the one member of an input that is the whole body, where there is one."""
    name = shape.serialization.get("payload") if shape else None
    return shape.members[name] if shape and name else None


def _document(request: Request) -> dict[str, Any]:
    try:
        document = json.loads(request.get_data() or b"{}")
    except (ValueError, RecursionError):
        raise _RefusedError("SerializationException", "The body is not JSON.") from None
    if not isinstance(document, dict):
        raise _RefusedError("SerializationException", "The body is not a JSON object.")
    return document


def _check_document(document: dict[str, Any], shape: StructureShape | None) -> None:
    if shape is None:
        return
    missing = list(_check(document, shape, []))
    if missing:
        raise _missing(missing)


def _check(value: Any, shape: Any, path: list[str]) -> Iterator[str]:
    """Yield the names of required members that are missing.

    Raises:
        _RefusedError: something has another type than AWS reads there.
    """
    allowed: tuple[type, ...] = TYPES.get(shape.type_name, (object,))
    if getattr(shape, "is_document_type", False):
        return
    if not _is_one_of(value, allowed):
        place = ".".join(path)
        message = f"{type(value).__name__} can not be converted to {shape.type_name} at '{place}'"
        raise _RefusedError("SerializationException", message)
    if shape.type_name == "structure":
        yield from _check_members(value, shape, path)
    elif shape.type_name == "list":
        for position, entry in enumerate(value):
            yield from _check(entry, shape.member, [*path, str(position)])
    elif shape.type_name == "map":
        for key, entry in value.items():
            yield from _check(entry, shape.value, [*path, key])


def _is_one_of(value: Any, types: tuple[type, ...]) -> bool:
    """Return whether a value has one of these types; true and false are no numbers."""
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types or object in types)


def _check_members(value: dict[str, Any], shape: StructureShape, path: list[str]) -> Iterator[str]:
    for name, member in shape.members.items():
        if "location" in member.serialization:
            continue
        given = value.get(member.serialization.get("name", name))
        here = [*path, name[0].lower() + name[1:]]
        if given is not None:
            yield from _check(given, member, here)
        elif name in shape.required_members:
            yield ".".join(here)


def _missing(names: list[str]) -> _RefusedError:
    told = "; ".join(f"Value null at '{name}' failed to satisfy constraint: Member must not be null" for name in names)
    errors = "validation error" if len(names) == 1 else "validation errors"
    return _RefusedError("ValidationException", f"{len(names)} {errors} detected: {told}")


def _answer(protocol: str, model: ServiceModel, refused: _RefusedError) -> Response:
    if protocol not in ("query", "rest-json", "rest-xml"):
        return json_rpc_error(refused.code, refused.message, refused.status)
    if protocol == "rest-json":
        return rest_error(refused.code, refused.message, refused.status)
    if protocol == "rest-xml":
        return s3_error(refused.code, refused.message, refused.status)
    return query_error(refused.code, refused.message, refused.status, model.metadata["xmlNamespace"])
