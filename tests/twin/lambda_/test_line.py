"""Callers in line: in their order, for as long as they are patient, and only while they are there."""

import threading
from functools import partial

import pytest

from sentictl.twin.lambda_.line import Line, TooManyCallersError, never
from tests.twin.conftest import wait_for


def _waits(line: Line, callers: int) -> bool:
    return line.waiting == callers


def test_who_came_first_is_served_first() -> None:
    line, served, callers = Line(1), list[int](), list[threading.Thread]()

    def call(number: int) -> None:
        with line.turn(60, never):
            served.append(number)

    with line.turn(0, never):
        for number in range(20):
            callers.append(threading.Thread(target=call, args=(number,)))
            callers[-1].start()
            wait_for(partial(_waits, line, number + 1))
    for caller in callers:
        caller.join()
    assert served == list(range(20))


def test_who_waits_too_long_is_refused() -> None:
    line = Line(2)
    with line.turn(0, never), line.turn(0, never):
        with pytest.raises(TooManyCallersError), line.turn(0, never):
            pass
        assert line.waiting == 0
    with line.turn(0, never):  # there is a place again
        pass


def test_who_has_left_is_not_served_and_takes_no_place() -> None:
    line = Line(1)
    with line.turn(0, never):
        with pytest.raises(TooManyCallersError), line.turn(60, lambda: True):
            pass
        assert line.waiting == 0
    with line.turn(0, never):
        pass


def test_a_place_is_free_again_after_an_error() -> None:
    line = Line(1)
    with pytest.raises(ZeroDivisionError), line.turn(0, never):
        raise ZeroDivisionError
    with line.turn(0, never):
        pass
