"""moto's record of a training job, changed to say what really happened."""

import time
from typing import Any

from sentictl.twin.control_plane.control_plane import ControlPlane, naive_utc, seconds
from sentictl.twin.sagemaker.running_jobs import ENDED, MAX_REASON

# AWS's words for each secondary status.
MESSAGES = {
    "Starting": "Preparing the instances for training",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Failed": "Training job failed",
    "Stopping": "Stopping the training job",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided",
}
# The attributes of moto's training job that a run changes, and that a restart brings back.
KEPT_TIMES = ("training_start_time", "training_end_time", "last_modified_time")
KEPT = (
    "training_job_status",
    "secondary_status",
    "failure_reason",
    "training_time_in_seconds",
    "billable_time_in_seconds",
)


class TrainingRecord:
    """moto's record of one training job, which DescribeTrainingJob shows."""

    def __init__(self, control: ControlPlane, region: str, name: str) -> None:
        self._control = control
        self._job = control.backend("sagemaker", region).training_jobs[name]
        self.region = region
        self.name = name
        self.log_stream = ""

    @property
    def status(self) -> str:
        return str(self._job.training_job_status)

    @property
    def is_over(self) -> bool:
        return self.status in ENDED

    def begin(self, request: dict[str, Any], when: float) -> None:
        """Undo what moto makes up: a job that was completed at once, with metrics of its own."""
        job = self._job
        job.algorithm_specification = request["AlgorithmSpecification"]
        job.creation_time = job.last_modified_time = naive_utc(when)
        job.training_job_status = "InProgress"
        job.final_metric_data_list = []
        job.secondary_status_transitions = []
        job.training_start_time = job.training_end_time = job.failure_reason = None
        job.training_time_in_seconds = job.billable_time_in_seconds = None
        job.environment = request.get("Environment")
        self.enter("Starting")

    def enter(self, status: str) -> None:
        """Begin a secondary status; the one before it ends."""
        now = naive_utc(time.time())
        with self._control.lock:
            job = self._job
            if job.secondary_status_transitions:
                job.secondary_status_transitions[-1]["EndTime"] = now
            transition = {"Status": status, "StartTime": now, "StatusMessage": MESSAGES[status]}
            job.secondary_status_transitions.append(transition)
            job.secondary_status = status
            job.last_modified_time = now
            if status == "Downloading":
                job.training_start_time = now

    def stop(self) -> None:
        """Note that the job was told to stop."""
        with self._control.lock:
            self.enter("Stopping")
            self._job.training_job_status = "Stopping"

    def finish(self, status: str, secondary: str, reason: str | None = None) -> None:
        """End the job."""
        with self._control.lock:
            self.enter(secondary)
            job = self._job
            now = job.last_modified_time
            job.secondary_status_transitions[-1]["EndTime"] = now
            if reason:
                job.failure_reason = reason[:MAX_REASON]
                job.secondary_status_transitions[-1]["StatusMessage"] = job.failure_reason
            job.training_end_time = now
            if job.training_start_time:
                seconds = max(1, round((now - job.training_start_time).total_seconds()))
                job.training_time_in_seconds = job.billable_time_in_seconds = seconds
            job.training_job_status = status

    def fail(self, reason: str) -> None:
        """End the job as Failed."""
        self.finish("Failed", "Failed", reason)

    def set_metric(self, name: str, value: float) -> None:
        """Keep the newest value of a metric."""
        with self._control.lock:
            others = [metric for metric in self._job.final_metric_data_list if metric["MetricName"] != name]
            newest = {"MetricName": name, "Value": value, "Timestamp": naive_utc(time.time())}
            self._job.final_metric_data_list = [*others, newest]

    def summary(self) -> dict[str, Any]:
        """Return the job's entry in the answer of ListTrainingJobs."""
        job = self._job
        times = {
            "CreationTime": seconds(job.creation_time),
            "TrainingEndTime": seconds(job.training_end_time),
            "LastModifiedTime": seconds(job.last_modified_time),
        }
        return {
            "TrainingJobName": self.name,
            "TrainingJobArn": job.arn,
            "TrainingJobStatus": job.training_job_status,
            "SecondaryStatus": job.secondary_status,
            **{name: when for name, when in times.items() if when is not None},
        }

    def to_json(self) -> dict[str, Any]:
        """Return what of an ended job the journal keeps."""
        job = self._job
        return {
            **{name: getattr(job, name) for name in KEPT},
            **{name: seconds(getattr(job, name)) for name in KEPT_TIMES},
            "final_metric_data_list": [_times_to_json(metric) for metric in job.final_metric_data_list],
            "secondary_status_transitions": [_times_to_json(entry) for entry in job.secondary_status_transitions],
            "log_stream": self.log_stream,
        }

    def restore(self, kept: dict[str, Any]) -> None:
        """Bring back a job that `to_json` gave: the inverse."""
        self.log_stream = kept["log_stream"]
        for name in KEPT:
            setattr(self._job, name, kept[name])
        for name in KEPT_TIMES:
            setattr(self._job, name, None if kept[name] is None else naive_utc(kept[name]))
        for name in ("final_metric_data_list", "secondary_status_transitions"):
            setattr(self._job, name, [_times_from_json(entry) for entry in kept[name]])


def _times_to_json(entry: dict[str, Any]) -> dict[str, Any]:
    return {k: seconds(v) if k.endswith(("Time", "Timestamp")) else v for k, v in entry.items()}


def _times_from_json(entry: dict[str, Any]) -> dict[str, Any]:
    return {k: naive_utc(v) if k.endswith(("Time", "Timestamp")) else v for k, v in entry.items()}
