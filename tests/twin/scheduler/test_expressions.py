"""EventBridge Scheduler's expressions: when they fire next, when they fired last, and which are none."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from sentictl.twin.scheduler.expressions import parse

BERLIN = "Europe/Berlin"


def at(text: str, zone: str = BERLIN) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()


def shown(moment: float | None, zone: str = BERLIN) -> str:
    return "" if moment is None else datetime.fromtimestamp(moment, ZoneInfo(zone)).replace(tzinfo=None).isoformat(" ")


@pytest.mark.parametrize(
    ("expression", "after", "following"),
    [
        ("cron(0 8 ? * MON,TUE,WED,THU,FRI *)", "2026-11-27 08:00", "2026-11-30 08:00:00"),
        ("cron(0 8 ? * MON-FRI *)", "2026-11-30 07:59", "2026-11-30 08:00:00"),
        ("cron(0 8 ? * 2-6 *)", "2026-11-28 12:00", "2026-11-30 08:00:00"),
        ("cron(0/15 9 * * ? *)", "2026-11-30 09:16", "2026-11-30 09:30:00"),
        ("cron(5,35 14 1 JAN ? 2028)", "2026-11-30 00:00", "2028-01-01 14:05:00"),
        ("cron(0 0 29 2 ? *)", "2026-11-30 00:00", "2028-02-29 00:00:00"),
        ("cron(0 0 31 2 ? *)", "2026-11-30 00:00", ""),
        ("cron(0 0 * * ? 2025)", "2026-11-30 00:00", ""),
        ("rate(5 minutes)", "2026-11-30 00:07", "2026-11-30 00:10:00"),
        ("rate(1 day)", "2026-11-29 00:00", "2026-11-30 00:00:00"),
        ("at(2026-12-24T18:00:00)", "2026-11-30 00:00", "2026-12-24 18:00:00"),
        ("at(2026-11-24T18:00:00)", "2026-11-30 00:00", ""),
    ],
)
def test_the_next_time_after_a_moment(expression: str, after: str, following: str) -> None:
    assert shown(parse(expression, BERLIN, at("2026-11-30 00:00")).following(at(after))) == following


def test_a_time_that_summer_time_leaves_out_is_passed_over() -> None:
    night = parse("cron(30 2 * * ? *)", BERLIN, 0)
    assert shown(night.following(at("2027-03-27 12:00"))) == "2027-03-29 02:30:00"


def test_a_time_that_comes_twice_counts_once() -> None:
    night = parse("cron(30 2 * * ? *)", BERLIN, 0)
    first = night.following(at("2026-10-24 12:00"))
    assert first is not None
    assert datetime.fromtimestamp(first, ZoneInfo(BERLIN)).isoformat() == "2026-10-25T02:30:00+02:00"
    assert shown(night.following(first)) == "2026-10-26 02:30:00"


@pytest.mark.parametrize(
    ("expression", "latest"),
    [
        ("cron(* * * * ? *)", "2026-11-30 12:00:00"),
        ("cron(0 8 ? * MON *)", "2026-11-30 08:00:00"),
        ("cron(0 19 ? * FRI *)", "2026-11-27 19:00:00"),
        ("cron(0 0 1 1 ? *)", "2026-01-01 00:00:00"),
        ("cron(0 0 1 1 ? 2030)", ""),
        ("rate(7 minutes)", "2026-11-30 11:54:00"),
    ],
)
def test_the_last_time_of_a_year_that_nobody_looked(expression: str, latest: str) -> None:
    found = parse(expression, BERLIN, at("2025-12-01 00:00")).latest(at("2025-12-01 00:00"), at("2026-11-30 12:00"))
    assert shown(found) == latest


def test_a_rate_begins_at_once() -> None:
    assert parse("rate(5 minutes)", None, 1_000.0).latest(999.0, 1_001.0) == 1_000.0


@pytest.mark.parametrize(
    "expression",
    [
        *(
            "cron(0 8 * * * *)",
            "cron(0 8 ? * ? *)",
            "cron(60 8 ? * MON *)",
            "cron(0 24 ? * MON *)",
            "cron(0 8 ? * MON)",
        ),
        *("cron(0 8 ? 13 MON *)", "cron(0 8 ? * XYZ *)", "cron(5-1 8 ? * MON *)", "cron(0/0 8 ? * MON *)"),
        *("rate(0 minutes)", "rate(5 weeks)", "rate(minute)", "at(2030-13-01T00:00:00)", "in 8 hours", ""),
    ],
)
def test_what_is_no_expression(expression: str) -> None:
    with pytest.raises(ValueError):
        parse(expression, None, 0)


@pytest.mark.parametrize("zone", ["Europe/Springfield", "../etc/passwd", "Europe"])
def test_a_time_zone_that_there_is_not(zone: str) -> None:
    with pytest.raises(ValueError):
        parse("rate(5 minutes)", zone, 0)


@pytest.mark.parametrize("day", ["L * ?", "15W * ?", "? * 6#3", "? * 6L"])
def test_wildcards_that_are_not_known_here_are_said_not_to_be(day: str) -> None:
    with pytest.raises(NotImplementedError):
        parse(f"cron(0 8 {day} *)", None, 0)
