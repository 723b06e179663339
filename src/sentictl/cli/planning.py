"""Plans as people and programs read them: what a command would do, and what fields differ."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sentictl.cli.output import Output
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.results import Plan

MARKS = {Action.CREATE: "+", Action.UPDATE: "~", Action.REPLACE: "±", Action.DELETE: "-", Action.KEEP: "="}
SHOWN = 30  # characters of a value; two of them and a field's name fit a line


def show_plan(output: Output, planned: Plan) -> None:
    """Show steps with what they change, cost and need."""
    lines = [*_lines(planned.steps), "", f"Cost: {planned.costs}"]
    permissions = f"Permissions: {len(planned.permissions)}; sentictl doctor --policy"
    output.result(planned.document(), "\n".join([*lines, permissions]))


def difference_lines(changes: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """One line for each value that differs: what it is, and what it should be."""
    for field, (was, becomes) in changes.items():
        yield from _difference(field, was, becomes)


def _lines(steps: Sequence[Step]) -> Iterator[str]:
    for step in steps:
        if step.action is not Action.KEEP:
            yield f"  {MARKS[step.action]} {step.action:<8} {step.kind:<18} {step.name}"
            yield from (f"      {line}" for line in difference_lines(step.changes))
    counts = Counter(step.action for step in steps)
    yield " · ".join(f"{counts[action]} to {action}" for action in Action if counts[action])


def _difference(field: str, was: Any, becomes: Any) -> Iterator[str]:
    if isinstance(was, Mapping) and isinstance(becomes, Mapping):
        for key in [*was, *(key for key in becomes if key not in was)]:
            if was.get(key) != becomes.get(key):
                yield from _difference(f"{field}.{key}", was.get(key), becomes.get(key))
    else:
        yield f"{field}: {_short(was)} → {_short(becomes)}"


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value, default=str)
    return text if len(text) <= SHOWN else text[: SHOWN - 1] + "…"
