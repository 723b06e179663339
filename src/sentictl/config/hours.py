"""Opening hours: the times of a week at which the endpoint is brought up, and at which it is taken down."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
DAILY = "daily"
ALIASES = {"day": DAILY} | {f"{name}day": name for name in ("mon", "fri", "sun")}
ALIASES |= {"tuesday": "tue", "wednesday": "wed", "thursday": "thu", "saturday": "sat"}
CLOCK = re.compile(r"([01]?\d|2[0-3]):([0-5]\d)", re.ASCII)
MINUTES_A_DAY = 24 * 60
MINUTES_A_WEEK = 7 * MINUTES_A_DAY


@dataclass(frozen=True)
class WeeklyTime:
    """A time of day on some days of the week.

    Args:
        days: 0 for Monday to 6 for Sunday, in order.
        hour: from 0 to 23.
        minute: from 0 to 59.
    """

    days: tuple[int, ...]
    hour: int
    minute: int

    @classmethod
    def parse(cls, text: str) -> "WeeklyTime":
        """Read a text such as "mon-fri 08:00", "sat,sun 10:30" or "daily 7:00".

        Raises:
            ValueError: it is not written so.
        """
        days, _, clock = text.partition(" ")
        days = ALIASES.get(days, days)
        found = CLOCK.fullmatch(clock)
        if found is None:
            raise ValueError(f"{clock} is no time of day")
        chosen = set(range(len(DAYS))) if days == DAILY else {day for part in days.split(",") for day in _range(part)}
        return cls(tuple(sorted(chosen)), int(found[1]), int(found[2]))

    @property
    def cron(self) -> str:
        """The same as EventBridge Scheduler writes it: minute, hour, day of month, month, day of week, year."""
        if len(self.days) == len(DAYS):
            return f"cron({self.minute} {self.hour} * * ? *)"
        names = ",".join(DAYS[day].upper() for day in self.days)
        return f"cron({self.minute} {self.hour} ? * {names} *)"

    @property
    def minutes(self) -> list[int]:
        """The minutes of the week, from Monday's midnight, at which it comes."""
        return [day * MINUTES_A_DAY + self.hour * 60 + self.minute for day in self.days]

    def since(self, minute: int) -> int:
        """Return the minutes that have gone by, at a minute of the week, since it came last."""
        return min((minute - each) % MINUTES_A_WEEK for each in self.minutes)

    def following(self, minute: int) -> str:
        """Return the day and time, such as "Mon 08:00", at which it comes next after a minute of the week."""
        _, coming = min(((each - minute) % MINUTES_A_WEEK, each) for each in self.minutes)
        return f"{DAYS[coming // MINUTES_A_DAY].capitalize()} {self.hour:02}:{self.minute:02}"


@dataclass(frozen=True)
class OpeningHours:
    """The time from each `up` to the next `down`."""

    up: WeeklyTime
    down: WeeklyTime

    def is_open(self, minute: int) -> bool:
        """Tell whether a minute of the week is within them. Where both come in one minute, nobody knows: it is."""
        return self.up.since(minute) <= self.down.since(minute)

    @property
    def share(self) -> float:
        """The share of a week that they are; that summer time comes and goes is left out."""
        changes = sorted({*self.up.minutes, *self.down.minutes})
        following = [*changes[1:], changes[0] + MINUTES_A_WEEK]
        opened = sum(end - begin for begin, end in zip(changes, following, strict=True) if self.is_open(begin))
        return opened / MINUTES_A_WEEK


def minute_of_week(moment: datetime) -> int:
    """Return the minutes since Monday's midnight, by the clock of the moment's own time zone."""
    return moment.weekday() * MINUTES_A_DAY + moment.hour * 60 + moment.minute


def _range(part: str) -> Iterator[int]:
    """The days that "mon", or "fri-mon", names."""
    first, dash, last = part.partition("-")
    begin, end = _day(first), _day(last if dash else first)
    for following in range((end - begin) % len(DAYS) + 1):
        yield (begin + following) % len(DAYS)


def _day(name: str) -> int:
    if name not in DAYS:
        raise ValueError(f"{name} is no day")
    return DAYS.index(name)
