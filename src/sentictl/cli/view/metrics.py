"""Figures over time as small charts: a row each, a sign for each period, and the numbers beside."""

from collections.abc import Sequence
from datetime import timedelta
from typing import TYPE_CHECKING

from rich.text import Text

if TYPE_CHECKING:
    from sentictl.services.monitoring.measurements import Measurements

SIGNS = "▁▂▃▄▅▆▇█"
NONE = " "  # nothing was asked in that period
NUMBERS = 34  # columns beside a chart
LEAST = 12  # signs of a chart
# The row's name, and what colors its chart.
STYLES = {"failed": "red", "refused": "yellow", "positive": "green", "negative": "magenta", "undecided": "dim"}


def draw(found: "Measurements", width: int) -> Text:
    """Draw all rows.

    Args:
        found: the figures.
        width: columns.
    """
    names = ["requests", "failed", "refused", "p50", "p99", "positive", "negative", "undecided"]
    label = max(map(len, names)) + 2
    room = max(LEAST, width - label - NUMBERS - 4)
    together = -(-len(found.rows["requests"]) // room)  # periods that one sign stands for
    rows = {name: _joined(found.rows[name], together, summed=name not in ("p50", "p99")) for name in names}
    highest = {name: max((value or 0 for value in row), default=0) for name, row in rows.items()}
    verdicts = max(highest[name] for name in names[-3:])
    scales = {**highest, "p50": highest["p99"], **dict.fromkeys(names[-3:], verdicts)}
    lines = [Text(f"{_when(found, together)}\n", "dim")]
    for name in names:
        chart = _chart(rows[name], scales[name])
        style = STYLES.get(name, "cyan")
        lines.append(Text.assemble(f"{name:<{label}}", (chart, style), f"  {_numbers(found, name)}"))
    if not found.whole:
        lines.append(
            Text("\nThere are more log lines than were read: the verdicts are of the oldest part alone.", "yellow")
        )
    return Text("\n").join(lines)


def _when(found: "Measurements", together: int) -> str:
    long, sign = found.end - found.begin, together * found.period
    return f"the last {_told(long)} until {found.end:%Y-%m-%d %H:%M} UTC, {_told(sign)} a sign"


def _told(time: timedelta) -> str:
    minutes = int(time.total_seconds()) // 60
    if minutes % 1440 == 0 and minutes > 1440:
        return f"{minutes // 1440} days"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


def _joined(row: Sequence[float | None], together: int, *, summed: bool) -> list[float | None]:
    """Join so many neighbours of a row each: they are added up, or the highest of them stands for all."""
    places = range(0, len(row), together)
    groups = [[value for value in row[place : place + together] if value is not None] for place in places]
    return [(sum(group) if summed else max(group)) if group else None for group in groups]


def _chart(row: Sequence[float | None], highest: float) -> str:
    return "".join(_sign(value, highest) for value in row)


def _sign(value: float | None, highest: float) -> str:
    if not value or not highest:
        return NONE if value is None or not value else SIGNS[0]
    return SIGNS[min(int(value / highest * len(SIGNS)), len(SIGNS) - 1)]


def _numbers(found: "Measurements", name: str) -> str:
    if name == "requests":
        return f"{found.total(name):,.0f}, at most {found.highest(name) or 0:,.0f} in {_told(found.period)}"
    if name in ("failed", "refused"):
        status = "5xx" if name == "failed" else "4xx"
        return f"{found.total(name):,.0f} ({100 * found.share(name):.1f} %, {status})"
    if name == "p50":
        usual = found.usual(name)
        return "no answer yet" if usual is None else f"about {usual:,.0f} ms for half of them"
    if name == "p99":
        highest = found.highest(name)
        return "no answer yet" if highest is None else f"{highest:,.0f} ms at most for 99 of 100"
    return f"{found.total(name):,.0f} ({100 * found.share(name):.0f} % of the reviews)"
