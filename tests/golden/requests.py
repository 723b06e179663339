"""Requests to AWS as they are made, and their answers: recorded in boto3, checked against botocore's service models."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

import boto3
import pytest
from botocore.validate import ParamValidator

regex: Any = import_module("regex")  # understands the \p{…} of the models' patterns; it has no types

# How Java, whose patterns these are, writes the characters beyond the first 65,536.
SURROGATES = r"\uD800\uDC00-\uDBFF\uDFFF"
NUMBERS = ("integer", "long", "float", "double")


@dataclass(frozen=True)
class Request:
    """One call of a boto3 method.

    Args:
        service: the service as boto3 calls it, such as "sagemaker".
        operation: AWS's name of the operation, such as "CreateModel".
        parameters: what was asked for.
        model: botocore's model of the operation.
        answer: what came back, as botocore reads it: with `Error` where it was refused, and empty where nothing came.
    """

    service: str
    operation: str
    parameters: Mapping[str, Any]
    model: Any = field(repr=False)
    answer: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)

    @property
    def reads(self) -> bool:
        """Whether it only asks."""
        return bool(re.match("Describe|Get|Head|List|Filter", self.operation))


def record(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """A list to which every request of boto3 sessions made from now on is added."""
    requests: list[Request] = []
    make = boto3.Session

    def note(params: Mapping[str, Any], model: Any, context: dict[str, Any], **_: Any) -> None:
        context["recorded"] = Request(model.service_model.service_name, model.name, _copy(params), model)
        requests.append(context["recorded"])

    def note_answer(parsed_response: Mapping[str, Any] | None, context: dict[str, Any], **_: Any) -> None:
        if "recorded" in context:
            context["recorded"].answer.clear()  # of an earlier attempt
            context["recorded"].answer.update(_copy(parsed_response or {}))

    def recording(*arguments: Any, **named: Any) -> Any:
        session = make(*arguments, **named)
        session.events.register("provide-client-params", note)
        session.events.register("response-received", note_answer)
        return session

    monkeypatch.setattr(boto3, "Session", recording)
    return requests


def complaints(request: Request) -> list[str]:
    """What AWS would refuse a request for, by the service's model: members, types, enums, patterns, lengths, ranges."""
    shape = request.model.input_shape
    if shape is None:
        return ["takes no parameters"] if request.parameters else []
    return _complaints(shape, request.parameters, request.operation)


def complaints_of_answer(request: Request) -> list[str]:
    """What AWS would not have answered a request with, by the service's model. Of refusals the model says little."""
    shape = request.model.output_shape
    if shape is None or not request.answer or "Error" in request.answer:
        return []
    answer = {name: member for name, member in request.answer.items() if name != "ResponseMetadata"}
    return _complaints(shape, answer, f"the answer to {request.operation}")


def _complaints(shape: Any, value: Any, where: str) -> list[str]:
    report = ParamValidator().validate(value, shape)
    if report.has_errors():
        return [f"{where}: {line}" for line in report.generate_report().splitlines()]
    return list(_broken(shape, value, where))


def _broken(shape: Any, value: Any, where: str) -> Iterator[str]:
    """What botocore's own validator leaves to the service."""
    yield from _broken_itself(shape, value, where)
    for part, member, place in _parts(shape, value, where):
        yield from _broken(part, member, place)


def _broken_itself(shape: Any, value: Any, where: str) -> Iterator[str]:
    kind, most, pattern = shape.type_name, shape.metadata.get("max"), shape.metadata.get("pattern")
    size = len(value) if kind in ("list", "map", "string") else value if kind in NUMBERS else 0
    if most is not None and size > float(most):
        yield f"{where} is {size}, more than {most}"
    if kind == "string" and shape.enum and value not in shape.enum:
        yield f"{where} is {value}, not one of {', '.join(shape.enum)}"
    if (
        kind == "string"
        and pattern
        and not regex.fullmatch(pattern.replace(SURROGATES, r"\U00010000-\U0010FFFF"), value)
    ):
        yield f"{where} is {value}, which does not match {pattern}"


def _parts(shape: Any, value: Any, where: str) -> list[tuple[Any, Any, str]]:
    """What a value consists of: shapes, values, and where they are."""
    match shape.type_name:
        case "structure":
            return [(shape.members[name], member, f"{where}.{name}") for name, member in value.items()]
        case "list":
            return [(shape.member, member, f"{where}[{number}]") for number, member in enumerate(value)]
        case "map":
            keys = [(shape.key, key, f"{where} key") for key in value]
            return keys + [(shape.value, member, f"{where}[{key}]") for key, member in value.items()]
    return []


def _copy(value: Any) -> Any:
    """As it is now; files stay themselves."""
    if isinstance(value, Mapping):
        return {key: _copy(member) for key, member in value.items()}
    return [_copy(member) for member in value] if isinstance(value, list | tuple) else value
