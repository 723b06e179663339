"""Definitions of state machines: what CreateStateMachine refuses, and what the twin cannot run.

The rules are those of the Amazon States Language, https://states-language.net/spec.html.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sentictl.twin.stepfunctions import paths
from sentictl.twin.stepfunctions.choices import COMPARISONS, JOINED
from sentictl.twin.stepfunctions.tasks import TASKS

COMMON = {"Type", "Comment", "Next", "End"}
PAYLOADS = ("Parameters", "ResultSelector")
RESULT = {"Parameters", "ResultSelector", "ResultPath"}
# The fields that a state of each type has here.
FIELDS: Mapping[str, set[str]] = {
    "Task": COMMON | RESULT | {"Resource", "Retry", "Catch"},
    "Pass": COMMON | {"Parameters", "ResultPath", "Result"},
    "Wait": COMMON | {"Seconds"},
    "Choice": {"Type", "Comment", "Choices", "Default"},
    "Succeed": {"Type", "Comment"},
    "Fail": {"Type", "Comment", "Error", "Cause", "ErrorPath", "CausePath"},
}
GOING_ON = ("Task", "Pass", "Wait")
TOP = {"Comment", "StartAt", "States", "TimeoutSeconds"}
LONGEST = 1024 * 1024  # bytes of a definition, as botocore has it


class DefinitionError(ValueError):
    """AWS refuses the definition, or the twin cannot run it."""


def parsed(text: str) -> dict[str, Any]:
    """Read a definition.

    Raises:
        DefinitionError: it is none.
    """
    try:
        definition = json.loads(text)
    except ValueError as problem:
        raise DefinitionError(f"INVALID_JSON_DESCRIPTION: {problem}") from problem
    if not isinstance(definition, dict) or not isinstance(definition.get("States"), dict):
        raise DefinitionError("SCHEMA_VALIDATION_FAILED: The field 'States' is required at /")
    states = definition["States"]
    _known_fields("/", definition, TOP)
    if definition.get("StartAt") not in states:
        raise DefinitionError(f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {definition.get('StartAt')}")
    for name, state in states.items():
        _check_state(f"/States/{name}", state)
        for target in _targets(state):
            if target not in states:
                raise DefinitionError(f"MISSING_TRANSITION_TARGET: Missing 'Next' target: {target} at /States/{name}")
    for name in states.keys() - _reached(definition):
        raise DefinitionError(f'MISSING_TRANSITION_TARGET: State "{name}" is not reachable. at /States/{name}')
    return definition


def _check_state(place: str, state: Mapping[str, Any]) -> None:
    kind = state.get("Type", "")
    if kind not in FIELDS:
        raise DefinitionError(f"the local twin does not know states of the type {kind} at {place}")
    _known_fields(place, state, FIELDS[kind])
    if kind in GOING_ON and ("Next" in state) == bool(state.get("End")):
        raise DefinitionError(f"SCHEMA_VALIDATION_FAILED: One of 'Next' and 'End' is required at {place}")
    checks: Mapping[str, Callable[[str, Mapping[str, Any]], None]] = {
        "Task": _check_task,
        "Choice": _check_choice,
        "Wait": _check_wait,
    }
    if kind in checks:
        checks[kind](place, state)
    for expression in _expressions(state):
        try:
            paths.check(expression)
        except paths.PathError as problem:
            raise DefinitionError(f"SCHEMA_VALIDATION_FAILED: {problem} at {place}") from problem


def _check_task(place: str, state: Mapping[str, Any]) -> None:
    if state.get("Resource") not in TASKS:
        raise DefinitionError(f"the local twin does not know the resource {state.get('Resource')} at {place}")
    for catcher in (*state.get("Catch", ()), *state.get("Retry", ())):
        if not catcher.get("ErrorEquals"):
            raise DefinitionError(f"SCHEMA_VALIDATION_FAILED: The field 'ErrorEquals' is required at {place}")


def _check_choice(place: str, state: Mapping[str, Any]) -> None:
    if not state.get("Choices"):
        raise DefinitionError(f"SCHEMA_VALIDATION_FAILED: The field 'Choices' is required at {place}")
    for rule in state["Choices"]:
        if "Next" not in rule:
            raise DefinitionError(f"SCHEMA_VALIDATION_FAILED: The field 'Next' is required at {place}/Choices")
        _check_rule(place, rule)


def _check_rule(place: str, rule: Mapping[str, Any]) -> None:
    joined = [name for name in JOINED if name in rule]
    for each in (each for name in joined for each in rule[name]):
        _check_rule(place, each)
    compared = [name for name in COMPARISONS if name in rule]
    known = {"Variable", "Next", "Comment", *joined, *compared}
    if len(joined) + len(compared) != 1 or rule.keys() - known or (compared and "Variable" not in rule):
        raise DefinitionError(f"the local twin does not know this rule at {place}: {json.dumps(rule)}")


def _check_wait(place: str, state: Mapping[str, Any]) -> None:
    if not isinstance(state.get("Seconds"), int):
        raise DefinitionError(f"SCHEMA_VALIDATION_FAILED: The field 'Seconds' is required at {place}")


def _known_fields(place: str, found: Mapping[str, Any], known: set[str]) -> None:
    if unknown := sorted(found.keys() - known):
        raise DefinitionError(f"SCHEMA_VALIDATION_FAILED: The field '{unknown[0]}' is not supported at {place}")


def _targets(state: Mapping[str, Any]) -> Iterator[str]:
    yield from (state[name] for name in ("Next", "Default") if name in state)
    yield from (each["Next"] for each in (*state.get("Choices", ()), *state.get("Catch", ())))


def _reached(definition: Mapping[str, Any]) -> set[str]:
    reached, ahead = set[str](), [definition["StartAt"]]
    while ahead:
        name = ahead.pop()
        if name not in reached:
            reached.add(name)
            ahead += _targets(definition["States"][name])
    return reached


def _expressions(found: Any, *, payload: bool = False) -> Iterator[str]:
    """Yield all paths and calls of functions that a state has; in a payload, only those of members that end with .$."""
    if isinstance(found, list):
        for each in found:
            yield from _expressions(each, payload=payload)
    elif isinstance(found, dict):
        for name, value in found.items():
            if name.endswith(".$") or (not payload and (name == "Variable" or name.endswith("Path"))):
                yield from [value] if value is not None else []
            elif name != "Result":
                yield from _expressions(value, payload=payload or name in PAYLOADS)
