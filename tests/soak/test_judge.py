"""The soak's judgements: what counts as wrong, and what a kill excuses."""

import json

import pytest

from tests.soak.events import Event
from tests.soak.judge import judge_run, judge_visits
from tests.soak.troubles import CLOCK, COMMAND_KILLED, TWIN_KILLED, Trouble
from tests.soak.visitors import Visit
from tests.sweep.runs import Run

ERROR = json.dumps({"error": {"code": "aws", "message": "It failed.", "hint": "Run it again."}})
KILL = Event(TWIN_KILLED, 10.0, 12.0)


def run(code: int | None, stdout: str = "{}", stderr: str = "") -> Run:
    return Run(code, stdout, stderr, [], 0, {}, 1.0)


@pytest.mark.parametrize(
    ("ended", "trouble", "met", "problem"),
    [
        (run(0), "", (), ""),
        (run(1, ERROR), "", (), "ends with 1"),
        (run(1, ERROR), "", (TWIN_KILLED,), ""),
        (run(1, ERROR), CLOCK, (), ""),
        (run(1, '{"error": {"code": "aws", "message": "It failed."}}'), CLOCK, (), "has no hint"),
        (run(-9), COMMAND_KILLED, (), ""),
        (run(-9), CLOCK, (), "ends with -9"),
        (run(1, ERROR, "Traceback (most recent call last)"), TWIN_KILLED, (TWIN_KILLED,), "none of a person's"),
        (run(None), TWIN_KILLED, (TWIN_KILLED,), "hangs"),
    ],
)
def test_a_run_ends_well_or_in_a_clear_error_where_something_went_wrong(
    ended: Run, trouble: str, met: tuple[str, ...], problem: str
) -> None:
    problems = judge_run(ended, Trouble(trouble), met)
    assert len(problems) == bool(problem)
    assert all(problem in told for told in problems)


def visit(began: float, status: int = 200, label: str = "positive", model: str = "toy") -> Visit:
    return Visit(began, began + 0.5, status, label, model)


@pytest.mark.parametrize("wrong", [visit(1.0, label="negative"), visit(1.0, model="another")])
def test_a_wrong_answer_is_never_excused(wrong: Visit) -> None:
    (problem,) = judge_visits([wrong], "positive", {"toy"}, [Event(TWIN_KILLED, 0.0, 9.0)])
    assert "a wrong answer" in problem


@pytest.mark.parametrize(
    ("visits", "problems"),
    [
        ([visit(9.8), visit(10.4, 0), visit(11.0, 503), visit(12.5)], 0),  # it met the kill, and what comes of it
        ([visit(9.8), visit(12.5), visit(13.0, 503)], 1),  # it was answered again in between
        ([visit(1.0), visit(2.0, 503), visit(9.8)], 1),  # before the kill
    ],
)
def test_a_request_may_fail_that_met_a_kill_until_one_is_answered_again(visits: list[Visit], problems: int) -> None:
    assert len(judge_visits(visits, "positive", {"toy"}, [KILL])) == problems
