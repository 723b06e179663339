"""What a state reads: JSONPath and intrinsic functions, as far as the Amazon States Language has them here.

Paths as https://states-language.net gives them (reference and JSONPath): names, places in lists, and lists of the
members that have a value. Functions: States.Format, States.StringToJson, States.StringSplit and States.ArrayGetItem.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

STEP = re.compile(
    r"\.(?P<name>\w+)|\[(?P<place>\d+)\]|\[\?\(@\.(?P<member>\w+)\s*==\s*'(?P<value>[^']*)'\)\]", re.ASCII
)
CALL = re.compile(r"States\.(?P<function>\w+)\((?P<arguments>.*)\)", re.DOTALL)
NUMBER = re.compile(r"-?\d+")
# Commas that part arguments: those outside of quotes and of the parentheses of functions and filters.
ARGUMENT = re.compile(r"\s*((?:'(?:\\.|[^'\\])*'|\((?:[^()']|'[^']*')*\)|[^,()'])+)\s*(?:,|$)", re.DOTALL)


class PathError(ValueError):
    """A path leads nowhere, or is none that is known here."""


def read(expression: str, data: Any, about: Mapping[str, Any]) -> Any:
    """Return what an expression stands for.

    Args:
        expression: a path, such as "$.job.Status" or "$$.Execution.Name", or a call of an intrinsic function.
        data: the state's input, which `$` is.
        about: the context object, which `$$` is.

    Raises:
        PathError: it leads nowhere, or is none.
    """
    if called := CALL.fullmatch(expression.strip()):
        return _call(called["function"], called["arguments"], data, about)
    begin, rest = (about, expression[2:]) if expression.startswith("$$") else (data, expression[1:])
    if not expression.startswith("$"):
        raise PathError(f"{expression} is no path")
    return _follow(expression, rest, begin)


def is_there(path: str, data: Any, about: Mapping[str, Any]) -> bool:
    """Tell whether a path leads to something."""
    try:
        read(path, data, about)
    except PathError:
        return False
    return True


def filled(template: Any, data: Any, about: Mapping[str, Any]) -> Any:
    """Return a payload template with the members whose names end with `.$` replaced by what they stand for."""
    if isinstance(template, list):
        return [filled(each, data, about) for each in template]
    if not isinstance(template, dict):
        return template
    return {
        name.removesuffix(".$"): read(value, data, about) if name.endswith(".$") else filled(value, data, about)
        for name, value in template.items()
    }


def put(result: Any, path: str | None, data: Any) -> Any:
    """Return a state's input with its result where ResultPath says: None leaves it, `$` replaces it."""
    if path is None:
        return data
    names = path.removeprefix("$").removeprefix(".").split(".") if path != "$" else []
    return _placed(result, names, data)


def check(expression: str) -> None:
    """Look whether an expression is of a form that is known here.

    Raises:
        PathError: it is not.
    """
    if called := CALL.fullmatch(expression.strip()):
        if called["function"] not in FUNCTIONS:
            raise PathError(f"the local twin does not know the function States.{called['function']}")
        for argument in _arguments(called["arguments"]):
            if not (argument.startswith("'") or NUMBER.fullmatch(argument)):
                check(argument)
        return
    if not expression.startswith("$") or STEP.sub("", expression.lstrip("$")):
        raise PathError(f"{expression} is no path that the local twin knows")


def _placed(result: Any, names: list[str], data: Any) -> Any:
    if not names:
        return result
    members = data if isinstance(data, dict) else {}
    return {**members, names[0]: _placed(result, names[1:], members.get(names[0]))}


def _follow(expression: str, rest: str, value: Any) -> Any:
    end = 0
    for step in STEP.finditer(rest):
        if step.start() != end:
            break
        value, end = _step(expression, step, value), step.end()
    if end != len(rest):
        raise PathError(f"{expression} is no path that the local twin knows")
    return value


def _step(expression: str, step: re.Match[str], value: Any) -> Any:
    try:
        if step["member"]:
            return [each for each in value if each.get(step["member"]) == step["value"]]
        if step["place"]:
            return value[int(step["place"])]
        if isinstance(value, list):  # of what a filter found
            return [each[step["name"]] for each in value]
        return value[step["name"]]
    except (KeyError, IndexError, TypeError, AttributeError):
        raise PathError(f"The JSONPath '{expression}' could not be found in the input") from None


def _call(function: str, arguments: str, data: Any, about: Mapping[str, Any]) -> Any:
    if function not in FUNCTIONS:
        raise PathError(f"the local twin does not know the function States.{function}")
    try:
        return FUNCTIONS[function](*[_value(each, data, about) for each in _arguments(arguments)])
    except PathError:
        raise
    except (ValueError, TypeError, IndexError) as problem:
        raise PathError(f"States.{function}({arguments}): {problem}") from problem


def _arguments(text: str) -> Iterator[str]:
    return (found[1].strip() for found in ARGUMENT.finditer(text))


def _value(argument: str, data: Any, about: Mapping[str, Any]) -> Any:
    if argument.startswith("'"):
        return re.sub(r"\\(.)", r"\1", argument[1:-1])
    return int(argument) if NUMBER.fullmatch(argument) else read(argument, data, about)


def _format(template: str, *values: Any) -> str:
    parts = template.split("{}")
    if len(parts) != len(values) + 1:
        raise ValueError("as many values as places")
    told = [value if isinstance(value, str) else json.dumps(value) for value in values]
    return "".join(part + value for part, value in zip(parts, [*told, ""], strict=True))


def _item(values: Any, place: int) -> Any:
    return values[place]


def _split(text: str, parting: str) -> list[str]:
    """Split a text at each of some characters."""
    return [part for part in re.split(f"[{re.escape(parting)}]", text) if part]


FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "Format": _format,
    "StringToJson": json.loads,
    "StringSplit": _split,
    "ArrayGetItem": _item,
}
