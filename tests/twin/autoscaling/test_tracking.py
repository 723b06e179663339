"""Target tracking: quick to add instances, slow to take them away, and never wilder than the load."""

import pytest

from sentictl.twin.autoscaling.tracking import CONCURRENCY, INVOCATIONS, METRICS, wanted

PER_MINUTE, HIGH_RESOLUTION = METRICS[INVOCATIONS], METRICS[CONCURRENCY]


@pytest.mark.parametrize(
    ("values", "count", "goal"),
    [
        ([], 1, 1),
        ([200, 200], 1, 1),  # not for long enough
        ([200, 99, 200], 1, 1),  # not all the time
        ([200, 200, 200], 1, 2),
        ([101, 101, 250], 2, 5),
        ([101, 101, 101], 2, 3),
        ([95] * 20, 3, 3),  # near the target
        ([10] * 14, 3, 3),  # not for long enough
        ([10] * 15, 3, 1),
        ([0] * 15, 3, 0),  # the fewest that there may be is not its business
        ([89] * 15, 3, 3),
        ([10] * 14 + [60], 3, 2),
    ],
)
def test_of_invocations_a_minute(values: list[float], count: int, goal: int) -> None:
    assert wanted(values, 100, count, PER_MINUTE) == goal


def test_of_concurrency_it_is_quicker_to_add_and_as_slow_to_take_away() -> None:
    assert wanted([5.0] * 3, 4, 2, HIGH_RESOLUTION) == 3
    assert wanted([1.0] * 89, 4, 2, HIGH_RESOLUTION) == 2
    assert wanted([1.0] * 90, 4, 2, HIGH_RESOLUTION) == 1
    assert HIGH_RESOLUTION.seconds * HIGH_RESOLUTION.out_after < PER_MINUTE.seconds
