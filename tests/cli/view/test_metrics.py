"""The charts of `sentictl metrics`, in a terminal of any width."""

from datetime import UTC, datetime, timedelta

import pytest

from sentictl.cli.view.metrics import draw
from sentictl.services.monitoring.measurements import Measurements

HOURS = 48
NAMES = ("requests", "failed", "refused", "p50", "p99", "positive", "negative", "undecided")
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def found(*, whole: bool = True) -> Measurements:
    rows = {name: [_value(name, hour) for hour in range(HOURS)] for name in NAMES}
    return Measurements(BEGIN, timedelta(hours=1), rows, whole)


def _value(name: str, hour: int) -> float | None:
    """In the first of eight hours nobody asked."""
    return (None if hour % 8 == 0 else 10.0 * hour) if name in ("p50", "p99") else float(hour % 8)


@pytest.mark.parametrize(("width", "sign"), [(60, "4 h"), (80, "2 h"), (200, "1 h")])
def test_every_line_fits_and_none_is_lost(width: int, sign: str) -> None:
    lines = str(draw(found(), width)).split("\n")
    assert lines[0] == f"the last 2 days until 2026-01-03 00:00 UTC, {sign} a sign"
    assert [line.split()[0] for line in lines[2:]] == list(NAMES)
    assert max(map(len, lines)) <= max(width, 80)


def test_the_highest_has_the_highest_sign_and_nothing_has_none() -> None:
    requests = str(draw(found(), 200)).split("\n")[2].removeprefix("requests ").lstrip(" ")
    assert requests.startswith("▂▃▄▅▆▇█ ▂▃")  # the first hour had none
    assert requests.endswith("168, at most 7 in 1 h")


@pytest.mark.parametrize("width", [60, 200])
def test_verdicts_are_of_one_scale(width: int) -> None:
    counts = {"positive": 8.0, "negative": 2.0, "undecided": 1.0}
    rows = {name: [counts.get(name, 1.0)] * HOURS for name in NAMES}
    lines = str(draw(Measurements(BEGIN, timedelta(hours=1), rows), width)).split("\n")[-3:]
    assert [line.split()[1][0] for line in lines] == ["█", "▃", "▂"]


def test_what_was_not_counted_to_the_end_is_told() -> None:
    assert "more log lines than were read" in str(draw(found(whole=False), 80))
    assert "more log lines" not in str(draw(found(), 80))
