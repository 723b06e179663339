"""An evaluation as a terminal shows it, in 80 columns, with and without color."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from sentictl.services.measures import Interval, axis_start

if TYPE_CHECKING:
    from sentictl.services.comparison import Comparison
    from sentictl.services.evaluation import Evaluation, Mistake

WIDTH = 80
LONGEST_LABEL = 24
OTHER_COLUMNS = 24  # margins, percentages and counts: what a chart's label leaves of the width belongs to its axis


@dataclass(frozen=True)
class Row:
    """A line of a chart: an accuracy, its interval, how many reviews, and what was to be expected."""

    label: str
    accuracy: float
    interval: Interval
    reviews: int | None = None
    expected: float | None = None


def show(evaluation: "Evaluation", comparison: "Comparison | None") -> None:
    """Print an evaluation on stdout."""
    console = Console(highlight=False)
    console.width = min(console.width, WIDTH)
    console.print(Group(*_sections(evaluation, comparison)))


def _percent(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.1f} %"


def _sections(evaluation: "Evaluation", comparison: "Comparison | None") -> Iterator[RenderableType]:
    yield from _summary(evaluation)
    if comparison:
        yield from _comparison(comparison)
    yield from _chart(
        "How sure it was, and how often it was right",
        ("mean confidence", "right"),
        [Row(_percent(b.confidence), b.accuracy, b.interval, b.reviews, b.confidence) for b in evaluation.calibration],
        "│ is where the dot would be if confidence were exact",
    )
    yield from _chart(
        "Short and long reviews",
        ("tokens", "right"),
        [Row(group.name, group.accuracy, group.interval, group.reviews) for group in evaluation.lengths],
    )
    if len(evaluation.parts) > 1:
        whole = Row("together", evaluation.accuracy, evaluation.interval)
        alone = [Row(f"{part.name} alone", part.accuracy, part.interval) for part in evaluation.parts]
        yield from _chart("The parts of the model", ("part", "right"), [*alone, whole])
    if evaluation.mistakes:
        yield _title("The surest mistakes")
        yield from (_mistake(mistake) for mistake in evaluation.mistakes)


def _summary(evaluation: "Evaluation") -> Iterator[RenderableType]:
    area = "" if evaluation.roc_auc is None else f" · ROC AUC {evaluation.roc_auc:.3f}"
    yield Text(f"{evaluation.model} on {evaluation.reviews:,} reviews: {evaluation.data}")
    yield Text.assemble(
        "\n  ",
        (f"{_percent(evaluation.accuracy)} right", "bold"),
        f"   95 % interval {_interval(evaluation.interval)}",
        f"\n  F1 {evaluation.f1:.3f} (precision {evaluation.precision:.3f}, recall {evaluation.recall:.3f})",
        f"{area} · ECE {evaluation.calibration_error:.3f}\n",
    )
    yield Text(f"  {'':<16}{'called positive':>18}{'called negative':>18}", "dim")
    for label, called in evaluation.confusion.items():
        yield Text(f"  {f'{label} reviews':<16}{called['positive']:>18,}{called['negative']:>18,}")


def _comparison(comparison: "Comparison") -> Iterator[RenderableType]:
    rows = [
        Row(comparison.model, comparison.accuracy, comparison.interval),
        Row(comparison.against, comparison.against_accuracy, comparison.against_interval),
    ]
    yield from _chart(f"Against {comparison.against}", ("model", "right"), rows)
    yield Text(
        f"  difference {100 * comparison.difference:+.2f} points · both right {comparison.both_right:,} · "
        f"both wrong {comparison.both_wrong:,}\n"
        f"  right alone: the first {comparison.only_model_right:,}, the second {comparison.only_against_right:,} · "
        f"{comparison.p_text}\n  {comparison.test}"
    )
    yield Padding(Text(comparison.verdict, "bold"), (0, 0, 0, 2))


def _chart(title: str, heading: tuple[str, str], rows: Sequence[Row], note: str = "") -> Iterator[RenderableType]:
    """A dot for each accuracy, with its interval, on an axis that ends at 100 %."""
    low = axis_start((row.accuracy, row.interval) for row in rows)
    counted = any(row.reviews is not None for row in rows)
    wide = min(LONGEST_LABEL, max(len(text) for text in (heading[0], *(row.label for row in rows))))
    track = WIDTH - OTHER_COLUMNS - wide
    start = f"{100 * low:.0f} %"
    yield _title(title)
    axis = start + "100 %".rjust(track - len(start)) + ("  reviews" if counted else "")
    yield Text(f"  {heading[0]:<{wide}}  {heading[1]:>7}   {axis}", "dim")
    for row in rows:
        count = f"{row.reviews:>9,}" if row.reviews is not None else ""
        yield Text.assemble(
            f"  {_fit(row.label):<{wide}}  {_percent(row.accuracy):>7}   ", _track(row, low, track), count
        )
    if note:
        yield Text(f"  {note}", "dim")


def _track(row: Row, low: float, width: int) -> Text:
    """The row's dot, its interval as a line through it, and a bar where it was to be expected."""

    def cell(value: float) -> int:
        return round(min(1.0, max(0.0, (value - low) / (1 - low))) * (width - 1))

    cells = [" "] * width
    first, last = map(cell, row.interval)
    cells[first : last + 1] = "─" * (last + 1 - first)
    if row.expected is not None:
        at = cell(row.expected)
        cells[at] = "┼" if first <= at <= last else "│"
    cells[cell(row.accuracy)] = "●"
    text = Text("".join(cells), "cyan")
    text.stylize("bold", cell(row.accuracy), cell(row.accuracy) + 1)
    return text


def _mistake(mistake: "Mistake") -> RenderableType:
    wrong = "negative" if mistake.label == "positive" else "positive"
    color = "green" if mistake.label == "positive" else "red"
    heading = Text.assemble(
        "  ", (f"{mistake.label} review", color), f" called {wrong} with {_percent(mistake.confidence)} confidence"
    )
    return Group(heading, Padding(Text(mistake.excerpt, "dim"), (0, 2, 1, 4)))


def _interval(interval: Interval) -> str:
    low, high = (100 * bound for bound in interval)
    return f"{low:.1f} to {high:.1f}"


def _fit(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _title(title: str) -> Text:
    return Text(f"\n{title}", "bold")
