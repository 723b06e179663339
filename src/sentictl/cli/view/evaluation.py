"""An evaluation as a terminal shows it, in 80 columns and in fewer, with and without color."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from sentictl.cli.view.lines import WIDTH, hanging, unbroken
from sentictl.services.evaluate.metrics import Interval, axis_start

if TYPE_CHECKING:
    from sentictl.services.evaluate.comparison import Comparison
    from sentictl.services.evaluate.evaluation import Evaluation, Mistake
    from sentictl.services.evaluate.trained_on import TrainedOn

LONGEST_LABEL = 24
OTHER_COLUMNS = 24  # margins, percentages and counts: what a chart's label leaves of the width belongs to its axis
LEAST_TRACK = 14  # columns of an axis on which a dot can be told from another; where fewer are left, figures say it
INDENT = "  "


@dataclass(frozen=True)
class MeasuredRow:
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
    console.print(Group(*_sections(evaluation, comparison, console.width)))


def _percent(value: float) -> str:
    """A share in percent."""
    return f"{100 * value:.1f} %"


def _sections(evaluation: "Evaluation", comparison: "Comparison | None", width: int) -> Iterator[RenderableType]:
    yield from _summary(evaluation, width)
    if comparison:
        yield from _comparison(comparison, width)
    yield from _chart(
        "How sure it was, and how often it was right",
        ("mean confidence", "right"),
        [
            MeasuredRow(_percent(b.confidence), b.accuracy, b.interval, b.reviews, b.confidence)
            for b in evaluation.calibration
        ],
        width,
        "│ is where the dot would be if confidence were exact",
    )
    yield from _chart(
        "Short and long reviews",
        ("tokens", "right"),
        [MeasuredRow(group.name, group.accuracy, group.interval, group.reviews) for group in evaluation.lengths],
        width,
    )
    if len(evaluation.parts) > 1:
        whole = MeasuredRow("together", evaluation.accuracy, evaluation.interval)
        alone = [MeasuredRow(f"{part.name} alone", part.accuracy, part.interval) for part in evaluation.parts]
        yield from _chart("The parts of the model", ("part", "right"), [*alone, whole], width)
    if evaluation.mistakes:
        yield _title("The surest mistakes", width)
        yield from (_mistake(mistake, width) for mistake in evaluation.mistakes)


def _summary(evaluation: "Evaluation", width: int) -> Iterator[RenderableType]:
    yield Text(hanging("", f"{evaluation.model} on {evaluation.reviews:,} reviews: {evaluation.data}", width))
    right = unbroken(f"{_percent(evaluation.accuracy)} right")
    accuracy = Text(hanging(INDENT, f"{right}   {unbroken(f'95 % interval {_interval(evaluation.interval)}')}", width))
    accuracy.stylize("bold", len(INDENT), len(INDENT) + len(right))
    yield Text.assemble("\n", accuracy)
    measures = [
        unbroken(f"F1 {evaluation.f1:.3f}")
        + f" ({unbroken(f'precision {evaluation.precision:.3f}')}, {unbroken(f'recall {evaluation.recall:.3f}')})",
        "" if evaluation.roc_auc is None else unbroken(f"ROC AUC {evaluation.roc_auc:.3f}"),
        unbroken(f"ECE {evaluation.calibration_error:.3f}"),
    ]
    yield Text(hanging(INDENT, " · ".join(filter(None, measures)), width) + "\n")
    if evaluation.trained_on:
        yield Text(hanging(INDENT, _trained_on(evaluation.trained_on), width) + "\n")
    yield from _confusion(evaluation.confusion, width)


def _trained_on(trained: "TrainedOn") -> str:
    if not trained.reviews:
        return "It was trained on none of these reviews."
    were = f"It was trained on {trained.reviews:,} of these (the same words, or the same film)"
    if trained.accuracy is None or trained.interval is None:
        return f"{were}, which are all."
    without = unbroken(f"without them {_percent(trained.accuracy)} right")
    return f"{were}: {without} ({_interval(trained.interval)}) of {trained.others:,}"


def _confusion(confusion: Mapping[str, Mapping[str, int]], width: int) -> Iterator[RenderableType]:
    headings = Text(f"{INDENT}{'':<16}{'called positive':>18}{'called negative':>18}", "dim")
    if headings.cell_len > width:
        for label, called in confusion.items():
            counts = " · ".join(unbroken(f"{count:,} called {name}") for name, count in called.items())
            yield Text(hanging(INDENT, f"{label} reviews: {counts}", width))
        return
    yield headings
    for label, called in confusion.items():
        yield Text(f"{INDENT}{f'{label} reviews':<16}{called['positive']:>18,}{called['negative']:>18,}")


def _comparison(comparison: "Comparison", width: int) -> Iterator[RenderableType]:
    rows = [
        MeasuredRow(comparison.model, comparison.accuracy, comparison.interval),
        MeasuredRow(comparison.against, comparison.against_accuracy, comparison.against_interval),
    ]
    yield from _chart(f"Against {comparison.against}", ("model", "right"), rows, width)
    points = f"difference {100 * comparison.difference:+.2f} points"
    both = (f"both right {comparison.both_right:,}", f"both wrong {comparison.both_wrong:,}")
    counts = f"the first {comparison.only_model_right:,}, the second {comparison.only_against_right:,}"
    for line in (
        " · ".join(map(unbroken, (points, *both))),
        f"right alone: {counts} · {unbroken(comparison.p_text)}",
        comparison.test,
    ):
        yield Text(hanging(INDENT, line, width))
    yield Text(hanging(INDENT, comparison.verdict, width), "bold")


def _chart(
    title: str, heading: tuple[str, str], rows: Sequence[MeasuredRow], width: int, note: str = ""
) -> Iterator[RenderableType]:
    """A dot for each accuracy, with its interval, on an axis that ends at 100 %; figures where there is no room."""
    low = axis_start((row.accuracy, row.interval) for row in rows)
    counted = any(row.reviews is not None for row in rows)
    wide = min(LONGEST_LABEL, max(len(text) for text in (heading[0], *(row.label for row in rows))))
    track = width - OTHER_COLUMNS - wide
    yield _title(title, width)
    if track < LEAST_TRACK:
        yield from (Text(_in_figures(heading[0], row, width)) for row in rows)
        return
    start = f"{100 * low:.0f} %"
    axis = start + "100 %".rjust(track - len(start)) + ("  reviews" if counted else "")
    yield Text(f"{INDENT}{heading[0]:<{wide}}  {heading[1]:>7}   {axis}", "dim")
    for row in rows:
        count = f"{row.reviews:>9,}" if row.reviews is not None else ""
        yield Text.assemble(
            f"{INDENT}{_fit(row.label):<{wide}}  {_percent(row.accuracy):>7}   ", _track(row, low, track), count
        )
    if note:
        yield Text(hanging(INDENT, note, width), "dim")


def _in_figures(heading: str, row: MeasuredRow, width: int) -> str:
    facts = [f"{_percent(row.accuracy)} right", f"95 % interval {_interval(row.interval)}"]
    if row.reviews is not None:
        facts.append(f"{row.reviews:,} reviews")
    return hanging(INDENT, f"{heading} {row.label}: {' · '.join(map(unbroken, facts))}", width)


def _track(row: MeasuredRow, low: float, width: int) -> Text:
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


def _mistake(mistake: "Mistake", width: int) -> RenderableType:
    wrong = "negative" if mistake.label == "positive" else "positive"
    label = f"{mistake.label} review"
    confidence = unbroken(f"{_percent(mistake.confidence)} confidence")
    heading = Text(hanging(INDENT, f"{label} called {wrong} with {confidence}", width))
    heading.stylize("green" if mistake.label == "positive" else "red", len(INDENT), len(INDENT) + len(label))
    return Group(heading, Padding(Text(mistake.excerpt, "dim"), (0, 2, 1, 4)))


def _interval(interval: Interval) -> str:
    low, high = (100 * bound for bound in interval)
    return f"{low:.1f} to {high:.1f}"


def _fit(label: str) -> str:
    return label if len(label) <= LONGEST_LABEL else f"{label[: LONGEST_LABEL - 1]}…"


def _title(title: str, width: int) -> Text:
    return Text("\n" + hanging("", title, width), "bold")
