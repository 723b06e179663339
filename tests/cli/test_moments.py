"""Moments as people write them."""

from datetime import UTC, datetime

import pytest

from sentictl.cli.moments import moment
from sentictl.errors import UsageError

NOW = datetime(2026, 11, 30, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("90s", "2026-11-30T11:58:30"),
        ("15m", "2026-11-30T11:45:00"),
        ("2h", "2026-11-30T10:00:00"),
        ("1d", "2026-11-29T12:00:00"),
        ("2026-11-30T10:00Z", "2026-11-30T10:00:00"),
        ("2026-11-30T10:00+02:00", "2026-11-30T08:00:00"),
        ("1960-01-01", "1970-01-01T00:00:00"),
        ("99999d", "1970-01-01T00:00:00"),
    ],
)
def test_a_moment(text: str, meant: str) -> None:
    assert moment(text, "--since", NOW) == datetime.fromisoformat(meant).replace(tzinfo=UTC)


def test_a_time_without_a_zone_is_this_machines() -> None:
    assert moment("2026-10-30T10:00", "--since", NOW) == datetime(2026, 10, 30, 10).astimezone()


def test_what_is_still_to_come_is_told_with_the_time() -> None:
    with pytest.raises(UsageError, match="still to come: by this machine's clock it is 2026-11-30T12:00Z"):
        moment("2026-11-30T14:01+02:00", "--since", NOW)


@pytest.mark.parametrize("text", ["", "now", "15", "m", "-5m", "1.5h", "15 m", "999999d", "2026-13-01", "٣m"])
def test_what_is_no_moment_is_told_with_examples(text: str) -> None:
    with pytest.raises(UsageError, match="that is no moment") as caught:
        moment(text, "--since", NOW)
    assert "--since 15m, 2h or 1d" in caught.value.hint
