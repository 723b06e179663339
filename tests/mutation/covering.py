"""Which tests run which lines, and how long each takes."""

import json
import time
from collections import defaultdict
from collections.abc import Generator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import coverage
import pytest

from tests import order
from tests.mutation.checkout import FAILED, PASSED, Checkout
from tests.mutation.mutants import Mutant

# Tests of these folders are run although they take long: nothing else runs the code that they are about.
TAKEN_ANYWAY = ("model_code",)
NOT_TAKEN = ("model_code/test_distributed.py", "model_code/test_several_processes.py", "model_code/test_stages.py")
CPU_SECONDS = 3600


@dataclass(frozen=True)
class Covering:
    """What was seen of the tests that passed.

    Attributes:
        seconds: of each test, and of each fixture that tests share.
        fixtures: by test: those that it shares with others.
        tests: by file, from the repository's root, and line: the tests that run it.
    """

    seconds: dict[str, float]
    fixtures: dict[str, set[str]]
    tests: dict[str, dict[int, set[str]]]

    def of(self, mutant: Mutant) -> set[str]:
        """The tests that may notice it: those that run its line or are named after its file.

        Of a line that runs at import it is all of them. The latter may run theirs in processes of their own.
        """
        if not mutant.in_function:
            return set(self.fixtures)
        lines = self.tests.get(str(mutant.path), {})
        named = {test for test in self.fixtures if test.partition("::")[0].endswith(f"/test_{mutant.path.stem}.py")}
        return named | (lines.get(mutant.line, set()) | lines.get(mutant.statement, set())) & self.fixtures.keys()

    def total(self, tests: Iterable[str]) -> float:
        """How many seconds such tests take, one after another, with what they share."""
        tests = list(tests)
        shared = set().union(*(self.fixtures[test] for test in tests))
        return sum(self.seconds.get(part, 0.0) for part in (*tests, *shared))


def measure(checkout: Checkout, paths: Sequence[Path], folders: Sequence[str]) -> Covering:
    """Run the tests once in a fork.

    Args:
        checkout: where.
        paths: the files whose lines are asked about, from the repository's root.
        folders: of tests, from the repository's root.
    """
    answer = checkout.root.parent / "covering.json"
    recorder = _Recorder(checkout.root, paths, answer)
    code = checkout.run_pytest(["--quiet", *_left_out(), *folders], recorder, CPU_SECONDS)
    if code not in (PASSED, FAILED):
        raise RuntimeError(f"the tests cannot be run: pytest ended with {code}")
    document = json.loads(answer.read_text(encoding="utf-8"))
    return Covering(
        seconds=document["seconds"],
        fixtures={test: set(shared) for test, shared in document["fixtures"].items()},
        tests={
            path: {int(line): set(found) for line, found in lines.items()} for path, lines in document["tests"].items()
        },
    )


class _Recorder:
    """A plugin of pytest that gives every test, and every fixture that tests share, a context of its own."""

    def __init__(self, root: Path, paths: Sequence[Path], answer: Path) -> None:
        self._root, self._answer = root, answer
        self._coverage = coverage.Coverage(data_file=None, include=[str(root / path) for path in paths])
        self._context: list[str] = []
        self._seconds: dict[str, float] = defaultdict(float)
        self._shared: dict[str, set[str]] = {}  # by test: the contexts of the fixtures that it shares with others
        self._failed: set[str] = set()
        self._since = 0.0

    def pytest_sessionstart(self) -> None:
        self._coverage.start()

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Generator[None, object, object]:
        self._shared[item.nodeid] = set()
        self._enter(item.nodeid)
        try:
            return (yield)
        finally:
            self._leave()

    @pytest.hookimpl(wrapper=True)
    def pytest_fixture_setup(
        self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
    ) -> Generator[None, object, object]:
        if fixturedef.scope == "function":
            return (yield)
        self._enter(_fixture(fixturedef.argname))
        try:
            return (yield)
        finally:
            self._leave()

    def pytest_runtest_teardown(self, item: pytest.Item) -> None:
        self._shared[item.nodeid] = {_fixture(name) for name in getattr(item, "fixturenames", ())}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if not report.passed:
            self._failed.add(report.nodeid)

    def pytest_sessionfinish(self) -> None:
        self._coverage.stop()
        data = self._coverage.get_data()
        users = defaultdict(set)
        for test, shared in self._shared.items():
            for context in (test, *shared):
                users[context].add(test)
        tests = {
            str(Path(file).relative_to(self._root)): {
                line: sorted(set().union(*(users[context] for context in contexts)))
                for line, contexts in data.contexts_by_lineno(file).items()
            }
            for file in data.measured_files()
        }
        fixtures = {test: sorted(shared) for test, shared in self._shared.items() if test not in self._failed}
        answer = {"seconds": self._seconds, "fixtures": fixtures, "tests": tests}
        self._answer.write_text(json.dumps(answer), encoding="utf-8")

    def _enter(self, context: str) -> None:
        self._count()
        self._context.append(context)
        self._coverage.switch_context(context)

    def _leave(self) -> None:
        self._count()
        self._context.pop()
        self._coverage.switch_context(self._context[-1] if self._context else "")

    def _count(self) -> None:
        now = time.perf_counter()
        if self._context:
            self._seconds[self._context[-1]] += now - self._since
        self._since = now


def _left_out() -> list[str]:
    """pytest's options for the tests that take long, but for those that are taken anyway."""
    slow = [path for path in order.SLOW if not path.startswith(TAKEN_ANYWAY)]
    return [f"--ignore=tests/{path}" for path in (*slow, *NOT_TAKEN)]


def _fixture(name: str) -> str:
    return f"fixture {name}"
