"""What a check is, and how checks are carried out: each by itself, so that one that breaks ends no other."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from sentictl.aws.errors import translate
from sentictl.errors import SentictlError


class Status(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"


@dataclass(frozen=True)
class Finding:
    """What a check found.

    Args:
        status: how it ended.
        found: what is so, in a few words.
        mend: what to do about it; empty where nothing is to be done.
    """

    status: Status
    found: str
    mend: str = ""


@dataclass(frozen=True)
class Check:
    """A name, and what looks."""

    name: str
    look: Callable[[], Finding]


def ok(found: str) -> Finding:
    return Finding(Status.OK, found)


def warning(found: str, mend: str) -> Finding:
    return Finding(Status.WARNING, found, mend)


def failed(found: str, mend: str) -> Finding:
    return Finding(Status.FAILED, found, mend)


def carry_out(checks: Iterable[Check]) -> Iterator[tuple[str, Finding]]:
    """Each check's name and finding, one after the other."""
    for check in checks:
        try:
            yield check.name, check.look()
        except Exception as problem:  # noqa: BLE001  (whatever breaks one check is what it found)
            yield check.name, _as_finding(problem)


def _as_finding(problem: Exception) -> Finding:
    known = problem if isinstance(problem, SentictlError) else translate(problem)
    if known is None:
        return failed(f"{type(problem).__name__}: {problem}", "Run it again with --debug, and report it.")
    return failed(known.message, known.hint)
