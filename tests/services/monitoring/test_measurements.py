"""The figures of the last hours: which can be asked for, and what is told of them."""

from datetime import UTC, datetime, timedelta

import pytest

from sentictl.config.state import Record
from sentictl.errors import MissingStepError, UsageError
from sentictl.services.monitoring.measurements import Measurements, measure_traffic
from tests.services.conftest import ContextOf

MINUTE, DAY = timedelta(minutes=1), timedelta(days=1)
FOUND = Measurements(
    datetime(2026, 1, 1, tzinfo=UTC),
    5 * MINUTE,
    {
        "requests": [10.0, 0.0, 30.0],
        "failed": [0.0, 0.0, 4.0],
        "refused": [1.0, 0.0, 0.0],
        "p50": [20.0, None, 40.0],
        "p99": [90.0, None, 50.0],
        "positive": [6.0, 0.0, 12.0],
        "negative": [3.0, 0.0, 8.0],
        "undecided": [0.0, 0.0, 1.0],
    },
)


def test_what_is_told_of_them() -> None:
    assert FOUND.end == datetime(2026, 1, 1, 0, 15, tzinfo=UTC)
    assert (FOUND.total("requests"), FOUND.share("failed"), FOUND.share("refused")) == (40, 0.1, 0.025)
    assert FOUND.share("positive") == 0.6
    assert (FOUND.usual("p50"), FOUND.highest("p99")) == (35.0, 90.0)  # each median as often as it was asked for
    document = FOUND.document()
    assert (document["period_seconds"], document["totals"]["negative"]) == (300, 11)
    assert document["rows"]["p50"] == [20.0, None, 40.0]


def test_without_a_request_there_is_nothing_to_divide_by() -> None:
    empty = Measurements(FOUND.begin, MINUTE, {name: [None if name[0] == "p" else 0.0] for name in FOUND.rows})
    assert (empty.is_empty, FOUND.is_empty) == (True, False)
    early = Measurements(FOUND.begin, MINUTE, {**empty.rows, "negative": [1.0]})  # the log tells it, CloudWatch not yet
    assert not early.is_empty
    assert (empty.share("failed"), empty.usual("p50"), empty.highest("p99")) == (0.0, None, None)


@pytest.mark.parametrize(
    ("since", "period", "message"),
    [
        (DAY, timedelta(seconds=30), "no figures of 0:00:30"),
        (DAY, timedelta(seconds=90), "no figures of 0:01:30"),
        (20 * DAY, MINUTE, "one figure for 5 minutes"),
        (100 * DAY, 5 * MINUTE, "one figure for 60 minutes"),
        (500 * DAY, None, "forgets figures after 455 days"),
        (2 * DAY, MINUTE, "2880 figures in a row"),
        (30 * MINUTE, 60 * MINUTE, "0.5 figures in a row"),
    ],
)
def test_figures_that_cloudwatch_does_not_have_are_refused(
    context_of: ContextOf, since: timedelta, period: timedelta | None, message: str
) -> None:
    context = context_of('[project]\nname = "films"\n')
    context.state.keep(Record("rest-api", "films-local-api", "arn", {"id": "abc"}))
    with pytest.raises(UsageError, match=message):
        measure_traffic(context, since, period)


def test_without_an_api_there_are_none(context_of: ContextOf) -> None:
    with pytest.raises(MissingStepError, match="no rest-api"):
        measure_traffic(context_of('[project]\nname = "films"\n'), DAY, None)
