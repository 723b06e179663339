"""What SageMaker's jobs of any kind have in common: how they live, which run, and what a restart makes of them."""

import shutil
import threading
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, ClassVar, Generic, Protocol, Self, TypeVar

from sentictl.twin.cloudwatch.logs import LogStreams
from sentictl.twin.control_plane.control_plane import Call, ControlPlane
from sentictl.twin.control_plane.pagination import JSON_RPC, listing
from sentictl.twin.core.environment import Access
from sentictl.twin.core.messages import Response, json_response, json_rpc_error
from sentictl.twin.iam.roles import AssumedRole
from sentictl.twin.s3.objects import Objects

ENDED = ("Completed", "Failed", "Stopped")
INTERRUPTED = "InternalServerError: The local twin was ended while the job ran. Please try again."
STOP_GRACE_SECONDS = 5.0  # AWS gives two minutes; on one's own machine a person waits for it
ABANDON_GRACE_SECONDS = 0.2
DEFAULT_MAX_RUNTIME = 86_400  # seconds
MAX_REASON = 1024  # characters of a FailureReason, and of an ExitMessage


class JobFailedError(Exception):
    """A job ends as Failed, for the reason given."""


class _Record(Protocol):
    """A job as AWS tells of it."""

    region: str
    name: str

    @property
    def status(self) -> str:
        """Its status, such as `InProgress`."""

    @property
    def is_over(self) -> bool:
        """Whether it does nothing more."""

    def summary(self) -> dict[str, Any]:
        """Return its entry in the answer of its List call."""

    def stop(self) -> None:
        """Note that it was told to stop."""

    def fail(self, reason: str) -> None:
        """End it as Failed."""


RecordT = TypeVar("RecordT", bound=_Record)


class JobRun(ABC, Generic[RecordT]):
    """A job's life, in a thread of its own.

    Args:
        record: the job, as AWS tells of it.
        request: the parameters of the call that created it.
        folder: for what it has on disk until it is over.
        role: which it acts in.
        objects: S3.
        logs: where its lines go.
        access: how its programs reach the twin.
    """

    def __init__(
        self,
        record: RecordT,
        request: Mapping[str, Any],
        folder: Path,
        role: AssumedRole,
        objects: Objects,
        logs: LogStreams,
        access: Access,
    ) -> None:
        self.record = record
        self._request = request
        self._folder = folder
        self._role = role
        self._objects = objects.acting_as(role)
        self._logs = logs
        self._access = access
        self._ending = threading.Event()  # the job was told to stop, ran out of time, or the twin goes down
        self._timed_out = self._abandoned = False

    def run(self, ended: Callable[[Self], None]) -> None:
        """Live; whatever happens ends up in the job's status, and then `ended` is called."""
        try:
            self._live()
        except JobFailedError as error:
            self._fail(str(error))
        except OSError as error:
            self._fail(f"ClientError: The job's disk cannot be used: {error}")
        except Exception as error:  # noqa: BLE001  a job never stays InProgress, whatever broke
            self._fail(f"InternalServerError: {type(error).__name__}: {error}")
        finally:
            self._clean_up()
            if not self._abandoned:
                ended(self)

    def stop(self) -> None:
        """Tell the job to end, as its Stop call does."""
        self._ending.set()
        self.record.stop()
        threading.Thread(target=self._end_programs, daemon=True).start()

    def abandon(self) -> None:
        """End the job's programs without a word to anyone: the twin is going down."""
        self._abandoned = True
        self._ending.set()
        self._end_programs()

    @abstractmethod
    def _live(self) -> None:
        """Do what the job is for, and note its end.

        Raises:
            JobFailedError: it fails.
        """

    @abstractmethod
    def _end_programs(self) -> None:
        """End the programs that run for the job, and return when they are gone."""

    def _fail(self, reason: str) -> None:
        """Note that the job failed."""
        self.record.fail(reason)

    def _clean_up(self) -> None:
        """Remove what the job had on disk."""
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _grace(self) -> float:
        """Seconds that a program has to end by itself."""
        return ABANDON_GRACE_SECONDS if self._abandoned else STOP_GRACE_SECONDS

    @contextmanager
    def _time_limit(self) -> Iterator[None]:
        """Let the job run on, no longer than its request allows; end its programs then."""
        limit = (self._request.get("StoppingCondition") or {}).get("MaxRuntimeInSeconds", DEFAULT_MAX_RUNTIME)
        timer = threading.Timer(limit, self._time_out)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _time_out(self) -> None:
        self._timed_out = True
        self._ending.set()
        self._end_programs()


RunT = TypeVar("RunT", bound=JobRun[Any])


class RunningJobs(ABC, Generic[RecordT, RunT]):
    """The jobs of one kind.

    Args:
        control: the twin's control plane.
        objects: what they read and write.
        logs: where they write their logs.
        folder: for what they have on disk while they run.
        access: how their programs reach the twin.
    """

    KIND: ClassVar[str]  # as the names of its calls have it, such as `Training`

    def __init__(self, control: ControlPlane, objects: Objects, logs: LogStreams, folder: Path, access: Access) -> None:
        self._control = control
        self._objects = objects
        self._logs = logs
        self._folder = folder
        self._access = access
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

    def _stop_job(self, record: RecordT) -> Response:
        """Answer Stop…Job: tell a job to end, if it runs here."""
        if record.is_over:
            message = f"The request was rejected because the {self.KIND.lower()} job is in status {record.status}."
            return json_rpc_error("ValidationException", message)
        if run := self._runs.get((record.region, record.name)):
            run.stop()
        return json_response(200, {}, JSON_RPC)

    def _list(self, call: Call) -> Response:
        """Answer List…Jobs. moto does not sort, and filters the page instead of the whole."""
        found = [record.summary() for record in self._records() if record.region == call.region]
        return listing(f"{self.KIND}JobSummaries", f"{self.KIND}Job", found, call.payload)
