"""Plans as people and programs read them: what a command would do, and what fields differ."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sentictl.cli.view.lines import hanging, paragraphs, unbroken
from sentictl.cli.view.output import Output
from sentictl.config.environments import env_option

if TYPE_CHECKING:
    from rich.text import Text

    from sentictl.api.results import Plan
    from sentictl.lifecycle.reconcile import Step

# By action: its mark and color.
MARKS = {
    "create": ("+", "green"),
    "update": ("~", "yellow"),
    "replace": ("±", "yellow"),
    "delete": ("-", "red"),
    "keep": ("=", "dim"),
}
SHOWN = 30  # characters of a value; two of them and a field's name fit a line
KIND_WIDTH = 18


def show_plan(output: Output, planned: "Plan") -> None:
    """Show steps with what they change, cost and need."""
    if output.json:
        output.result(planned.document())
        return
    for line in _lines(planned.steps, output.width):
        output.print(line)
    where = env_option(planned.environment, default="local")
    policy = unbroken(f"sentictl doctor --policy{where}")
    permissions = f"{len(planned.permissions)}; what allows them: {policy}"
    tuning = [("Tuning:", str(planned.tuning))] if planned.tuning else []
    training = [("Training:", planned.costs.training)] if planned.trains else []
    batch = [("Batch:", str(planned.batch))] if planned.batch else []
    preparing = [("Preparing:", str(planned.preparation))] if planned.preparation else []
    retraining = [("Schedule:", str(planned.retraining))] if planned.retraining else []
    jobs = [*preparing, *training, *tuning, *batch, *retraining]
    rows = [("Cost:", str(planned.costs)), *jobs, ("Permissions:", permissions)]
    output.result(None, "\n" + paragraphs(rows, output.width))


def difference_lines(changes: Mapping[str, tuple[Any, Any]]) -> Iterator[str]:
    """One line for each value that differs: what it is, and what it should be."""
    for field, (was, becomes) in changes.items():
        yield from _difference(field, was, becomes)


def _lines(steps: "Sequence[Step]", width: int) -> "Iterator[Text]":
    """The steps that do something, by the part of the chain that they belong to, and how many there are of each."""
    from rich.text import Text

    from sentictl.api.stack import command_of

    part = ""
    for step in steps:
        if step.action == "keep":
            continue
        if command_of(step.kind) != part:
            part = command_of(step.kind)
            yield Text(part, "bold")
        mark, color = MARKS[step.action]
        line = Text(hanging(f"  {mark} {step.action:<8} ", f"{step.kind:<{KIND_WIDTH}} {step.name}", width))
        line.stylize(color, 2, 3 + len(mark) + len(step.action))
        yield line
        for difference in difference_lines(step.changes):
            yield Text(hanging(" " * 13, difference, width))
    counts = Counter(str(step.action) for step in steps)
    yield Text(" · ".join(f"{counts[action]} to {action}" for action in MARKS if counts[action]) or "Nothing to do.")


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
