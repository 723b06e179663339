"""The rules of Choice states: comparisons of a value, and what joins them."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from sentictl.twin.stepfunctions import paths

JOINED = ("And", "Or")


def _matches(value: Any, pattern: str) -> bool:
    """`*` stands for any characters."""
    return isinstance(value, str) and bool(
        re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), value, re.DOTALL)
    )


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


COMPARISONS: Mapping[str, Callable[[Any, Any], bool]] = {
    "StringEquals": lambda value, wanted: isinstance(value, str) and value == wanted,
    "StringEqualsPath": lambda value, wanted: isinstance(value, str) and value == wanted,
    "StringMatches": _matches,
    "NumericGreaterThanEquals": lambda value, wanted: _is_number(value) and value >= wanted,
    "IsPresent": lambda value, wanted: bool(value) is wanted,  # what is given is whether it is there
}


def holds(rule: Mapping[str, Any], data: Any, about: Mapping[str, Any]) -> bool:
    """Tell whether a rule of a Choice state holds.

    Args:
        rule: as the definition has it.
        data: the state's input.
        about: the context object.

    Raises:
        PathError: a path leads nowhere.
    """
    if "And" in rule:
        return all(holds(each, data, about) for each in rule["And"])
    if "Or" in rule:
        return any(holds(each, data, about) for each in rule["Or"])
    comparison = next(name for name in COMPARISONS if name in rule)
    if comparison == "IsPresent":
        value: Any = paths.is_there(rule["Variable"], data, about)
    else:
        value = paths.read(rule["Variable"], data, about)
    wanted = rule[comparison]
    return COMPARISONS[comparison](value, paths.read(wanted, data, about) if comparison.endswith("Path") else wanted)
