"""Opening hours: how they are written, what EventBridge Scheduler reads, and how much of a week they are."""

import pytest

from sentictl.config.hours import OpeningHours, WeeklyTime

DAY = 24 * 60


def hours(up: str, down: str) -> OpeningHours:
    return OpeningHours(WeeklyTime.parse(up), WeeklyTime.parse(down))


@pytest.mark.parametrize(
    ("text", "cron"),
    [
        ("mon-fri 08:00", "cron(0 8 ? * MON,TUE,WED,THU,FRI *)"),
        ("sat,sun 10:30", "cron(30 10 ? * SAT,SUN *)"),
        ("fri-mon 9:05", "cron(5 9 ? * MON,FRI,SAT,SUN *)"),
        ("mon,wed-thu 23:59", "cron(59 23 ? * MON,WED,THU *)"),
        ("daily 0:00", "cron(0 0 * * ? *)"),
        ("mon-sun 7:00", "cron(0 7 * * ? *)"),
        ("day 3:00", "cron(0 3 * * ? *)"),
        ("sunday 02:00", "cron(0 2 ? * SUN *)"),
        ("thursday 02:00", "cron(0 2 ? * THU *)"),
    ],
)
def test_a_weekly_time_is_a_cron_expression(text: str, cron: str) -> None:
    assert WeeklyTime.parse(text).cron == cron


@pytest.mark.parametrize(
    "text", ["", "mon", "8:00", "mon 8", "mon 24:00", "mon 8:60", "mond 8:00", "mon- 8:00", "mon 8:00 pm", "mon ٨:00"]
)
def test_any_other_is_none(text: str) -> None:
    with pytest.raises(ValueError):
        WeeklyTime.parse(text)


@pytest.mark.parametrize(
    ("up", "down", "open_hours"),
    [
        ("mon-fri 08:00", "mon-fri 19:00", 55),
        ("mon 08:00", "fri 18:00", 106),
        ("daily 08:00", "daily 08:00", 168),  # nobody knows which is last: counted as open
        ("fri 22:00", "sat 02:00", 4),
        ("sun 22:00", "mon 02:00", 4),
        ("mon-fri 08:00", "daily 19:00", 55),
        ("mon,wed 08:00", "thu 08:00", 72),
    ],
)
def test_the_share_of_a_week_is_from_each_up_to_the_next_down(up: str, down: str, open_hours: int) -> None:
    assert hours(up, down).share == pytest.approx(open_hours / 168)


def test_a_minute_is_open_or_closed_and_the_next_change_is_known() -> None:
    office = hours("mon-fri 08:00", "mon-fri 19:00")
    monday, saturday = 8 * 60, 5 * DAY + 12 * 60
    assert [office.is_open(minute) for minute in (monday - 1, monday, 19 * 60 - 1, 19 * 60)] == [
        False,
        True,
        True,
        False,
    ]
    assert not office.is_open(saturday)
    assert office.up.following(saturday) == "Mon 08:00"
    assert office.down.following(monday) == "Mon 19:00"
