"""In which order the tests are asked about a mutant, and what their answers mean."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.checkout import FAILED, PASSED, Checkout
from tests.mutation.covering import Covering
from tests.mutation.mutants import Mutant
from tests.mutation.trial import Verdict, try_mutant

MUTANT = Mutant(Path("a.py"), 7, 6, True, 0, "wrong", "right")
COVERING = Covering(
    seconds={
        "tests/a/test_a.py::slow": 2.0,
        "tests/a/test_a.py::quick": 0.1,
        "tests/a/test_b.py::other": 0.2,
        "tests/z/test_z.py::wide": 0.1,
        "tests/z/test_z.py::long": 900.0,
        "fixture model": 0.5,
    },
    fixtures={
        "tests/a/test_a.py::slow": {"fixture model"},
        "tests/a/test_a.py::quick": set(),
        "tests/a/test_b.py::other": set(),
        "tests/z/test_z.py::wide": set(),
        "tests/z/test_z.py::long": set(),
    },
    tests={
        "a.py": {
            6: {"tests/a/test_a.py::slow"},
            7: {"tests/a/test_a.py::quick", "tests/z/test_z.py::wide", "tests/z/test_z.py::long"},
        }
    },
)


class FakeCheckout(Checkout):
    """Has pytest end with these codes, one after another, and remembers what it was asked to run."""

    def __init__(self, *codes: int) -> None:
        self._codes = list(codes)
        self.asked: list[list[str]] = []
        self.content = "right"

    def write(self, path: Path, source: str) -> None:
        self.content = source

    def run_pytest(self, arguments: Sequence[str], plugin: Any, cpu_seconds: float) -> int:
        assert self.content == "wrong"
        self.asked.append([argument for argument in arguments if argument.startswith("tests/")])
        return self._codes.pop(0)


@pytest.mark.parametrize(
    ("codes", "verdict"),
    [
        ([FAILED], Verdict.KILLED),
        ([2], Verdict.KILLED),  # the tests cannot be imported
        ([-9], Verdict.HANGS),
        ([PASSED, FAILED], Verdict.KILLED),
        ([PASSED, PASSED], Verdict.SURVIVED),
    ],
)
def test_its_own_folder_is_asked_first_and_then_others(codes: list[int], verdict: Verdict) -> None:
    checkout = FakeCheckout(*codes)
    outcome = try_mutant(checkout, COVERING, "tests/a", MUTANT)
    assert (outcome.verdict, checkout.content) == (verdict, "right")
    assert outcome.survived == (verdict is Verdict.SURVIVED)
    assert checkout.asked == [["tests/a/test_a.py"], ["tests/z/test_z.py"]][: len(codes)]


def test_a_line_that_no_test_runs_is_survived_without_asking() -> None:
    checkout = FakeCheckout()
    outcome = try_mutant(checkout, COVERING, "tests/a", replace(MUTANT, path=Path("c.py")))
    assert (outcome.verdict, outcome.survived, checkout.asked) == (Verdict.NOT_RUN, True, [])


def test_tests_that_are_named_after_the_file_are_asked_whatever_they_run() -> None:
    checkout = FakeCheckout(PASSED)
    outcome = try_mutant(checkout, COVERING, "tests/a", replace(MUTANT, line=90, statement=90))
    assert (outcome.verdict, checkout.asked) == (Verdict.SURVIVED, [["tests/a/test_a.py"]])


def test_of_a_line_that_runs_at_import_all_are_asked_the_quickest_files_first() -> None:
    checkout = FakeCheckout(PASSED, PASSED)
    outcome = try_mutant(checkout, COVERING, "tests/a", replace(MUTANT, in_function=False))
    assert outcome.tests == 5
    assert checkout.asked == [["tests/a/test_b.py", "tests/a/test_a.py"], ["tests/z/test_z.py"]]


def test_what_tests_share_is_counted_once() -> None:
    slow, quick = "tests/a/test_a.py::slow", "tests/a/test_a.py::quick"
    assert COVERING.total([slow, quick]) == pytest.approx(2.6)
    assert COVERING.total([]) == 0
