"""An evaluation as one HTML file that needs nothing else: its charts are drawn from the figures as inline SVG.

Reviews are strangers' words: the template escapes them, and the page's Content-Security-Policy forbids all scripts.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from sentictl import __version__
from sentictl.services.evaluate.comparison import Comparison
from sentictl.services.evaluate.evaluation import Evaluation
from sentictl.services.evaluate.metrics import Interval, axis_start

NO_BREAK = "\u00a0"
PLOT = (44.0, 328.0, 26.0, 256.0)  # left, right, top and bottom of a plot in its drawing of 344 by 300


@dataclass(frozen=True)
class Axis:
    """Where the values of one axis lie in a drawing.

    Args:
        low: the value at `start`.
        high: the value at `end`.
        start: a coordinate,
        end: and another, in any unit.
    """

    low: float
    high: float
    start: float
    end: float

    def at(self, value: float) -> float:
        """The coordinate of a value; of one outside, that of the nearer end."""
        part = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return round(self.start + part * (self.end - self.start), 2)

    @property
    def ticks(self) -> list[float]:
        """Round values to write along the axis, the highest first."""
        step = 0.1 if self.high - self.low <= 0.5 + 1e-9 else 0.2
        return [round(self.high - number * step, 2) for number in range(int((self.high - self.low) / step + 1e-9) + 1)]


def render(evaluation: Evaluation, comparison: Comparison | None, templates: Path) -> bytes:
    """The report as UTF-8 HTML: the same evaluation gives the same bytes.

    Args:
        evaluation: of the model that the report is about.
        comparison: with another model, if there is one.
        templates: the folder that has `report/evaluation.html` and `report/report.css`.
    """
    environment = Environment(
        loader=FileSystemLoader(templates / "report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["percent"] = _percent
    html = environment.get_template("evaluation.html").render(
        evaluation=evaluation,
        comparison=comparison,
        version=__version__,
        percent_axis=_percent_axis,
        lengths=[(group.name, group.accuracy, group.interval, group.reviews) for group in evaluation.lengths],
        parts=_parts(evaluation),
        roc=_roc(evaluation),
        reliability=_reliability(evaluation),
    )
    return html.encode()


def _parts(evaluation: Evaluation) -> list[tuple[str, float, Interval, None]]:
    alone = [(f"{part.name} alone", part.accuracy, part.interval, None) for part in evaluation.parts]
    return [*alone, ("together", evaluation.accuracy, evaluation.interval, None)]


def _roc(evaluation: Evaluation) -> dict[str, Any]:
    x, y = _axes(0.0)
    points = " ".join(f"{x.at(false)},{y.at(true)}" for false, true in evaluation.roc_curve)
    return {"x": x, "y": y, "points": points}


def _reliability(evaluation: Evaluation) -> dict[str, Any]:
    bins = evaluation.calibration
    x, y = _axes(min(0.5, axis_start((group.accuracy, group.interval) for group in bins)))
    x = Axis(0.5, 1.0, x.start, x.end)
    return {"x": x, "y": y, "most": max(group.reviews for group in bins)}


def _axes(low: float) -> tuple[Axis, Axis]:
    left, right, top, bottom = PLOT
    return Axis(low, 1.0, left, right), Axis(low, 1.0, bottom, top)


def _percent_axis(rows: Iterable[tuple[str, float, Interval, int | None]]) -> Axis:
    """The axis that all rows of a chart share; coordinates in percent of its length."""
    return Axis(axis_start((accuracy, interval) for _, accuracy, interval, _ in rows), 1.0, 0.0, 100.0)


def _percent(value: float, digits: int = 1) -> str:
    return f"{100 * value:.{digits}f}{NO_BREAK}%"
