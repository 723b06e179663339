"""One request that two emulators answered, and how their answers differ, read as boto3 reads them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

import botocore.session
from botocore.model import ServiceModel
from botocore.parsers import ResponseParserError, create_parser

from sentictl.twin.control_plane.control_plane import name_call
from sentictl.twin.core.messages import Request
from tests.emulators.emulator import Asked, Reply

NOT_BUILT = 501
SIGNED_AS = {"monitoring": "cloudwatch", "tagging": "resourcegroupstaggingapi", "servicequotas": "service-quotas"}
# What an account, a moment or an address has of its own: it is there or it is not, and its value is not compared.
OWN = re.compile(
    r".*(Id|ID|id|Date|Time|Modified|Arn|ARN|arn|Location|ETag|Token|Sha256|DisplayName|Body|Policy|PolicyDocument|"
    r"Statement|Size|Length|storedBytes)"
)


@dataclass(frozen=True)
class Exchange:
    """A request and its answers.

    Args:
        asked: the request, as the first of the two got it.
        ours: the twin's answer.
        theirs: the other emulator's.
    """

    asked: Asked
    ours: Reply
    theirs: Reply

    @property
    def service(self) -> str:
        return SIGNED_AS.get(self.asked.service, self.asked.service)

    @cached_property
    def operation(self) -> str:
        """AWS's name of what was asked."""
        path, _, query = self.asked.target.partition("?")
        request = Request.make(self.asked.method, path, query, dict(self.asked.headers), self.asked.body)
        return name_call(request, 0).operation or f"{self.asked.method} {path}"

    @property
    def lacks(self) -> bool:
        """Whether the other emulator says that it does not have this call."""
        return self.theirs.status == NOT_BUILT

    def differences(self) -> list[str]:
        """Return how their answer differs from ours: in its outcome, in its fields, or in a field's value."""
        ours, theirs = (_outcome(self.service, self.operation, reply) for reply in (self.ours, self.theirs))
        if ours.result != theirs.result:
            return [f"{ours.result} / {theirs.result}"]
        return sorted(set(_apart(ours.fields, theirs.fields)))


@dataclass(frozen=True)
class _Outcome:
    result: str
    fields: Any


def _outcome(service: str, operation: str, reply: Reply) -> _Outcome:
    """Return what an answer says: "200" and its fields, or a status with an error's code."""
    model = _model(service)
    if model is None or operation not in model.operation_names:
        return _Outcome(str(reply.status), {})
    answers = model.operation_model(operation)
    body = b"" if reply.ok and answers.has_streaming_output else reply.body
    answer = {"status_code": reply.status, "headers": _Headers(reply.headers), "body": body}
    try:
        parsed = create_parser(model.resolved_protocol).parse(answer, answers.output_shape)
    except ResponseParserError as problem:
        return _Outcome(f"{reply.status}, which boto3 cannot read ({type(problem).__name__})", {})
    metadata = parsed.pop("ResponseMetadata", {})
    if reply.ok:
        return _Outcome("200", parsed)
    code = parsed.get("Error", {}).get("Code", "")
    return _Outcome(f"{metadata.get('HTTPStatusCode', reply.status)} {code}".strip(), {})


class _Headers(dict[str, str]):
    """Headers by their names in small letters, as botocore's parsers look them up."""

    def __init__(self, headers: Any) -> None:
        super().__init__({name.lower(): value for name, value in headers.items()})

    def get(self, name: str, default: Any = None) -> Any:
        return super().get(name.lower(), default)

    def __getitem__(self, name: str) -> str:
        return super().__getitem__(name.lower())

    def __contains__(self, name: object) -> bool:
        return super().__contains__(str(name).lower())


def _apart(ours: Any, theirs: Any, name: str = "", where: str = "") -> Iterator[str]:
    """Yield where two values of one field differ."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key in sorted(ours.keys() | theirs.keys(), key=str):
            yield from _in_field(ours.get(key), theirs.get(key), str(key), f"{where}.{key}" if where else str(key))
    elif isinstance(ours, list) and isinstance(theirs, list):
        if len(ours) != len(theirs):
            yield f"{where}: {len(ours)} / {len(theirs)}"
        for one, other in zip(sorted(ours, key=_name), sorted(theirs, key=_name), strict=False):
            yield from _apart(one, other, name, f"{where}[]")
    elif not OWN.fullmatch(name) and ours != theirs:
        yield f"{where}: {_shown(ours)} / {_shown(theirs)}"


def _in_field(ours: Any, theirs: Any, name: str, where: str) -> Iterator[str]:
    if _absent(ours) or _absent(theirs):
        if not (_absent(ours) and _absent(theirs)):
            yield f"{where}: only {'theirs' if _absent(ours) else 'ours'}"
    else:
        yield from _apart(ours, theirs, name, where)


def _name(item: Any) -> str:
    """What an entry of a list is known by, where emulators have them in orders of their own."""
    return str(item.get("responseType", "")) if isinstance(item, dict) else ""


def _absent(value: Any) -> bool:
    return value is None or value in ({}, [], "")


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:59]}…"


@cache
def _model(service: str) -> ServiceModel | None:
    session = botocore.session.Session()
    return session.get_service_model(service) if service in session.get_available_services() else None
