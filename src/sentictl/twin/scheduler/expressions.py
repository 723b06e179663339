"""When a schedule fires: EventBridge Scheduler's expressions at(…), rate(…) and cron(…), in their time zones.

As its user guide ("Schedule types") has them. A time that summer time leaves out is passed over; of one that comes
twice, the first counts.
"""

import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

AT = re.compile(r"at\((\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)\)")
RATE = re.compile(r"rate\(([1-9]\d*) (minute|hour|day)s?\)")
CRON = re.compile(r"cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)")
SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
MONTHS = {"JAN": 1, "FEB": 2, "MAR": 3, "APR": 4, "MAY": 5, "JUN": 6}
MONTHS |= {"JUL": 7, "AUG": 8, "SEP": 9, "OCT": 10, "NOV": 11, "DEC": 12}
WEEKDAYS = {"SUN": 1, "MON": 2, "TUE": 3, "WED": 4, "THU": 5, "FRI": 6, "SAT": 7}
# Of a cron expression, in order: the lowest and the highest value, and the names that some have.
FIELDS: tuple[tuple[int, int, Mapping[str, int]], ...] = (
    (0, 59, {}),
    (0, 23, {}),
    (1, 31, {}),
    (1, 12, MONTHS),
    (1, 7, WEEKDAYS),
    (1970, 2199, {}),
)
ANY_DAY = "?"
UNKNOWN_WILDCARDS = re.compile(r"\dW|L|#")
WINDOWS = (60.0, 3600.0, 86_400.0, 31 * 86_400.0)  # seconds to look back for the last time, before all of it
DAYS_AHEAD = 366 * 8  # in which every date that there is comes once: 29 February may be eight years away


class Expression(ABC):
    """The times at which a schedule fires."""

    recurs = True

    @abstractmethod
    def following(self, moment: float) -> float | None:
        """Return the first time after a moment, both in seconds since the epoch; None where there is none."""

    def latest(self, since: float, now: float) -> float | None:
        """Return the last time after `since` that is not after `now`; None where there is none."""
        for begin in (*(max(since, now - window) for window in WINDOWS), since):
            found, following = None, self.following(begin)
            while following is not None and following <= now:
                found, following = following, self.following(following)
            if found is not None:
                return found
        return None


@dataclass(frozen=True)
class At(Expression):
    """One time."""

    when: float
    recurs = False

    def following(self, moment: float) -> float | None:
        return self.when if self.when > moment else None


@dataclass(frozen=True)
class Rate(Expression):
    """Every so many seconds, from a beginning on."""

    seconds: int
    begins: float

    def following(self, moment: float) -> float | None:
        gone = max(0, int((moment - self.begins) // self.seconds) + 1)
        return self.begins + gone * self.seconds


@dataclass(frozen=True)
class Cron(Expression):
    """The minutes of days: the values that each field allows, None for any day."""

    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int] | None
    months: frozenset[int]
    weekdays: frozenset[int] | None
    years: frozenset[int]
    zone: ZoneInfo

    def following(self, moment: float) -> float | None:
        begin = datetime.fromtimestamp(moment, self.zone)
        for ahead in range(DAYS_AHEAD):
            day = (begin + timedelta(days=ahead)).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
            if self._allows(day):
                found = next((when for when in self._times(day) if when > moment), None)
                if found is not None:
                    return found
        return None

    def _allows(self, day: datetime) -> bool:
        return (
            day.year in self.years
            and day.month in self.months
            and (self.days is None or day.day in self.days)
            and (self.weekdays is None or day.isoweekday() % 7 + 1 in self.weekdays)
        )

    def _times(self, day: datetime) -> Iterator[float]:
        for hour in sorted(self.hours):
            for minute in sorted(self.minutes):
                local = day.replace(hour=hour, minute=minute, tzinfo=self.zone)
                if local.astimezone(UTC).astimezone(self.zone).replace(fold=0) == local:  # there is such a time
                    yield local.timestamp()


def parse(expression: str, zone: str | None, begins: float) -> Expression:
    """Read an expression.

    Args:
        expression: such as "cron(0 8 ? * MON-FRI *)".
        zone: the time zone's name; None for UTC.
        begins: when the schedule was made, in seconds since the epoch: what a rate is counted from.

    Raises:
        ValueError: it is none, or there is no such time or time zone.
        NotImplementedError: it has a wildcard that is not known here.
    """
    place = _zone(zone or "UTC")
    if found := AT.fullmatch(expression):
        return At(datetime.fromisoformat(found[1]).replace(tzinfo=place).timestamp())
    if found := RATE.fullmatch(expression):
        return Rate(int(found[1]) * SECONDS[found[2]], begins)
    if found := CRON.fullmatch(expression):
        return _cron(found.groups(), place)
    raise ValueError(expression)


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as problem:  # OSError: of a name that is a folder's
        raise ValueError(name) from problem


def _cron(texts: tuple[str, ...], zone: ZoneInfo) -> Cron:
    _, _, day, _, weekday, _ = texts
    if (day == ANY_DAY) == (weekday == ANY_DAY):
        raise ValueError("exactly one of the two kinds of days is ?")
    if unknown := next((text for text in (day, weekday) if UNKNOWN_WILDCARDS.search(text)), ""):
        raise NotImplementedError(f"It does not know the day {unknown} of a cron expression.")
    values = [_values(text, *field) for text, field in zip(texts, FIELDS, strict=True)]
    minutes, hours, days, months, weekdays, years = values
    return Cron(
        minutes, hours, None if day == ANY_DAY else days, months, None if weekday == ANY_DAY else weekdays, years, zone
    )


def _values(text: str, low: int, high: int, names: Mapping[str, int]) -> frozenset[int]:
    """The values that a field allows, such as 0,15,30,45 of "0/15"."""
    if text == ANY_DAY:
        return frozenset()
    return frozenset(value for part in text.split(",") for value in _part(part, low, high, names))


def _part(text: str, low: int, high: int, names: Mapping[str, int]) -> range:
    span, _, step = text.partition("/")
    if span == "*":
        begin, end = low, high
    else:
        first, _, last = span.partition("-")
        begin = _value(first, names)
        end = _value(last, names) if last else high if step else begin
    if not low <= begin <= end <= high or step == "0":
        raise ValueError(text)
    return range(begin, end + 1, int(step or 1))


def _value(text: str, names: Mapping[str, int]) -> int:
    return names[text.upper()] if text.upper() in names else int(text)
