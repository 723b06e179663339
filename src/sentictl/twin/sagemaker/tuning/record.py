"""A tuning job as AWS tells of it: what was asked for, its trials, and the counts of them."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sentictl.twin.control_plane.control_plane import ACCOUNT, ControlPlane, seconds
from sentictl.twin.sagemaker.running_jobs import ENDED
from sentictl.twin.sagemaker.tuning.search import Tried


@dataclass
class TrialRecord:
    """A training job of a tuning job's.

    Args:
        name: the training job's name.
        tuned: the values that it tries.
        reports: what it reported of the objective, the higher, the better.
    """

    name: str
    tuned: Mapping[str, str]
    reports: list[float] = field(default_factory=list)


class TuningRecord:
    """One tuning job.

    Args:
        control: the twin's control plane.
        region: the job's region.
        request: the parameters of CreateHyperParameterTuningJob.
        when: seconds since the epoch at which it was created.
    """

    def __init__(self, control: ControlPlane, region: str, request: Mapping[str, Any], when: float) -> None:
        self._control = control
        self.region = region
        self.request = request
        self.name: str = request["HyperParameterTuningJobName"]
        self.arn = f"arn:aws:sagemaker:{region}:{ACCOUNT}:hyper-parameter-tuning-job/{self.name}"
        self.config: Mapping[str, Any] = request["HyperParameterTuningJobConfig"]
        self.definition: Mapping[str, Any] = request["TrainingJobDefinition"]
        self.status, self.reason = "InProgress", ""
        self.created = self.modified = when
        self.ended: float | None = None
        self.trials: dict[str, TrialRecord] = {}  # without those whose training jobs were deleted
        self.begun = 0  # trials

    @property
    def maximizes(self) -> bool:
        return bool(self.config["HyperParameterTuningJobObjective"]["Type"] == "Maximize")

    @property
    def objective(self) -> str:
        """The name of the metric that is searched by."""
        return str(self.config["HyperParameterTuningJobObjective"]["MetricName"])

    @property
    def most(self) -> int:
        """How many trials there are at most; a grid has as many as combinations."""
        limit = self.config["ResourceLimits"].get("MaxNumberOfTrainingJobs")
        return limit or 10**6

    @property
    def running(self) -> list[TrialRecord]:
        self.forget_deleted()
        jobs = self._jobs
        return [trial for name, trial in self.trials.items() if jobs[name].training_job_status not in ENDED]

    @property
    def tried(self) -> Tried:
        """The trials that are over and told their objective, which is the higher, the better."""
        running = self.running
        over = [trial for trial in self.trials.values() if trial not in running]
        sign = 1.0 if self.maximizes else -1.0
        return [(each.tuned, sign * value) for each in over if (value := self.value(each)) is not None]

    def value(self, trial: TrialRecord) -> float | None:
        """Return what a trial reported of the objective last."""
        metrics = self._jobs[trial.name].final_metric_data_list
        return next((metric["Value"] for metric in metrics if metric["MetricName"] == self.objective), None)

    def note(self, name: str, tuned: Mapping[str, str]) -> None:
        """Take a training job for the next trial."""
        self.begun += 1
        self.trials[name] = TrialRecord(name, tuned)
        self._jobs[name].tuning_job_arn = self.arn

    def is_running(self, name: str) -> bool:
        """Tell whether a trial runs and was not told to end."""
        return bool(self._jobs[name].training_job_status == "InProgress")

    def enter(self, status: str, reason: str = "") -> None:
        """Change the status."""
        self.status, self.reason, self.modified = status, reason, time.time()
        if status in ENDED:
            self.ended = self.modified

    def forget_deleted(self) -> None:
        """Drop the trials whose training jobs were deleted."""
        jobs = self._control.backend("sagemaker", self.region).training_jobs
        self.trials = {name: trial for name, trial in self.trials.items() if name in jobs}

    def describe(self) -> dict[str, Any]:
        """Return the answer of DescribeHyperParameterTuningJob."""
        whole = [each for each in self.summaries() if each["TrainingJobStatus"] == "Completed" and _measured(each)]
        sign = 1.0 if self.maximizes else -1.0
        best = max(whole, key=lambda each: sign * _measured(each)["Value"], default=None)
        working = sum(each.get("TrainingEndTime", time.time()) - each["CreationTime"] for each in self.summaries())
        return {
            **self.summary(),
            "HyperParameterTuningJobConfig": self.config,
            "TrainingJobDefinition": self.definition,
            "ConsumedResources": {"RuntimeInSeconds": round(working)},
            **({"BestTrainingJob": best} if best else {}),
            **({"FailureReason": self.reason} if self.reason else {}),
        }

    def summary(self) -> dict[str, Any]:
        """Return the job's entry in the answer of ListHyperParameterTuningJobs."""
        trials = self.summaries()
        statuses = [_counter(each) for each in trials]
        objectives = [each["ObjectiveStatus"] for each in trials]
        counters = ("Completed", "InProgress", "RetryableError", "NonRetryableError", "Stopped")
        return {
            "HyperParameterTuningJobName": self.name,
            "HyperParameterTuningJobArn": self.arn,
            "HyperParameterTuningJobStatus": self.status,
            "Strategy": self.config["Strategy"],
            "CreationTime": self.created,
            "LastModifiedTime": self.modified,
            **({"HyperParameterTuningEndTime": self.ended} if self.ended else {}),
            "TrainingJobStatusCounters": {name: statuses.count(name) for name in counters},
            "ObjectiveStatusCounters": {name: objectives.count(name) for name in ("Succeeded", "Pending", "Failed")},
            "ResourceLimits": self.config["ResourceLimits"],
        }

    def summaries(self) -> list[dict[str, Any]]:
        """Return the trials as ListTrainingJobsForHyperParameterTuningJob tells of them."""
        self.forget_deleted()
        return [self._summary(trial) for trial in self.trials.values()]

    def _summary(self, trial: TrialRecord) -> dict[str, Any]:
        job, value = self._jobs[trial.name], self.value(trial)
        over = job.training_job_status in ENDED
        times = {
            "TrainingStartTime": seconds(job.training_start_time),
            "TrainingEndTime": seconds(job.training_end_time) if over else None,
        }
        metric = {"MetricName": self.objective, "Value": value}
        found = over and value is not None and job.training_job_status != "Failed"
        return {
            "TrainingJobName": trial.name,
            "TrainingJobArn": job.arn,
            "TuningJobName": self.name,
            "CreationTime": seconds(job.creation_time),
            **{name: when for name, when in times.items() if when is not None},
            "TrainingJobStatus": job.training_job_status,
            "TunedHyperParameters": trial.tuned,
            **({"FailureReason": job.failure_reason} if job.failure_reason else {}),
            **({"FinalHyperParameterTuningJobObjectiveMetric": metric} if value is not None else {}),
            "ObjectiveStatus": "Succeeded" if found else "Failed" if over else "Pending",
        }

    @property
    def _jobs(self) -> Any:
        return self._control.backend("sagemaker", self.region).training_jobs

    def to_json(self) -> dict[str, Any]:
        """Return what the journal keeps of a job that has ended."""
        return {"status": self.status, "reason": self.reason, "ended": self.ended}

    def restore(self, kept: Mapping[str, Any]) -> None:
        """Bring back what `to_json` gave."""
        self.status, self.reason, self.ended = kept["status"], kept["reason"], kept["ended"]
        self.modified = kept["ended"]


def _measured(summary: Mapping[str, Any]) -> Any:
    return summary.get("FinalHyperParameterTuningJobObjectiveMetric")


def _counter(summary: Mapping[str, Any]) -> str:
    """Return the counter that a trial counts for. What failed within the service itself can be tried again."""
    status = str(summary["TrainingJobStatus"])
    if status == "Failed":
        internal = summary.get("FailureReason", "").startswith("InternalServerError")
        return "RetryableError" if internal else "NonRetryableError"
    return "InProgress" if status == "Stopping" else status
