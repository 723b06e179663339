"""Moments as people write them: so long ago, or a date and a time."""

import re
from datetime import UTC, datetime, timedelta

from sentictl.errors import UsageError

AGO = re.compile(r"(\d{1,6})(s|m|h|d)", re.ASCII)
FIRST = datetime.fromtimestamp(0, UTC)
UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}


def moment(text: str, option: str, now: datetime | None = None) -> datetime:
    """Return the moment that a text means, in UTC; 1970 for all that is before it, as no log is older.

    Args:
        text: such as "15m", "2h" or "1d", before now; or "2026-11-30T10:00", in its zone, or in this machine's.
        option: that it was given with.
        now: by default by this machine's clock.

    Raises:
        UsageError: it means none, or one that is still to come.
    """
    ago, present = AGO.fullmatch(text), now or datetime.now(UTC)
    try:
        if ago:
            found = present - timedelta(**{UNITS[ago[2]]: int(ago[1])})
        else:
            found = datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise UsageError(
            f"{option} cannot be {text!r}: that is no moment.",
            f"Say how long ago, such as {option} 15m, 2h or 1d; or when, such as {option} 2026-11-30T10:00.",
        ) from None
    if found > present:
        raise UsageError(
            f"{option} {text} is still to come: by this machine's clock it is {present:%Y-%m-%dT%H:%M}Z.",
            f"Say how long ago, such as {option} 15m, 2h or 1d.",
        )
    return max(found, FIRST)
