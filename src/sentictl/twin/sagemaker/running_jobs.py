"""What SageMaker's jobs of any kind have in common: which of them run, and what a restart makes of them."""

import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from typing import Any, Generic, Protocol, TypeVar

from sentictl.twin.control_plane.control_plane import ControlPlane

ENDED = ("Completed", "Failed", "Stopped")
INTERRUPTED = "InternalServerError: The local twin was ended while the job ran. Please try again."
STOP_GRACE_SECONDS = 5.0  # AWS gives two minutes; on one's own machine a person waits for it
DEFAULT_MAX_RUNTIME = 86_400  # seconds


class _Record(Protocol):
    """A job as AWS tells of it."""

    region: str
    name: str

    @property
    def is_over(self) -> bool:
        """Whether it does nothing more."""

    def fail(self, reason: str) -> None:
        """End it as Failed."""


RecordT = TypeVar("RecordT", bound=_Record)


class _Run(Protocol[RecordT]):
    """A job's life."""

    record: RecordT

    def run(self, ended: Callable[[Any], None]) -> None:
        """Live it, and call `ended` at its end."""

    def stop(self) -> None:
        """Tell the job to end."""

    def abandon(self) -> None:
        """End its processes without a word to anyone: the twin is going down."""


RunT = TypeVar("RunT", bound=_Run[Any])


class RunningJobs(ABC, Generic[RecordT, RunT]):
    """The jobs of one kind.

    Args:
        control: the twin's control plane.
    """

    def __init__(self, control: ControlPlane) -> None:
        self._control = control
        self._runs: dict[tuple[str, str], RunT] = {}

    def fail_interrupted(self) -> None:
        """After a replay: let the jobs fail that were running when the twin ended."""
        for record in self._records():
            if not record.is_over:
                record.fail(INTERRUPTED)
                self._journal(record)

    def running(self) -> int:
        """Return how many jobs run now."""
        return len(self._runs)

    def close(self) -> None:
        """End the processes of all jobs; the jobs themselves are found as interrupted at the next start."""
        for run in list(self._runs.values()):
            run.abandon()

    @abstractmethod
    def _records(self) -> Iterable[RecordT]:
        """All jobs there are."""

    @abstractmethod
    def _journal(self, record: RecordT) -> None:
        """Keep what became of a job that is over."""

    def _begin(self, run: RunT) -> None:
        """Let a job live in a thread of its own."""
        self._runs[run.record.region, run.record.name] = run
        threading.Thread(target=run.run, args=(self._ended,), daemon=True).start()

    def _ended(self, run: RunT) -> None:
        with self._control.lock:
            self._runs.pop((run.record.region, run.record.name), None)
            self._keep(run)

    def _keep(self, run: RunT) -> None:
        """Keep what a job leaves, which has just ended."""
        self._journal(run.record)

    def _tell_to_stop(self, record: RecordT) -> None:
        """Tell a job to end, if it runs here."""
        if run := self._runs.get((record.region, record.name)):
            run.stop()
