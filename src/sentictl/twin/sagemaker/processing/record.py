"""A processing job as AWS tells of it."""

import time
from collections.abc import Mapping
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane
from sentictl.twin.sagemaker.running_jobs import ENDED, MAX_REASON

# The members of the request that DescribeProcessingJob answers as they were given.
GIVEN = (
    *("ProcessingInputs", "ProcessingOutputConfig", "ProcessingJobName", "ProcessingResources", "StoppingCondition"),
    *("AppSpecification", "Environment", "NetworkConfig", "RoleArn", "ExperimentConfig"),
)
# What of a job changes while it runs, and a restart brings back.
KEPT = ("status", "started", "ended", "modified", "reason", "message", "log_stream")


class ProcessingRecord:
    """One processing job.

    Args:
        control: the twin's control plane.
        region: the job's region.
        request: the parameters of CreateProcessingJob.
        when: seconds since the epoch at which it was created.
    """

    def __init__(self, control: ControlPlane, region: str, request: Mapping[str, Any], when: float) -> None:
        self._control = control
        self.region = region
        self.request = request
        self.name: str = request["ProcessingJobName"]
        self.arn = f"arn:aws:sagemaker:{region}:{ACCOUNT}:processing-job/{self.name}"
        self.status = "InProgress"
        self.created = self.modified = when
        self.started: float | None = None
        self.ended: float | None = None
        self.reason = self.message = self.log_stream = ""

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    def begin(self) -> None:
        """Note that the machines are there."""
        with self._control.lock:
            self.started = self.modified = time.time()

    def stop(self) -> None:
        """Note that the job was told to stop."""
        with self._control.lock:
            self.status, self.modified = "Stopping", time.time()

    def fail(self, reason: str, message: str = "") -> None:
        """End the job as Failed; as `finish`."""
        self.finish("Failed", reason, message)

    def finish(self, status: str, reason: str = "", message: str = "") -> None:
        """End the job.

        Args:
            status: Completed, Failed or Stopped.
            reason: why it failed.
            message: what the container left in `/opt/ml/output/message`.
        """
        with self._control.lock:
            self.status, self.reason, self.message = status, reason[:MAX_REASON], message[:MAX_REASON]
            self.ended = self.modified = time.time()

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeProcessingJob."""
        given = {member: self.request[member] for member in GIVEN if self.request.get(member)}
        told = {"ExitMessage": self.message, "FailureReason": self.reason, "ProcessingStartTime": self.started}
        return {**given, **{member: value for member, value in told.items() if value}, **self.summary()}

    def summary(self) -> dict[str, Any]:
        """Return the job's entry in the answer of ListProcessingJobs."""
        return {
            "ProcessingJobName": self.name,
            "ProcessingJobArn": self.arn,
            "ProcessingJobStatus": self.status,
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            **({"ProcessingEndTime": self.ended} if self.ended else {}),
        }

    def to_json(self) -> dict[str, Any]:
        """Return what of an ended job the journal keeps."""
        return {name: getattr(self, name) for name in KEPT}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Bring back a job that `to_json` gave."""
        for name in KEPT:
            setattr(self, name, kept[name])
