"""Checks, and how they are carried out: each by itself, so that one that breaks ends no other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sentictl.aws.errors import translate
from sentictl.aws.redaction import redacted
from sentictl.errors import SentictlError


class CheckStatus(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class CheckResult:
    """The result of a check.

    Args:
        status: how it ended.
        found: what is so, in a few words.
        mend: what to do about it; empty where nothing is to be done.
    """

    status: CheckStatus
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Check:
    """A name, and what looks."""

    name: str
    look: Callable[[], CheckResult]


def ok(found: str) -> CheckResult:
    return CheckResult(CheckStatus.OK, found)


def warning(found: str, mend: str) -> CheckResult:
    return CheckResult(CheckStatus.WARNING, found, mend)


def failed(found: str, mend: str) -> CheckResult:
    return CheckResult(CheckStatus.FAILED, found, mend)


def carry_out(checks: Iterable[Check]) -> Iterator[tuple[str, CheckResult]]:
    """Each check's name and finding, one after the other; a failure that several have in common is told once.

    Args:
        checks: what to carry out.
    """
    failures: list[CheckResult] = []
    unknown = []
    for check in checks:
        result = _look(check)
        if result in failures:
            unknown.append(check.name)
            continue
        if result.status is CheckStatus.FAILED:
            failures.append(result)
        yield check.name, result
    if unknown:
        yield "not checked", warning(f"{', '.join(unknown)}: for a reason above", "Mend that, and run it again.")


def _look(check: Check) -> CheckResult:
    try:
        return check.look()
    except Exception as problem:  # noqa: BLE001  (whatever breaks one check is what it found)
        return _as_finding(problem)


def _as_finding(problem: Exception) -> CheckResult:
    known = problem if isinstance(problem, SentictlError) else translate(problem)
    if known is None:
        return failed(redacted(f"{type(problem).__name__}: {problem}"), "Run it again with --debug, and report it.")
    return failed(redacted(known.message), known.hint)
