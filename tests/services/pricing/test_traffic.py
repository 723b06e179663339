"""How many requests there are, as people write it."""

import pytest

from sentictl.errors import UsageError
from sentictl.services.pricing.traffic import Traffic, requests_a_month


@pytest.mark.parametrize(
    ("written", "a_month"),
    [
        ("730", 730),
        ("10000/day", 10_000 * 730 / 24),
        ("10k/day", 10_000 * 730 / 24),
        ("10,000 a day", 10_000 * 730 / 24),
        ("10_000 per Day", 10_000 * 730 / 24),
        ("0.5/second", 0.5 * 3600 * 730),
        ("1/minute", 60 * 730),
        ("3/hour", 3 * 730),
        ("1/week", 730 / 168),
        ("1.5M/month", 1_500_000),
        ("0/day", 0),
        (12, 12),
        (0.5, 0.5),
    ],
)
def test_requests_are_written_in_many_ways(written: str | float, a_month: float) -> None:
    assert requests_a_month(written) == pytest.approx(a_month)


@pytest.mark.parametrize(
    "written", ["", "many", "-1/day", "1/year", "1e9", "10000/", "/day", "1,00/day", "٣/day", "1" * 400, "1/day/day"]
)
def test_what_is_no_number_of_requests_is_refused(written: str) -> None:
    with pytest.raises(UsageError) as refused:
        requests_a_month(written)
    assert repr(written) in refused.value.message
    assert "sentictl costs --requests 10000/day" in refused.value.hint


@pytest.mark.parametrize(
    "traffic",
    [
        {"requests": -1.0},
        {"requests": float("inf")},
        {"requests": float("nan")},
        {"requests": 1.0, "reviews": 0},
        {"requests": 1.0, "words": 0},
        {"requests": 1.0, "seconds": 0.0},
        {"requests": 1.0, "seconds": float("nan")},
    ],
)
def test_traffic_that_cannot_be_is_refused(traffic: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="no "):
        Traffic(**traffic)  # type: ignore[arg-type]


def test_more_to_read_takes_longer_and_so_does_less_of_a_processor() -> None:
    one, many = Traffic(1), Traffic(1, reviews=20)
    assert many.core_seconds > one.core_seconds
    assert many.request_bytes == 20 * one.request_bytes
    assert one.seconds_in(1024) > one.seconds_in(2048) == one.seconds_in(6144) == pytest.approx(one.core_seconds)
    assert Traffic(1, reviews=20, seconds=0.0123).seconds_in(2048) == 0.013  # whole milliseconds are billed
