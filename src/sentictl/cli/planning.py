"""Plans as people and programs read them: what a command would do, and what fields differ."""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from sentictl.cli.invocation import Invocation
from sentictl.cli.output import Output
from sentictl.cli.progress import Progress
from sentictl.cli.session import rehearsing
from sentictl.lifecycle.reconcile import Action, Step
from sentictl.lifecycle.resource import Context
from sentictl.services.permissions import needed
from sentictl.services.pricing import estimate
from sentictl.stack import plan

MARKS = {Action.CREATE: "+", Action.UPDATE: "~", Action.REPLACE: "±", Action.DELETE: "-", Action.KEEP: "="}
SHOWN = 30  # characters of a value; two of them and a field's name fit a line


def show_plan(
    invocation: Invocation,
    commands: Sequence[str],
    flags: Mapping[str, Any] | None = None,
    check: Callable[[Context, Progress], object] | None = None,
    *,
    adopt: bool = False,
) -> bool:
    """Show what these commands would do with these settings. Changes nothing, on AWS or here.

    Returns:
        Whether there is anything to do.
    """
    with rehearsing(invocation, flags, check) as (context, _):
        steps = plan(context, commands, adopt=adopt)
        show_steps(invocation.output, context, steps)
    return any(step.action is not Action.KEEP for step in steps)


def show_steps(output: Output, context: Context, steps: Sequence[Step]) -> None:
    """Show steps with what they change, cost and need."""
    costs, permissions = estimate(context, _standing(context, steps)), needed(steps)
    document = {
        "environment": context.environment.name,
        "steps": [
            {"action": step.action, "kind": step.kind, "name": step.name, "changes": step.changes} for step in steps
        ],
        **costs.document(),
        "permissions": permissions,
    }
    lines = [*_lines(steps), "", f"Cost: {costs}"]
    output.result(document, "\n".join([*lines, f"Permissions: {len(permissions)}; sentictl doctor --policy"]))


def difference_lines(changes: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """One line for each value that differs: what it is, and what it should be."""
    for field, (was, becomes) in changes.items():
        yield from _difference(field, was, becomes)


def _standing(context: Context, steps: Sequence[Step]) -> set[str]:
    """The kinds of what there will be."""
    deleted = {step.kind for step in steps if step.action is Action.DELETE}
    kept = {step.kind for step in steps if step.action is not Action.DELETE}
    return ({record.kind for record in context.state} - deleted) | kept


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
