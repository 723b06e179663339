"""S3's time, whatever this machine's clock says."""

from datetime import UTC, datetime, timedelta

from sentictl.aws.remote_state.server_clock import ServerClock

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
ANSWER = {"ResponseMetadata": {"HTTPHeaders": {"date": "Sun, 01 Mar 2026 12:00:00 GMT"}}}


def test_it_is_what_s3_told_and_goes_on_from_there() -> None:
    seconds, wrong = [100.0], NOON + timedelta(hours=3)
    clock = ServerClock(here=lambda: wrong, steady=lambda: seconds[0])
    assert clock.now() == wrong
    clock.note(ANSWER)
    assert clock.now() == NOON
    assert clock.skew == timedelta(hours=3)
    seconds[0] += 90
    assert clock.now() == NOON + timedelta(seconds=90)
    clock.note({})
    clock.note({"ResponseMetadata": {"HTTPHeaders": {}}})
    assert clock.now() == NOON + timedelta(seconds=90)


def test_without_an_answer_this_machines_clock_counts() -> None:
    before = datetime.now(UTC)
    assert before <= ServerClock().now() <= datetime.now(UTC)
