"""moto's record of a transform job, changed to say what really happened."""

import time
from typing import Any

from sentictl.twin.control_plane.control_plane import ControlPlane, naive_utc, seconds
from sentictl.twin.sagemaker.running_jobs import ENDED, MAX_REASON

# The attributes of moto's transform job that a run changes, and that a restart brings back.
KEPT = ("transform_job_status", "failure_reason")
KEPT_TIMES = ("creation_time", "transform_start_time", "transform_end_time", "last_modified_time")


class TransformRecord:
    """moto's record of one transform job, which DescribeTransformJob shows."""

    def __init__(self, control: ControlPlane, region: str, name: str) -> None:
        self._control = control
        self._job = control.backend("sagemaker", region).transform_jobs[name]
        self.region = region
        self.name = name

    @property
    def arn(self) -> str:
        return str(self._job.arn)

    @property
    def status(self) -> str:
        return str(self._job.transform_job_status)

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    @property
    def model(self) -> str:
        """The name of its model."""
        return str(self._job.model_name)

    def begin(self, when: float) -> None:
        """Undo what moto makes up: a job that was completed at once."""
        job = self._job
        job.creation_time = job.last_modified_time = naive_utc(when)
        job.transform_start_time = job.transform_end_time = None
        job.failure_reason = job.labeling_job_arn = job.auto_ml_job_arn = None
        job.tags = job.tags or []
        job.transform_job_status = "InProgress"

    def start(self) -> None:
        """Note that its machines run."""
        with self._control.lock:
            self._job.transform_start_time = naive_utc(time.time())

    def stop(self) -> None:
        """Note that it was told to stop."""
        with self._control.lock:
            self._job.transform_job_status = "Stopping"

    def finish(self, status: str, reason: str = "") -> None:
        """End it."""
        with self._control.lock:
            job = self._job
            job.transform_job_status = status
            job.failure_reason = reason[:MAX_REASON] or None
            job.transform_end_time = job.last_modified_time = naive_utc(time.time())

    def fail(self, reason: str) -> None:
        """End it as Failed."""
        self.finish("Failed", reason)

    def summary(self) -> dict[str, Any]:
        """Return the job's entry in the answer of ListTransformJobs."""
        job = self._job
        times = {
            "CreationTime": seconds(job.creation_time),
            "TransformEndTime": seconds(job.transform_end_time),
            "LastModifiedTime": seconds(job.last_modified_time),
        }
        return {
            "TransformJobName": self.name,
            "TransformJobArn": job.arn,
            "TransformJobStatus": job.transform_job_status,
            **({"FailureReason": job.failure_reason} if job.failure_reason else {}),
            **{name: when for name, when in times.items() if when is not None},
        }

    def to_json(self) -> dict[str, Any]:
        """Return what of an ended job the journal keeps."""
        times = {name: seconds(getattr(self._job, name)) for name in KEPT_TIMES}
        return {**{name: getattr(self._job, name) for name in KEPT}, **times}

    def restore(self, kept: dict[str, Any]) -> None:
        """Bring back a job that `to_json` gave: the inverse."""
        for name in KEPT:
            setattr(self._job, name, kept[name])
        for name in KEPT_TIMES:
            setattr(self._job, name, None if kept[name] is None else naive_utc(kept[name]))
