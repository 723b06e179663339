"""Trying a mutant: the tests that run its line, those of its own folder first, until one fails."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

import pytest

from tests.mutation.checkout import NONE_FOUND, PASSED, Checkout
from tests.mutation.covering import Covering
from tests.mutation.mutants import Mutant

ROUND_SECONDS = 60.0  # of the tests of its own folder, and of all others: the quickest that fit
SPARE_CPU_SECONDS = 20.0  # for the imports
SLOWER = 4  # so many times its seconds a test may take, before its mutant counts as one that hangs


class Verdict(StrEnum):
    """What came of a mutant."""

    KILLED = "killed"
    HANGS = "killed: hangs or crashes"
    SURVIVED = "survived"
    NOT_RUN = "survived: no test runs it"


@dataclass(frozen=True)
class Outcome:
    """A mutant, and what came of it after how many tests at most."""

    mutant: Mutant
    verdict: Verdict
    tests: int

    @property
    def survived(self) -> bool:
        """Whether no test noticed it."""
        return self.verdict in (Verdict.SURVIVED, Verdict.NOT_RUN)


def try_mutant(checkout: Checkout, covering: Covering, folder: str, mutant: Mutant) -> Outcome:
    """Put the mutant into the copy, run the tests, and take it out again.

    Args:
        checkout: the copy.
        covering: which tests run which lines.
        folder: of the tests that mirror the mutant's package.
        mutant: the mutant.
    """
    found = covering.of(mutant)
    own = {test for test in found if test.startswith(f"{folder}/")}
    rounds = [_quickest(tests, covering) for tests in (own, found - own)]
    checkout.write(mutant.path, mutant.source)
    try:
        for tests in rounds:
            verdict = _run(checkout, covering, tests)
            if verdict in (Verdict.KILLED, Verdict.HANGS):
                return Outcome(mutant, verdict, len(found))
    finally:
        checkout.write(mutant.path, mutant.original)
    return Outcome(mutant, Verdict.SURVIVED if found else Verdict.NOT_RUN, len(found))


def _run(checkout: Checkout, covering: Covering, tests: Iterable[str]) -> Verdict:
    ordered = _ordered(tests, covering)
    if not ordered:
        return Verdict.NOT_RUN
    files = list(dict.fromkeys(_file(test) for test in ordered))
    limit = SPARE_CPU_SECONDS + SLOWER * covering.total(ordered)
    code = checkout.run_pytest(["--exitfirst", "--quiet", "--no-header", *files], _Selection(ordered), limit)
    if code == NONE_FOUND:
        raise RuntimeError(f"none of {len(ordered)} tests was found again")
    if code == PASSED:
        return Verdict.SURVIVED
    return Verdict.HANGS if code < 0 else Verdict.KILLED


def _ordered(tests: Iterable[str], covering: Covering) -> list[str]:
    """The quickest first, but those of a file together, which share fixtures."""
    files = defaultdict(list)
    for test in tests:
        files[_file(test)].append(test)
    mean = {file: covering.total(own) / len(own) for file, own in files.items()}
    return sorted(
        (test for own in files.values() for test in own),
        key=lambda test: (mean[_file(test)], _file(test), covering.seconds[test], test),
    )


def _quickest(tests: Iterable[str], covering: Covering) -> list[str]:
    taken: list[str] = []
    for test in sorted(tests, key=lambda test: (covering.total([test]), test)):
        if covering.total([*taken, test]) > ROUND_SECONDS:
            break
        taken.append(test)
    return taken


def _file(test: str) -> str:
    return test.partition("::")[0]


class _Selection:
    """A plugin of pytest that runs these tests alone, in this order."""

    def __init__(self, tests: Sequence[str]) -> None:
        self._places = {test: place for place, test in enumerate(tests)}

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        chosen = [item for item in items if item.nodeid in self._places]
        items[:] = sorted(chosen, key=lambda item: self._places[item.nodeid])
