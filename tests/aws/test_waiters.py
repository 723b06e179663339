"""Waiting for a state, with an end."""

import pytest

from sentictl.aws.waiters import poll
from sentictl.errors import AwsError


def test_polling_ends_with_the_value_that_is_done_and_slows_down() -> None:
    answers = iter(["a", "b", "c", "done"])
    pauses: list[float] = []
    found = poll(
        lambda: next(answers), lambda v: v == "done", what="x", timeout=9, interval=1, longest=2, sleep=pauses.append
    )
    assert found == "done"
    assert pauses == [1, 1.5, 2]


def test_polling_gives_up_and_names_what_it_waited_for() -> None:
    with pytest.raises(AwsError, match="The endpoint x is not ready"):
        poll(lambda: 1, lambda _: False, what="The endpoint x", timeout=-1, sleep=lambda _: None)
