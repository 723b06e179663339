"""Runs as one SVG file that needs nothing else: validation accuracy in the order of the runs, and by hyperparameter."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sentictl.assets.atomic import write_atomically
from sentictl.assets.installed import templates
from sentictl.errors import FileError, MissingStepError
from sentictl.services.evaluate.metrics import Interval
from sentictl.services.evaluate.report import Axis
from sentictl.services.evaluate.runs import Run, Runs

COLUMNS = 2  # of panels
WIDTH, HEIGHT = 400, 280  # of a panel
PLOT = (64.0, 376.0, 34.0, 240.0)  # left, right, top and bottom of the plot in it
BETWEEN_LABELS = 0.15  # of the axis of a hyperparameter, at least
STEPS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2)  # between two lines of accuracy
MOST_LINES = 6
WIDE = 20.0  # what is spread by more than this factor is drawn on a logarithmic scale


@dataclass(frozen=True)
class Dot:
    """A run in a panel.

    Args:
        at: its place across.
        accuracy: its validation accuracy.
        interval: the 95 % confidence interval of that.
        kind: "trial", "version", or "best" of all.
        title: what is told of it under the pointer.
    """

    at: float
    accuracy: float
    interval: Interval | None
    kind: str
    title: str


@dataclass(frozen=True)
class Panel:
    """Runs by one thing: their order, or a hyperparameter.

    Args:
        title: what that is.
        left: where the panel is in the drawing,
        top: from its upper left corner.
        x: where values lie across.
        y: where accuracies lie.
        rows: accuracies with a line, and what is written beside each.
        columns: values across, and what is written below each.
        dots: the runs.
    """

    title: str
    left: int
    top: int
    x: Axis
    y: Axis
    rows: Sequence[tuple[float, str]]
    columns: Sequence[tuple[float, str]]
    dots: Sequence[Dot]


def draw(runs: Runs, path: Path) -> None:
    """Write the drawing of all runs that have an accuracy.

    Raises:
        MissingStepError: there is none.
        FileError: the file cannot be written.
    """
    try:
        write_atomically(path, render(runs))
    except OSError as problem:
        raise FileError(
            f"{path} cannot be written: {problem.strerror}.", "Give another file: sentictl runs --plot FILE.svg"
        ) from None


def render(runs: Runs) -> bytes:
    """Return the drawing as UTF-8 SVG: the same runs give the same bytes."""
    measured = [run for run in runs.by("started").runs if run.validation_accuracy is not None]
    if not measured:
        raise MissingStepError("There is no run with a validation accuracy yet.", "Train one: sentictl train")
    tuned = [name for name in runs.differing if sum(name in run.settings for run in measured) > 1]
    panels = [_panel(name, place, measured) for place, name in enumerate(["", *tuned])]
    environment = Environment(
        loader=FileSystemLoader(templates() / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    lines = -(-len(panels) // COLUMNS)
    svg = environment.get_template("runs.svg").render(
        panels=panels, count=len(measured), width=WIDTH * min(COLUMNS, len(panels)), height=HEIGHT * lines
    )
    return svg.encode()


def _panel(name: str, place: int, runs: Sequence[Run]) -> Panel:
    """Draw runs by a hyperparameter; without a name in their order."""
    shown = [run for run in runs if not name or name in run.settings]
    values = [run.settings[name] for run in shown] if name else list(range(1, len(shown) + 1))
    places, columns = _across(values)
    best = max(runs, key=lambda run: run.validation_accuracy or 0.0)
    left, right, top, bottom = PLOT
    y, rows = _accuracies(runs, bottom, top)
    return Panel(
        title=name or "in order",
        left=WIDTH * (place % COLUMNS),
        top=HEIGHT * (place // COLUMNS),
        x=_axis(places, left, right),
        y=y,
        rows=rows,
        columns=columns,
        dots=[_dot(run, at, best) for run, at in zip(shown, places, strict=True)],
    )


def _dot(run: Run, at: float, best: Run) -> Dot:
    kind = "best" if run is best else "trial" if run.number is None else "version"
    accuracy = run.validation_accuracy or 0.0
    return Dot(at, accuracy, run.interval, kind, f"{run.name}: {100 * accuracy:.1f} %")


def _across(values: Sequence[Any]) -> tuple[list[float], list[tuple[float, str]]]:
    """Return where values lie across, and which of these places have a label."""
    if not all(isinstance(value, int | float) and not isinstance(value, bool) for value in values):
        names = sorted({str(value) for value in values})
        return [float(names.index(str(value))) for value in values], list(enumerate(map(_short, names)))
    logarithmic = min(values) > 0 and max(values) / min(values) > WIDE
    places = [math.log10(value) if logarithmic else float(value) for value in values]
    labels: list[tuple[float, str]] = []
    for at, value in sorted(zip(places, values, strict=True)):
        if not labels or at - labels[-1][0] >= BETWEEN_LABELS * (max(places) - min(places)) > 0:
            labels.append((at, _short(value)))
    return places, labels


def _axis(places: Sequence[float], start: float, end: float) -> Axis:
    low, high = min(places), max(places)
    return Axis(low, high, start, end) if low < high else Axis(low - 1, high + 1, start, end)


def _accuracies(runs: Sequence[Run], start: float, end: float) -> tuple[Axis, list[tuple[float, str]]]:
    """Return the axis that all accuracies fit on, and its lines."""
    accuracies = [run.validation_accuracy or 0.0 for run in runs]
    spread = max(accuracies) - min(accuracies)
    step = next((step for step in STEPS if spread / step < MOST_LINES - 1), STEPS[-1])
    last = math.ceil(max(accuracies) / step - 1e-9)
    first = min(math.floor(min(accuracies) / step), last - 1)
    lines = [round(number * step, 4) for number in range(first, last + 1)]
    return Axis(lines[0], lines[-1], start, end), [(value, f"{100 * value:.1f} %") for value in lines]


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
